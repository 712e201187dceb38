"""`stepdown explain`: a request on the command line, its explanation, and exit codes fit for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from stepdown.cli.explain import explain
from tests.kit.configuration import CHURN

ROUTES = """\
listen: 127.0.0.1:0
routes:
  churn:
    match: {path: /v2/models/churn/infer, methods: [POST]}
    model: churn
    key: [{json: /user}]
    split: {"1.1.0": 0, "2.0.0": 100}
  by-version:
    match: {path: "/v2/models/churn/versions/{version}/infer"}
    model: churn
    split: {"2.0.0": 100}
"""
FILE = CHURN + ROUTES
APP = typer.Typer()
APP.command()(explain)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stepdown.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(APP, [str(file), *arguments])


PATH = ("--path", "/v2/models/churn/infer")


def test_a_decision_is_told_line_by_line(file: Path) -> None:
    result = run(file, *PATH)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Route churn of model churn matches:")
    assert "Served by 2.0.0, because it is the assigned version." in lines
    assert any(line.startswith("The answer is stepped down: 2.0.0 -> 1.1.0 (adapter at ") for line in lines)


def test_json_is_for_machines(file: Path) -> None:
    told = json.loads(run(file, *PATH, "--json", "-H", "X-Model-Version: 2").stdout)
    assert (told["pinned"], told["pin_source"], told["served"], told["chain"]) == ("2.0.0", "header", "2.0.0", [])


def test_the_body_is_read_from_the_command_line_or_a_file(file: Path, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"user": "7"}')
    for data in ('{"user": "7"}', f"@{body}"):
        told = json.loads(run(file, *PATH, "--json", "--data", data).stdout)
        assert (told["key_source"], told["key"]) == ("json:/user", "7")


def test_versions_may_be_taken_as_down(file: Path) -> None:
    told = json.loads(run(file, *PATH, "--json", "--down", "churn/2.0.0").stdout)
    assert (told["assigned"], told["served"], told["reason"]) == ("2.0.0", "1.1.0", "unhealthy")


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        ("2026-12-01T09:00", "christmas"),
        ("2026-12-01T08:59:59", "always"),
        ("2026-12-01T09:30+01:00", "always"),
        ("2026-12-01T10:30+01:00", "christmas"),
        ("2026-12-24", "always"),
    ],
)
def test_a_window_of_time_can_be_looked_into(file: Path, at: str, rule: str) -> None:
    window = 'when: {time: {from: 2026-12-01T09:00:00, until: 2026-12-24}}, split: {"1.1.0": 1}'
    rules = f'rules: [{{name: christmas, {window}}}, {{name: always, split: {{"2.0.0": 1}}}}]'
    file.write_text(FILE.replace('split: {"1.1.0": 0, "2.0.0": 100}', rules))
    assert json.loads(run(file, *PATH, "--at", at, "--json").stdout)["rule"] == rule


def test_a_request_that_would_be_refused_exits_with_1(file: Path) -> None:
    result = run(file, *PATH, "--down", "churn/2.0.0", "--down", "churn/1.1.0")
    assert result.exit_code == 1
    assert "Refused with 503 (no-ready-version)" in result.stdout
    assert run(file, "--path", "/v2/models/churn/versions/9/infer").exit_code == 1


def test_a_request_that_no_route_matches_exits_with_1(file: Path) -> None:
    result = run(file, "--path", "/elsewhere", "-X", "GET")
    assert result.exit_code == 1
    assert result.stdout == "No route matches GET /elsewhere: it is answered with 404.\n"
    assert run(file, "--path", "/elsewhere", "--json").stdout == "null\n"
    file.write_text(FILE + 'passthrough_to: ["http://127.0.0.1:18081"]\n')
    assert "it goes through to http://127.0.0.1:18081" in run(file, "--path", "/elsewhere").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--path", "/v2/models/churn/versions/a%2fb/infer"), "refused with 400"),
        (("--path", "no path"), "refused with 400"),
        ((*PATH, "-H", "no field"), "refused with 400"),
        ((*PATH, "-H", "host: a", "-H", "host: b"), "refused with 400"),
        ((*PATH, "--down", "churn/9.9.9"), "--down churn/9.9.9: no such version; there are churn/1.1.0, churn/2.0.0"),
        ((*PATH, "--data", "@missing.json"), "missing.json: No such file or directory"),
        ((*PATH, "--client", "somewhere"), "--client somewhere: found no IP address such as 10.0.0.7"),
        ((*PATH, "--at", "noon"), "--at noon: found no time such as 2026-12-01T09:30"),
        (("--replay", "-", "--at", "2026-12-01"), "--at: goes together with --path"),
        (("--replay", "-", "-H", "a: b", "--source"), "--header, --source: goes together with --path; recorded"),
    ],
)
def test_what_cannot_be_read_exits_with_2(file: Path, arguments: tuple[str, ...], complaint: str) -> None:
    result = run(file, *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_a_refused_file_exits_with_2_and_its_findings(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("models: {}\nroutes: 7\n")
    result = run(file, *PATH)
    assert result.exit_code == 2
    assert "wrong.yaml:2:" in result.stderr


def test_the_code_of_the_chain_is_shown_when_asked_for(file: Path) -> None:
    told = run(file, *PATH, "--source", "-H", "X-Model-Version: 1.1.0").stdout
    code = told[told.index("def response(body, context):") :]
    assert "# response: 2.0.0 -> 1.1.0" in code
    assert "# [0]/remove" in code
    compile(code, "shown", "exec")


def test_other_ways_are_told_with_what_is_worse_about_them(file: Path) -> None:
    adapters = file.read_text().replace(
        '      "1.1.0": {',
        '      "1.0.0": {}\n      "1.1.0": {',
    )
    adapters = adapters.replace(
        "    adapters:\n",
        '    adapters:\n      - {from: "1.1.0", to: "1.0.0", response: [{remove: /a}]}\n'
        '      - {from: "2.0.0", to: "1.0.0", response: [{wrap: /a}]}\n',
    )
    file.write_text(adapters)
    told = run(file, *PATH, "-H", "X-Model-Version: 1.0.0").stdout
    assert "Why by these steps: 2.0.0 -> 1.1.0 -> 1.0.0 has 2 lossy steps instead of 0." in told


def test_an_answer_that_stays_has_no_code(file: Path) -> None:
    told = run(file, *PATH, "--source", "-H", "X-Model-Version: 2").stdout
    assert told.endswith("# Nothing is adapted: the answer has the shape already.\n")


def test_a_visitor_without_a_cookie_is_told_as_one_who_gets_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOKIE_SECRET", "a-secret-of-some-length")
    cookie = "{cookie: {name: sd_uid, set: true, secrets: {env: COOKIE_SECRET}, ttl: 30d}}"
    file.write_text(FILE.replace("{json: /user}", cookie))
    told = run(file, *PATH, "-H", "cookie: sd_uid=forged")
    assert told.exit_code == 0
    assert "No cookie:sd_uid that counts: the answer sets one." in told.stdout.splitlines()
    seen = json.loads(run(file, *PATH, "--json").stdout)
    assert (seen["key_source"], seen["cookie"], len(seen["key"])) == ("cookie:sd_uid", "new", 22)
    assert seen["salt"] == "churn/default"


def test_requests_in_turn_are_told_as_such(file: Path) -> None:
    rule = 'rules: [{name: all, split: {"1.1.0": 50, "2.0.0": 50}, smooth: true}]'
    file.write_text(FILE.replace('split: {"1.1.0": 0, "2.0.0": 100}', rule))
    told = run(file, *PATH).stdout
    assert "Requests without a key are given out in turn, and it is the turn of " in told
    assert "would not count as evidence" in told


def test_shadows_and_the_recording_say_who_gets_a_copy(file: Path) -> None:
    copying = """    shadow:
      - {version: "1.1.0", name: old, percent: 20}
      - {version: "2.0.0"}
    record: {folder: ., when: {header: {x-plan: beta}}}
"""
    file.write_text(FILE.replace("  by-version:", f"{copying}  by-version:"))
    result = run(file, *PATH)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-4:-1] == [
        "Shadow old (1.1.0) may get a copy: it takes 20 % of such requests.",
        "Shadow 2.0.0 (2.0.0) does not get a copy: 2.0.0 serves the request itself.",
        "The recording does not get a copy: it wants that header x-plan is 'beta'.",
    ]
    told = json.loads(run(file, *PATH, "--json", "-H", "x-plan: beta").stdout)
    assert [(one["name"], one["share"]) for one in told["shadows"]] == [("old", 0.2), ("2.0.0", 0.0)]
    assert told["recorded"] == {"share": 0.01, "why": "it takes 1 % of such requests"}


@pytest.fixture
def rolling(tmp_path: Path) -> Path:
    path = tmp_path / "stepdown.yaml"
    rollout = "    rules: [{name: everyone, rollout: churn-2}]\n"
    steps = "steps: [{segment: beta, weight: 50}, 5, 100]"
    path.write_text(
        FILE.replace('    split: {"1.1.0": 0, "2.0.0": 100}\n', rollout)
        + f'rollouts: {{churn-2: {{stable: "1.1.0", candidate: "2.0.0", {steps}}}}}\n'
        + "segments: {beta: {header: {x-plan: beta}}}\n"
    )
    return path


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("", "and until it is started, stable 1.1.0 has everything."),
        ("1", "which is at step 1 of 3, for the segment beta only: stable 1.1.0 has everything here."),
        ("2", "which is at step 2 of 3 and gives 2.0.0 to 5 % of everybody: stable 1.1.0 has the rest."),
        ("promoted", "which promoted 2.0.0: it has everything, and 1.1.0 takes over where it is down."),
        ("taken-back", "which took 2.0.0 back at step 3 of 3: stable 1.1.0 has everything."),
    ],
)
def test_where_a_rollout_stands_can_be_supposed(where: str, told: str, rolling: Path) -> None:
    result = run(rolling, *PATH, *(("--rollout", f"churn-2={where}") if where else ()))
    assert result.exit_code == 0, result.stderr
    assert f"Rule everyone holds (always); its split is owned by the rollout churn-2, {told}" in result.stdout


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("churn-2", "found no NAME=STEP"),
        ("churn-3=1", 'there are the rollouts "churn-2"; did you mean "churn-2"?'),
        ("churn-2=0", "found no step from 1 to 3, nor promoted or taken-back"),
        ("churn-2=4", "found no step from 1 to 3, nor promoted or taken-back"),
        ("churn-2=\u00b2", "found no step from 1 to 3, nor promoted or taken-back"),
    ],
)
def test_where_no_rollout_can_stand_is_told(where: str, found: str, rolling: Path) -> None:
    result = run(rolling, *PATH, "--rollout", where)
    assert result.exit_code == 2
    assert result.stderr == f"--rollout {where}: {found}\n"
