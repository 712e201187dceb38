from __future__ import annotations

from stepdown.process.settings import SLAB_BYTES, Settings
from stepdown.telemetry.slab import DEFAULT_SIZE

SETTINGS = Settings("/etc/stepdown.yaml", ("0.0.0.0", 8080), ("::", 9902), None, 2, 4, 1.5, 30.0, "json")


def test_settings_survive_the_way_through_an_argument() -> None:
    assert Settings.from_json(SETTINGS.to_json()) == SETTINGS


def test_the_parent_makes_slabs_of_the_size_that_telemetry_wants() -> None:
    assert SLAB_BYTES == DEFAULT_SIZE
