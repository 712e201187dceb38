"""`stepdown diff`: two references on the command line, what changed, and exit codes fit for CI."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from stepdown.cli.app import app
from stepdown_adapters.operations import parse
from tests.kit.terminal import in_terminal

SCORE = {"type": "number", "minimum": 0, "maximum": 1, "x-semantic": {"kind": "probability"}}
OLD = {
    "type": "object",
    "required": ["score"],
    "properties": {"score": SCORE, "label": {"type": "string"}},
    "additionalProperties": False,
}
NEW = {
    **OLD,
    "properties": {
        "score": {"type": "number", "x-semantic": {"kind": "logit"}},
        "label": {"type": "string", "description": "In English."},
        "explanation": {"type": "array"},
    },
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(name: str, schema: Any) -> Path:
        path = tmp_path / name
        path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
        return path

    return written


@pytest.fixture
def pair(write: Any) -> tuple[Path, Path]:
    return write("old.json", OLD), write("new.json", NEW)


def test_every_change_is_told_with_its_repair_and_the_verdict_comes_last(pair: tuple[Path, Path]) -> None:
    result = run(*pair)
    assert result.exit_code == 1
    assert (
        result.output
        == """\
MAJOR  /score: x-semantic.kind was probability and is logit: the same text means another thing  [semantic-changed]
       - sigmoid: /score
MAJOR  /score: minimum was 0 and is none  [bound-loosened]
       - sigmoid: /score
MAJOR  /score: maximum was 1 and is none  [bound-loosened]
       - sigmoid: /score
MAJOR  /explanation: was added, and the older contract allows no other members  [prop-added/closed-old]
       - remove: /explanation
PATCH  /label: description was none and is "In English."  [annotation-changed]

The repairs together, in an order in which they work, for answers of the newer version:
# /explanation: was added, and the older contract allows no other members
- remove: /explanation
# /score: x-semantic.kind was probability and is logit: the same text means another thing
# /score: minimum was 0 and is none
# /score: maximum was 1 and is none
- sigmoid: /score

for example {"score": -1} is valid now and was not: at /score: -1 breaks minimum 0
MAJOR: 4 breaking of 5 changes; 4 repairable
"""
    )


def test_the_repairs_can_be_pasted(pair: tuple[Path, Path]) -> None:
    pasted = run(*pair).output.partition("newer version:\n")[2].partition("\n\n")[0]
    operations = yaml.safe_load(pasted)
    assert operations == [{"remove": "/explanation"}, {"sigmoid": "/score"}]
    assert parse(operations)


def test_what_was_a_good_request_and_is_none_any_more_is_shown(pair: tuple[Path, Path]) -> None:
    older, newer = pair
    lines = run(newer, older, "--direction", "request").output.splitlines()
    assert lines[-2] == 'for example {"score": -1} was valid and is not now: at /score: -1 breaks minimum 0'


def test_what_is_not_decided_is_said_with_the_reason_and_not_called_a_counterexample(write: Any) -> None:
    old, new = (
        write(f"{name}.json", {"properties": {"a": {"pattern": text}}, "unevaluatedProperties": False})
        for name, text in (("old", "(?=x)y"), ("new", "(?=x)z"))
    )
    *_, told, verdict = run(old, new).output.splitlines()
    assert told.startswith("whether anything is valid now that was not is undecided: ")
    assert verdict.startswith("MAJOR: ")
    found = json.loads(run(old, new, "--json").output)
    assert (found["inclusion"], found["counterexample"]) == ("undecided", None)
    assert told.endswith(found["undecided"])


def test_machines_get_the_counterexample_as_a_document(write: Any) -> None:
    old, new = write("old.json", {"type": ["object", "string"]}), write("new.json", {"type": ["object", "null"]})
    found = json.loads(run(old, new, "--json").output)
    assert (found["inclusion"], found["undecided"]) == ("excluded", None)
    assert found["counterexample"] == {
        "document": None,
        "breaks": 'at the top: null breaks type ["object", "string"]',
    }
    same = json.loads(run(old, old, "--json").output)
    assert (same["inclusion"], same["counterexample"], same["undecided"]) == ("included", None, None)


def test_equal_contracts_exit_with_0(pair: tuple[Path, Path]) -> None:
    result = run(pair[0], pair[0])
    assert (result.exit_code, result.output) == (0, "NONE: nothing changed\n")


@pytest.mark.parametrize(
    ("newer", "fail_on", "code"),
    [
        (NEW, "major", 1),
        (NEW, "never", 0),
        ({**OLD, "minProperties": 1}, "major", 0),
        ({**OLD, "minProperties": 1}, "minor", 1),
        ({**OLD, "title": "t"}, "minor", 0),
        ({**OLD, "title": "t"}, "patch", 1),
        (OLD, "patch", 0),
    ],
    ids=["major", "major never", "minor", "minor minor", "patch minor", "patch patch", "none"],
)
def test_fail_on_says_from_which_bump_on_it_fails(write: Any, newer: Any, fail_on: str, code: int) -> None:
    assert run(write("old.json", OLD), write("new.json", newer), "--fail-on", fail_on).exit_code == code


def test_a_version_that_is_too_low_fails_and_the_right_one_is_named(pair: tuple[Path, Path]) -> None:
    versions = ("--old-version", "1.1.0", "--fail-on", "never", "--new-version")
    result = run(*pair, *versions, "1.2.0")
    assert result.exit_code == 1
    assert result.output.endswith("1.1.0 to 1.2.0 is MINOR, and the changes are MAJOR: 2.0.0 would be enough\n")
    assert run(*pair, *versions, "2.0.0").exit_code == 0
    assert run(*pair, "--old-version", "0.1.0", "--fail-on", "never", "--new-version", "0.2.0").exit_code == 0


def test_policies_change_the_verdict(write: Any) -> None:
    old, new = write("old.json", {**OLD, "properties": {"score": SCORE}}), write("new.json", OLD)
    assert run(old, new).exit_code == 1
    assert run(old, new, "--client", "tolerant").exit_code == 0
    assert run(old, new, "--direction", "request").exit_code == 0
    enums = write("a.json", {"enum": ["a"]}), write("b.json", {"enum": ["a", "b"]})
    assert run(*enums).exit_code == 1
    assert run(*enums, "--enums", "extensible").exit_code == 0
    formats = write("c.json", {"format": "date"}), write("d.json", {})
    assert run(*formats).exit_code == 0
    assert run(*formats, "--formats", "asserted").exit_code == 1


def test_json_is_for_machines(pair: tuple[Path, Path]) -> None:
    told = json.loads(run(*pair, "--json").stdout)
    assert (told["bump"], told["compatible"], len(told["changes"])) == ("major", False, 5)
    assert told["policy"]["direction"] == "response"
    assert told["changes"][0]["repair"] == {"sigmoid": "/score"}
    assert told["version"] is None


def test_json_stays_json_when_a_version_is_too_low(pair: tuple[Path, Path]) -> None:
    result = run(*pair, "--json", "--old-version", "1.0.0", "--new-version", "1.0.1")
    assert json.loads(result.stdout)["version"] == result.stderr.strip()


def test_markdown_is_for_changelogs(pair: tuple[Path, Path]) -> None:
    page = run(*pair, "--markdown", "--old-version", "1.1.0", "--new-version", "2.0.0").stdout
    assert page.startswith(
        "## 1.1.0 to 2.0.0\n\n**MAJOR: 4 breaking of 5 changes; 4 repairable**\n\n### Breaking (MAJOR)"
    )
    assert "### Without effect (PATCH)" in page


def test_lint_warns_of_the_newer_contract(write: Any) -> None:
    file = write("a.json", {"type": "object", "properties": {"score": {"type": "number"}}})
    output = run(file, file).output
    assert "warning: /score: is a score without minimum and maximum" in output
    assert output.endswith("\n\nNONE: nothing changed\n")


def test_references_are_of_every_kind(write: Any, tmp_path: Path) -> None:
    openapi = """
openapi: 3.1.0
info: {title: churn, version: "1"}
paths:
  /predict:
    post:
      operationId: predict
      responses:
        "200":
          description: fine
          content: {application/json: {schema: {type: object, properties: {score: {type: number}}}}}
"""
    api = write("api.yaml", openapi)
    newer = write("new.yaml", openapi.replace("number", "string").replace('"200"', '"201"'))
    result = run(f"{api}::predict", f"{newer}::predict")
    assert result.exit_code == 1
    assert "/score: was number and is string  [type-changed]" in result.output
    assert "200: 200 is never answered  [status/success-removed]" in result.output


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ('{"type": "nonsense"}', "/type"),
        ('{"$ref": "#/$defs/none"}', "$ref"),
        ('{"$ref": "https://example.org/x.json"}', "remote"),
        ("[]", "a schema is"),
        ('{"a": 1, "a": 2}', "twice"),
    ],
    ids=["cut", "type", "dangling", "remote", "array", "duplicate"],
)
def test_what_cannot_be_read_exits_with_2_and_says_where(write: Any, content: str, complaint: str) -> None:
    bad, good = write("bad.json", content), write("good.json", OLD)
    for arguments in ((bad, good), (good, bad)):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "bad.json" in result.stderr
        assert complaint in result.stderr


def test_mistakes_of_both_contracts_are_told_at_once(write: Any) -> None:
    result = run(write("one.json", "{"), write("two.json", "{"))
    assert result.exit_code == 2
    assert "one.json" in result.stderr
    assert "two.json" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--json", "--markdown"), "choose one"),
        (("--old-version", "1.0.0"), "go together"),
        (("--old-version", "1.0", "--new-version", "2.0.0"), "is no version"),
        (("--direction", "sideways"), "sideways"),
    ],
    ids=["two forms", "one version", "no version", "no direction"],
)
def test_options_that_make_no_sense_exit_with_2(pair: tuple[Path, Path], arguments: Any, complaint: str) -> None:
    result = run(*pair, *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_help_teaches_with_examples_and_documents_exit_codes() -> None:
    text = run("--help").output
    for part in ("stepdown diff api-v1.yaml::predict", "Exits with", "FILE.proto::package.Message"):
        assert part in text


def test_a_terminal_gets_a_table_with_colours(pair: tuple[Path, Path]) -> None:
    code, text = in_terminal("diff", *map(str, pair), columns=120)
    assert code == 1
    assert "what changed" in text
    assert "\x1b[1;31mMAJOR" in text
    assert "- sigmoid: /score" in text


def test_other_commands_do_not_pay_for_the_diff() -> None:
    code = "import stepdown.cli.app, sys; print('stepdown_adapters.diff.walk' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "False\n"
