"""Copies are sent by the configuration that they were taken under."""

from __future__ import annotations

import pytest

from stepdown.comparer.configurations import Configuration, Configurations
from stepdown.comparer.contracts import KEPT
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import digest, encode
from stepdown.errors import UnreachableShapeError
from tests.kit import specs
from tests.kit.shadowing import shadowed

SHADOW = Shadow(name="s", version="2.0.0")


def test_only_the_last_configurations_are_known_and_one_that_comes_again_stays() -> None:
    known = Configurations()
    encoded = [
        encode(shadowed(SHADOW, served=1, ports=[2], snapshot_options={"trusted_hops": number}))
        for number in range(KEPT + 1)
    ]
    for data in encoded[:KEPT]:
        known.adopt(*specs.named(data))
    first = known.find(digest(encoded[0]))
    known.adopt(*specs.named(encoded[0]))
    known.adopt(*specs.named(encoded[KEPT]))
    assert known.find(digest(encoded[0])) is first
    assert known.find(digest(encoded[1])) is None
    assert known.find("unknown") is None


def test_only_routes_with_shadows_and_their_models_are_kept() -> None:
    configuration = Configuration(
        specs.snapshot(specs.route({"1.0.0": 1}), models=[specs.model(specs.version("1.0.0"))])
    )
    assert not configuration.routes
    assert not configuration.models


def test_adapters_are_compiled_once_and_lead_one_way() -> None:
    configuration = Configuration(shadowed(SHADOW, served=1, ports=[2]))
    assert configuration.adapter("m", "1.0.0", "1.0.0") is None
    adapter = configuration.adapter("m", "2.0.0", "1.0.0")
    assert configuration.adapter("m", "2.0.0", "1.0.0") is adapter
    with pytest.raises(UnreachableShapeError):
        configuration.adapter("m", "1.0.0", "2.0.0")


def test_endpoints_are_those_of_the_version_or_of_its_idle_colour_with_marks_on() -> None:
    new = specs.version("2.0.0", 2, 3, idle=(specs.endpoint(4),))
    idle = Shadow(name="idle", version="2.0.0", idle=True)
    spec = shadowed(SHADOW, idle, served=1, ports=[], new=new)
    configuration, route = Configuration(spec), spec.routes[0]
    assert [endpoint.port for endpoint in configuration.endpoints(route, SHADOW)] == [2, 3]
    assert [endpoint.port for endpoint in configuration.endpoints(route, idle)] == [4]
    assert [endpoint.port for endpoint in configuration.endpoints(route, SHADOW, "1.0.0")] == [1]
    assert configuration.endpoints(route, SHADOW, "9.0.0") == ()
    assert configuration.endpoints(route, SHADOW)[0].set_headers == (("x-stepdown-shadow", "s"),)
    assert configuration.endpoints(route, SHADOW) is configuration.endpoints(route, SHADOW)
