from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from tests.kit.configuration import GOOD, Folder, changed


def check(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_a_good_file_exits_with_0_and_shows_who_can_be_served_what(folder: Folder) -> None:
    folder.write("stepdown.yaml", GOOD)
    result = check(folder.file)
    assert result.exit_code == 0
    assert (
        result.output
        == f"""
routes
  route  match                        model  rule      when         split
  churn  POST /v2/models/churn/infer  churn  beta      x-plan=beta  2.0.0 100 %
  churn  POST /v2/models/churn/infer  churn  everyone  everyone     1.1.0 95 %, 2.0.0 5 %

model churn
  shape                             endpoints  from 1.1.0  from 2.0.0
  2.0.0                             1          -           native
  1.1.0 (default, latest, clients)  1          native      adapted
  1.0.0 (deprecated)                -          projected   adapted via 1.1.0
{folder.file}: good
"""
    )


def test_parts_of_a_condition_that_are_sentences_are_told_apart(folder: Folder) -> None:
    when = '{methods: [POST], header: {x-a: {prefix: in-}, x-b: {suffix: -out}}, query: {q: "1"}}'
    folder.write("stepdown.yaml", changed(("{header: {x-plan: beta}}", when)))
    (line,) = (line for line in check(folder.file).output.splitlines() if " beta " in line)
    assert "POST x-a=in-... (header x-b ends with '-out') (query parameter q is '1')" in line


def test_a_refused_file_exits_with_2_and_shows_every_finding(folder: Folder) -> None:
    folder.write("stepdown.yaml", changed(("repeatable: true", "repeatable: on"), ('"1.1.0": 95', '"1.1.0": -1')))
    result = check(folder.file)
    assert result.exit_code == 2
    assert result.output == (
        f'{folder.file}:5:17: models.churn.repeatable: found "on"; allowed true or false\n'
        f'{folder.file}:28:43: routes.churn.rules[1].split."1.1.0": found the number -1; allowed a number from 0 on\n'
        f"{folder.file}: refused, 2 errors\n"
    )


def test_warnings_exit_with_1_only_when_they_must(folder: Folder) -> None:
    folder.write("stepdown.yaml", GOOD + "include: more/*.yaml\n")
    assert check(folder.file, "--quiet").exit_code == 0
    strict = check(folder.file, "--quiet", "--strict")
    assert strict.exit_code == 1
    assert strict.output == (
        f'{folder.file}:29:10: warning: include: no file matches "more/*.yaml"\n{folder.file}: good, 1 warning\n'
    )


def test_machines_get_findings_and_summary_as_json(folder: Folder) -> None:
    folder.write("stepdown.yaml", GOOD)
    report = json.loads(check(folder.file, "--json").output)
    assert report["ok"] is True
    assert report["findings"] == []
    assert report["models"]["churn"]["shapes"] == {
        "1.0.0": ["1.1.0", "2.0.0"],
        "1.1.0": ["1.1.0", "2.0.0"],
        "2.0.0": ["2.0.0"],
    }
    assert report["routes"]["churn"]["rules"]["everyone"] == {"1.1.0": 95, "2.0.0": 5}
    folder.write("stepdown.yaml", changed(("repeatable", "repeatabel")))
    report = json.loads(check(folder.file, "--json").output)
    assert report["ok"] is False
    assert [(finding["line"], finding["column"], finding["nearest"]) for finding in report["findings"]] == [
        (5, 5, "repeatable")
    ]


def test_a_file_that_does_not_exist_is_a_finding_like_any_other(folder: Folder) -> None:
    result = check(folder.file)
    assert result.exit_code == 2
    assert result.output.startswith(f"{folder.file}:1:1: the file does not exist\n")


def in_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run the command with a terminal for its output."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    process = subprocess.Popen([sys.executable, "-m", "stepdown", *arguments], stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.mark.slow
def test_in_a_terminal_there_is_colour(folder: Folder) -> None:
    folder.write("stepdown.yaml", changed(("repeatable: true", "repeatable: on")))
    code, shown = in_a_terminal("check", str(folder.file))
    assert code == 2
    assert "\x1b[1;31merror" in shown
    assert 'found "on"; allowed true or false' in shown
    folder.write("stepdown.yaml", changed(("/v2/models/churn/infer", "'/v2/[red]/infer'")))
    code, shown = in_a_terminal("check", str(folder.file))
    assert code == 0
    assert "adapted via 1.1.0" in shown
    assert "/v2/[red]/infer" in shown


def test_help_teaches_by_example() -> None:
    shown = CliRunner().invoke(app, ["check", "--help"]).output
    assert "stepdown check stepdown.yaml --strict --json" in shown
    assert "stepdown check stepdown.yaml" in CliRunner().invoke(app, []).output
    assert CliRunner().invoke(app, ["--version"]).output.startswith("stepdown ")


def test_segments_are_shown_with_who_uses_them(folder: Folder) -> None:
    segments = "segments:\n  beta: {header: {x-plan: beta}}\n  some: {any: [{segment: beta}, {percent: 5%}]}\n"
    folder.write("stepdown.yaml", changed(("{header: {x-plan: beta}}", "{segment: some}")) + segments)
    shown = check(folder.file).output
    assert "  beta     header x-plan is 'beta'" in shown
    assert "segment some" in shown
    assert "churn/beta" in shown
    report = json.loads(check(folder.file, "--json").output)["segments"]
    assert {name: one["used_by"] for name, one in report.items()} == {"beta": ["segment some"], "some": ["churn/beta"]}
    assert report["beta"]["who"] == "header x-plan is 'beta'"


def test_flags_are_shown_with_what_they_read_and_who_asks_them(folder: Folder) -> None:
    churn = {"state": "ENABLED", "variants": {"old": 1, "new": 2}, "defaultVariant": "old"}
    targeting = {"if": [{"==": [{"var": "email"}, {"var": "header.x-a"}]}, "new", {"fractional": [["new", 1]]}]}
    flags = {"churn": churn | {"targeting": targeting}, "beta": churn, "unasked": churn}
    folder.write("flags.json", json.dumps({"flags": flags}))
    text = changed(
        ("listen:", "flags: {file: flags.json, context: {email: {header: x-email}}}\nlisten:"),
        ("when: {header: {x-plan: beta}}", "when: {flag: {beta: new}}"),
        (
            'name: everyone, split: {"1.1.0": 95, "2.0.0": 5}',
            'name: everyone, flag: {name: churn, versions: {old: "1.1.0", new: "2.0.0"}, default: "1.1.0"}',
        ),
    )
    folder.write("stepdown.yaml", text)
    output = check(folder.file).output
    assert (
        """
flags
  flag     variants  reads                                             asked by
  beta     old, new  nothing                                           churn/beta
  churn    old, new  targetingKey, email (header x-email), header.x-a  churn/everyone
  1 other                                                              -
"""
        in output
    )
    assert "everyone  everyone              flag churn: old 1.1.0, new 2.0.0, else 1.1.0\n" in output
    report = json.loads(check(folder.file, "--json").output)
    assert report["flags"]["unasked"] == {"variants": ["old", "new"], "reads": [], "asked_by": []}
    assert report["flags"]["churn"]["asked_by"] == ["churn/everyone"]
    assert report["routes"]["churn"]["flags"] == {
        "everyone": {"flag": "churn", "versions": {"old": "1.1.0", "new": "2.0.0"}, "default": "1.1.0"}
    }


def test_what_is_copied_is_shown_with_for_whom(folder: Folder) -> None:
    copying = """    shadow:
      - {version: "2.0.0", percent: 12.5, per: key, when: {segment: beta}}
    record: {folder: ., when: {segment: beta}}
segments: {beta: {header: {x-plan: beta}}}
"""
    folder.write("stepdown.yaml", changed() + copying)
    shown = check(folder.file).output
    assert re.search(r"churn +2\.0\.0 +2\.0\.0 +12\.5 % of keys +the request is in segment beta", shown)
    assert re.search(r"churn +recording +/\S+ +1 % of requests +the request is in segment beta", shown)
    report = json.loads(check(folder.file, "--json").output)
    assert report["segments"]["beta"]["used_by"] == ["shadow churn/2.0.0", "recording churn"]
    route = report["routes"]["churn"]
    who = "the request is in segment beta"
    assert route["shadows"] == {"2.0.0": {"version": "2.0.0", "percent": 12.5, "per": "key", "who": who}}
    assert route["record"] == {"folder": str(folder.path), "sample": 0.01, "who": who}
