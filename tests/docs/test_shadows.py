"""docs/shadows.md: its example loads, and does what is said about it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import msgspec
import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.cli.shadow_gate import Limits, decide, show
from stepdown.cli.shadow_limits import EXIT_UNUSABLE
from stepdown.cli.shadow_output import EXITS
from stepdown.comparer.breaker import AFTER, FIRST, LONGEST
from stepdown.comparer.judging import EACH, LONG
from stepdown.comparer.marking import AGENT
from stepdown.comparison.verdict import FAILED
from stepdown.config.file.shadow import LONGEST_COPY
from stepdown.control import admin
from stepdown.control.reports import Reports
from stepdown.decide.copied import with_copies
from stepdown.decide.keys import BODY_BYTES
from stepdown.decide.shadow_spec import MARK, REPORTED, STRIPPED, Comparing, Shadow, Tolerance, TopK, Unordered
from stepdown.decide.snapshot import Route, compile_snapshot
from stepdown.plane.handoff import SILENCE
from stepdown.process.settings import BOARD_BYTES
from stepdown.telemetry.families import FAMILIES
from stepdown.telemetry.grants import REASONS, SHADOWS
from stepdown.telemetry.ring import DEFAULT_SIZE
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder
from tests.kit.controller_state import SetState, a_token, served
from tests.kit.reports import boarded, counted, post, whole, with_shadows
from tests.kit.request import request

PAGE = (ROOT / "docs/shadows.md").read_text(encoding="utf-8")
EXAMPLE, RULES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = dict(re.findall(r"^```console\n\$ (stepdown shadow [^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
TOLD, WARNED, UNDECIDED = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
DEFAULTS = Shadow(name="n", version="2.0.0")
BEGUN = 1_699_999_200.0
"""Unix seconds: when the first request of the page's report came."""
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
    assert not any(mirror.choose(internal, "1.1.0", None, samplers).shadows for _ in range(100))


def test_the_sentence_of_an_explanation_is_the_examples(folder: Folder) -> None:
    one, asked = route(folder), request(PATH)
    explanation = one.explain(asked, (), None, "10.0.0.1", [True, True], lambda: 0)
    assert TOLD.strip() in with_copies(explanation, one, asked, None, "10.0.0.1", None).sentences()


def test_the_rules_are_those_that_a_file_may_have(folder: Folder) -> None:
    before, _, _ = EXAMPLE.partition("        compare:\n")
    loaded = folder.load(before + indent(RULES, "        "))
    assert loaded.warnings == ()
    ((shadow,),) = [one.shadows for one in loaded.spec.routes]
    assert all(getattr(shadow.compare, rules) for rules in Comparing.__struct_fields__)
    assert shadow.compare.unordered == (Unordered("/tags"), Unordered("/rows", "id"))
    assert shadow.compare.top == (TopK("/ranked", 10, "id", 0.8),)


def test_the_warning_is_what_a_check_says_of_a_version_without_a_way(folder: Folder) -> None:
    further = '      "3.0.0": {schema: contracts/3.0.0.json, endpoints: [http://churn-v3:8080]}\n'
    folder.write("contracts/3.0.0.json", '{"type": "object", "required": ["third"]}')
    text = EXAMPLE.replace('      "2.0.0": {end', further + '      "2.0.0": {schema: contracts/2.0.0.json, end')
    assert WARNED.strip() in folder.warnings(text.replace('version: "2.0.0"', 'version: "3.0.0"'))


def test_what_is_undecided_is_told_as_the_gate_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    seen = whole(counted(0, failed=20)) | {"skipped": {"broken": 31}}
    show(decide(seen, Limits(0.01, None, 1000)), as_json=False)
    assert capsys.readouterr().out.endswith(f"\n\n{UNDECIDED}")


def test_the_report_and_the_gates_decision_are_what_the_commands_print() -> None:
    report = counted(6000, 240, noise=45, failed=2, errors=1)
    with boarded(msgspec.structs.replace(post(report), begun=BEGUN)) as board:
        state = SetState(spec=with_shadows(), tokens=(a_token("ci", "view", "look-only"),))
        state.reports = Reports(board, lambda *_wish: None)
        with served(lambda: admin.application(state)) as server:
            environ = {"STEPDOWN_ADMIN_TOKEN": "look-only", "STEPDOWN_ADMIN": f"http://127.0.0.1:{server.port}"}
            done = {
                command: CliRunner().invoke(app, command.split()[1:], env=environ, catch_exceptions=False)
                for command in COMMANDS
            }
    assert {command: result.stdout for command, result in done.items()} == COMMANDS
    assert [result.exit_code for result in done.values()] == [0, 1]


def test_what_is_said_of_reports_and_the_gate_is_the_codes() -> None:
    assert f"The first {REPORTED} shadows" in PAGE
    assert BOARD_BYTES == 2 * 4 * 2**20
    assert (LONG, EACH) == (64 * 1024, 8)
    for reason in FAILED - {"adapter", "stream-failed"}:
        assert reason in PAGE.split("**A verdict**")[1]
    for call in ("GET /v1/shadows", "GET /v1/shadows/ROUTE/SHADOW", "POST /v1/shadows/ROUTE/SHADOW/reset"):
        assert f"| `{call}` |" in PAGE
        assert f"| `{call}` |" in (admin.__doc__ or "")
    assert {0, 1, 2, EXIT_UNUSABLE} == {*EXITS.values(), 3}
    for name in ("difference_ratio", "noise_ratio", "evidence"):
        assert f"`stepdown_shadow_{name}`" in PAGE
        assert f"stepdown_shadow_{name}" in FAMILIES


def test_the_bounds_and_names_are_the_codes() -> None:
    assert MARK.encode().title().decode() in PAGE
    assert f"`{AGENT}`" in PAGE
    assert [name.lower() for name in re.findall(r"`([A-Z][A-Za-z-]+)`", PAGE.split("**No credentials**")[1])[:4]] == [
        *STRIPPED
    ]
    assert (DEFAULTS.max_body, LONGEST_COPY) == (2**20, 2 * 2**20)
    assert (DEFAULTS.concurrent, DEFAULTS.deadline, DEFAULT_SIZE) == (64, 10.0, 4 * 2**20)
    assert (DEFAULTS.per, BODY_BYTES) == ("request", 64 * 1024)
    assert f"| {AFTER} copies in a row without an answer | not copied for a while: `broken` |" in PAGE
    assert (FIRST, LONGEST, SILENCE) == (1.0, 30.0, 2.0)
    assert f"The first {SHADOWS} shadows of a file are told of" in " ".join(PAGE.split())
    explained = FAMILIES["stepdown_shadow_skipped_total"].help
    assert all(f"`{reason}`" in PAGE or f"{reason} (" in explained for reason in REASONS)
