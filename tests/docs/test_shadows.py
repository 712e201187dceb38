"""docs/shadows.md: its example loads, and does what is said about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepdown.comparer.marking import AGENT
from stepdown.config.file.shadow import LONGEST_COPY
from stepdown.decide.copied import with_copies
from stepdown.decide.keys import BODY_BYTES
from stepdown.decide.shadow_spec import MARK, STRIPPED, Comparing, Shadow, Tolerance
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.telemetry.ring import DEFAULT_SIZE
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder
from tests.kit.request import request

PAGE = (ROOT / "docs/shadows.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
TOLD, WARNED = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
DEFAULTS = Shadow(name="n", version="2.0.0")
PATH = "/v2/models/churn/infer"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def route(folder: Folder) -> Route:
    loaded = folder.load(EXAMPLE)
    assert loaded.warnings == ()
    return compile_snapshot(loaded.spec).routes[0]


def test_the_example_is_the_shadow_that_is_described(folder: Folder) -> None:
    (shadow,) = route(folder).spec.shadows
    assert (shadow.name, shadow.version, shadow.percent, shadow.rate, shadow.noise) == ("next", "2.0.0", 20, 50, 10)
    assert shadow.compare == Comparing(ignore=("/id",), tolerances=(Tolerance("/score", 0.001),))
    assert shadow.salt == "shadow:churn/next"


def test_of_every_hundred_requests_of_the_example_twenty_are_copied(folder: Folder) -> None:
    mirror = route(folder).mirror
    assert mirror is not None
    samplers = mirror.samplers(1)
    for _ in range(3):
        chosen = [mirror.choose(request(PATH), "1.1.0", None, samplers) for _ in range(100)]
        assert sum(one.shadows == (0,) for one in chosen) == 20
    internal = request(PATH, x_plan="internal")
    assert all(mirror.choose(internal, "1.1.0", None, samplers).nothing for _ in range(100))


def test_the_sentence_of_an_explanation_is_the_examples(folder: Folder) -> None:
    one, asked = route(folder), request(PATH)
    explanation = one.explain(asked, (), None, "10.0.0.1", [True, True], lambda: 0)
    assert TOLD.strip() in with_copies(explanation, one, asked, None, "10.0.0.1", None).sentences()


def test_the_warning_is_what_a_check_says_of_a_version_without_a_way(folder: Folder) -> None:
    further = '      "3.0.0": {schema: contracts/3.0.0.json, endpoints: [http://churn-v3:8080]}\n'
    folder.write("contracts/3.0.0.json", '{"type": "object", "required": ["third"]}')
    text = EXAMPLE.replace('      "2.0.0": {end', further + '      "2.0.0": {schema: contracts/2.0.0.json, end')
    assert WARNED.strip() in folder.warnings(text.replace('version: "2.0.0"', 'version: "3.0.0"'))


def test_the_bounds_and_names_are_the_codes() -> None:
    assert MARK.encode().title().decode() in PAGE
    assert f"`{AGENT}`" in PAGE
    assert [name.lower() for name in re.findall(r"`([A-Z][A-Za-z-]+)`", PAGE.split("**No credentials**")[1])[:4]] == [
        *STRIPPED
    ]
    assert (DEFAULTS.max_body, LONGEST_COPY) == (2**20, 2 * 2**20)
    assert (DEFAULTS.concurrent, DEFAULTS.deadline, DEFAULT_SIZE) == (64, 10.0, 4 * 2**20)
    assert (DEFAULTS.per, BODY_BYTES) == ("request", 64 * 1024)
