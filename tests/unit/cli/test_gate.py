"""`stepdown gate` as a command: options, forms of output, exit codes; what it judges is tested with the gate."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from tests.kit.configuration import REPAIRED, Folder
from tests.kit.terminal import in_terminal

ADAPTERS = REPAIRED[REPAIRED.index("    adapters:") : REPAIRED.index("    clients:")]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["gate", *map(str, arguments)])


class Pair(Folder):
    """The worked example with a lock and a tolerant policy, and what is published in a folder beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path / "head")
        self.write("stepdown.yaml", REPAIRED)
        self.write("stepdown-policy.yaml", "diff: {client: tolerant}\n")
        assert run(self.file, "--write-lock", "--today", "2026-06-01").exit_code == 0
        self.base = path / "base"
        shutil.copytree(self.path, self.base)

    def judge(self, *arguments: object) -> Result:
        return run(self.file, "--base", self.base, "--today", "2026-12-01", *arguments)

    def break_it(self) -> None:
        self.write("stepdown.yaml", REPAIRED.replace(ADAPTERS, ""))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_the_help_teaches_by_examples_and_names_the_exit_codes() -> None:
    text = run("--help").output
    assert "stepdown gate --base origin/main" in text
    assert "--write-lock" in text
    for line in ("0  the change may be published", "1  it may not", "2  the file, the base, the lock or the policy"):
        assert line in text


def test_a_good_change_passes_with_a_table_of_versions(pair: Pair) -> None:
    result = pair.judge()
    assert result.exit_code == 0, result.output
    assert result.output == (
        "\nmodel churn\n"
        f"  version  declared          needed  changes  older shapes{' ' * 48}verdict\n"
        "  2.0.0    MAJOR from 1.1.0  MAJOR   3        1.0.0: adapted via 1.1.0 (PROVED), 1.1.0: adapted (PROVED)  ok\n"
        "  1.1.0    MINOR from 1.0.0  MINOR   1        1.0.0: projected (PROVED)                                   ok\n"
        "  1.0.0    first                              -                                                           ok\n"
        f"\npassed: 3 versions (0 new), 0 failures, compared with {pair.base}\n"
    )


def test_a_failure_names_place_rule_sentence_and_fix(pair: Pair) -> None:
    pair.break_it()
    result = pair.judge()
    assert result.exit_code == 1
    line = REPAIRED[: REPAIRED.index('"2.0.0":')].count("\n") + 1
    place = f"{pair.file}:{line}:7"
    assert f"\n{place}: error: [breaking-unadapted] churn 2.0.0: 2.0.0 breaks clients of 1.1.0 (" in result.output
    assert "\n    fix: declare an adapter from 2.0.0 to 1.1.0 in models.churn.adapters" in result.output
    assert result.output.splitlines()[-1].startswith("failed: 3 versions (0 new), ")


def test_warnings_fail_only_when_strict(pair: Pair) -> None:
    (pair.path / "stepdown.lock").unlink()
    (pair.base / "stepdown.lock").unlink()
    assert pair.judge().exit_code == 0
    assert "warning: [lock-behind]" in pair.judge().output
    assert pair.judge("--strict").exit_code == 1


def test_json_follows_the_schema_that_the_command_prints(pair: Pair) -> None:
    pair.break_it()
    validator = jsonschema_rs.validator_for(json.loads(run("--report-schema").stdout))
    result = pair.judge("--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [str(error) for error in validator.iter_errors(report)] == []
    assert (report["format"], report["passes"], report["today"]) == (1, False, "2026-12-01")


def test_the_schema_of_the_policy_is_printed() -> None:
    schema = json.loads(run("--policy-schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"support", "notice", "approvals", "waivers"} <= schema["properties"].keys()


@pytest.mark.parametrize(
    ("option", "begins"), [("--json", "{"), ("--sarif", "{"), ("--markdown", "### Stepdown gate: passed")]
)
def test_a_report_goes_to_a_file_and_the_text_to_the_terminal(pair: Pair, option: str, begins: str) -> None:
    output = pair.path / "report"
    result = pair.judge(option, "--output", output)
    assert "passed: 3 versions" in result.stdout
    assert output.read_text().startswith(begins)
    assert pair.judge(option).stdout == output.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--base is missing: a git revision such as origin/main, or a folder"),
        (["--base", "x", "--json", "--sarif"], "--json, --sarif and --markdown: choose one"),
        (["--base", "x", "--output", "y"], "--output goes with --json, --sarif or --markdown"),
        (["--base", "x", "--today", "soon"], "--today soon: allowed a day such as 2026-12-01"),
        (["--base", "x", "--reason", "y"], "--accept-edit, --reason and --by go with --write-lock"),
        (["--write-lock", "--reason", "y"], "--reason and --by go with --accept-edit"),
        (["--write-lock", "--accept-edit", "churn/1.0.0"], "--accept-edit needs --reason"),
        (["--write-lock", "--accept-edit", "churn/9.0.0", "--reason", "y"], "a version in file and lock: churn/1.0.0"),
        (["--write-lock", "--accept-edit", "churn", "--reason", "y"], "--accept-edit churn: allowed a version"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(pair: Pair, arguments: list[str], says: str) -> None:
    result = run(pair.file, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("stepdown.yaml", "models: [", "no YAML"),
        ("stepdown.yaml", REPAIRED.replace("sigmoid", "sigmoit"), "did you mean"),
        ("stepdown.yaml", REPAIRED.replace("contracts/1.0.0.json", "none.json"), "found no usable contract"),
        ("contracts/1.0.0.json", "{", "found no usable contract"),
        ("stepdown-policy.yaml", "notice: soon", "stepdown-policy.yaml:1:9: notice: found "),
        ("stepdown.lock", "{", "stepdown.lock:"),
    ],
)
def test_input_that_cannot_be_used_ends_with_2_in_every_form(pair: Pair, name: str, text: str, says: str) -> None:
    pair.write(name, text)
    result = pair.judge()
    assert result.exit_code == 2
    assert says in result.stdout
    as_json = pair.judge("--json")
    assert as_json.exit_code == 2
    report = json.loads(as_json.stdout)
    assert report["passes"] is False
    assert report["refused"][0]["line"] >= 1
    (invocation,) = json.loads(pair.judge("--sarif").stdout)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False


def test_a_policy_that_was_named_has_to_be_there_and_the_usual_one_need_not(pair: Pair) -> None:
    assert pair.judge("--policy", pair.path / "none.yaml").exit_code == 2
    (pair.path / "stepdown-policy.yaml").unlink()
    assert pair.judge().exit_code == 0


def test_secrets_and_servers_are_not_needed(pair: Pair) -> None:
    secret = "admin: {listen: 127.0.0.1:9901, tokens: [{name: a, role: view, token: {env: NOT_SET_HERE}}]}\n"
    pair.write("stepdown.yaml", secret + REPAIRED)
    assert pair.judge().exit_code == 0


def test_the_lock_says_what_it_added_and_leaves_the_rest(pair: Pair) -> None:
    lock = (pair.path / "stepdown.lock").read_text()
    assert run(pair.file, "--write-lock").stdout == f"{pair.path}/stepdown.lock: nothing new\n"
    assert (pair.path / "stepdown.lock").read_text() == lock
    (pair.path / "stepdown.lock").unlink()
    added = run(pair.file, "--write-lock", "--today", "2026-06-01").stdout.splitlines()
    assert added == [f"{pair.path}/stepdown.lock: added churn/{version}" for version in ("1.0.0", "1.1.0", "2.0.0")]
    assert (pair.path / "stepdown.lock").read_text() == lock


def test_only_who_the_policy_names_accepts_an_edit(pair: Pair) -> None:
    pair.write("contracts/1.1.0.json", '{"type": "object", "properties": {"score": {"type": "number"}, "x": {}}}')
    pair.write("stepdown-policy.yaml", "approvals: [{rule: contract-edited, by: bob}]\n")
    accept = ("--write-lock", "--accept-edit", "churn/1.1.0", "--reason", "never deployed")
    pair.write("stepdown.yaml", REPAIRED.replace(ADAPTERS, ""))
    refused = run(pair.file, *accept, "--by", "ann")
    assert (refused.exit_code, refused.stderr) == (1, "ann cannot accept edits: the policy names bob\n")
    done = run(pair.file, *accept, "--by", "bob")
    assert (done.exit_code, done.stdout) == (0, f"{pair.path}/stepdown.lock: changed churn/1.1.0\n")
    again = run(pair.file, *accept, "--by", "bob").stdout.splitlines()
    assert again[0].endswith("churn/1.1.0 is as it was, so there was no edit to accept")


def test_a_terminal_gets_colours(pair: Pair) -> None:
    pair.break_it()
    code, text = in_terminal("gate", str(pair.file), "--base", str(pair.base))
    assert code == 1
    assert "\x1b[1;31merror" in text
    assert "breaking-unadapted" in text


def test_other_commands_do_not_pay_for_the_gate() -> None:
    code = "import stepdown.cli.app, sys; print([name for name in sys.modules if 'stepdown.gate' in name])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"
