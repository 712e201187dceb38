"""One verdict in each form: JSON by its own schema, SARIF by the structure of 2.1.0, Markdown that stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown.config import Finding
from stepdown.config import Place as ConfigPlace
from stepdown.gate.facts import Facts, Place
from stepdown.gate.judging import Verdict, case_of, judge
from stepdown.gate.policy import Policy, Waiver
from stepdown.gate.report.machine import SCHEMA, as_json, refused_as_json
from stepdown.gate.report.markdown import as_markdown
from stepdown.gate.report.sarif import as_sarif, refused_as_sarif
from stepdown.gate.rules.table import BY_ID
from tests.kit.gate import LOGIT, TODAY, day, state, version

ROOT = Path.cwd()
REFUSED = [Finding(ConfigPlace("stepdown.yaml", 3, 5), "models", "found a list", "a mapping")]
MESSAGE: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "uri": {"type": "string", "format": "uri-reference"},
                        "uriBaseId": {"type": "string"},
                    },
                },
                "region": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                },
            },
        }
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": {**MESSAGE, "properties": {**MESSAGE["properties"], "markdown": {"type": "string"}}},
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "level", "message", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "items": LOCATION, "minItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": {"type": "string"},
                },
            },
        },
    },
}
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"rules": {"type": "array", "uniqueItems": True, "items": RULE}},
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "properties": {
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["message"],
                                        "properties": {"level": LEVEL},
                                    },
                                }
                            },
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""What of SARIF 2.1.0 (sections 3.13 to 3.58) concerns the reports here, and nothing beside it."""


def verdict(*waivers: Waiver, head: Facts | None = None) -> Verdict:
    head = head or state(version("1.0.0"), version("2.0.0", LOGIT, line=7))
    return judge(case_of(head, Facts(), Policy(waivers=waivers), TODAY))


WAIVER = Waiver("breaking-unadapted", "m", "2.0.0", "ann", "no clients yet", day("2027-01-01"), Place("p.yaml"))


@pytest.mark.parametrize("waivers", [(), (WAIVER,)], ids=["failing", "waived"])
def test_json_is_valid_by_the_schema_that_is_published(waivers: tuple[Waiver, ...]) -> None:
    report = as_json(verdict(*waivers), "main", base_has_file=True, root=ROOT)
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [str(error) for error in validator.iter_errors(json.loads(json.dumps(report)))] == []
    assert report["passes"] is bool(waivers)
    finding = report["findings"][0] if not waivers else next(one for one in report["findings"] if "waiver" in one)
    assert (finding["rule"], finding["file"], finding["line"]) == ("breaking-unadapted", "stepdown.yaml", 7)
    assert validator.is_valid(refused_as_json(REFUSED, "main", "2026-12-01"))


@pytest.mark.parametrize("waivers", [(), (WAIVER,)], ids=["failing", "waived"])
def test_sarif_has_the_structure_that_code_scanning_reads(waivers: tuple[Waiver, ...]) -> None:
    log = as_sarif(verdict(*waivers), "1.2.3", ROOT)
    assert [str(error) for error in jsonschema_rs.validator_for(SARIF).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(BY_ID)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    broken = next(result for result in run["results"] if result["ruleId"] == "breaking-unadapted")
    assert broken["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "stepdown.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7, "startColumn": 1},
    }
    assert ("suppressions" in broken) == bool(waivers)


def test_a_fingerprint_does_not_move_with_the_lines() -> None:
    def prints(line: int) -> list[str]:
        head = state(version("1.0.0"), version("2.0.0", LOGIT, line=line))
        results = as_sarif(verdict(head=head), "1", ROOT)["runs"][0]["results"]
        return [result["partialFingerprints"]["stepdownFinding/v1"] for result in results]

    assert prints(7) == prints(70)
    assert len(set(prints(7))) == len(prints(7))


def test_input_that_cannot_be_used_is_a_run_that_failed() -> None:
    log = refused_as_sarif(REFUSED, "1.2.3", ROOT)
    assert jsonschema_rs.validator_for(SARIF).is_valid(log)
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "models: found a list; allowed a mapping"


def test_files_are_named_from_the_top_of_the_repository(tmp_path: Path) -> None:
    head = state(version("1.0.0"), version("2.0.0", LOGIT))
    placed = Facts(head.models, Place(str(tmp_path / "a b" / "stepdown.yaml")))
    found = judge(case_of(placed, Facts(), Policy(), TODAY))
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in as_sarif(found, "1", tmp_path)["runs"][0]["results"]
    ]
    assert "a%20b/stepdown.yaml" in uris


def test_markdown_has_a_headline_a_table_and_what_to_do() -> None:
    text = as_markdown(verdict(), "main", ROOT)
    lines = text.splitlines()
    assert lines[0] == "### Stepdown gate: failed"
    assert "| `2.0.0` (new) | MAJOR from 1.0.0 | MAJOR | 1 | 1.0.0: none | **fails** |" in lines
    (finding,) = [line for line in lines if line.startswith("- `breaking-unadapted` m 2.0.0 (`stepdown.yaml:7`): ")]
    assert "*Fix:* declare an adapter" in finding
    assert "**Waived**" in as_markdown(verdict(WAIVER), "main", ROOT)


def test_markdown_lets_nothing_of_a_file_become_markup() -> None:
    reason = "see @team #12 <script> | [x](y) `z` *b*\n# head"
    text = as_markdown(
        verdict(
            head=state(
                version("1.0.0"),
                version("2.0.0", LOGIT),
                refusals={("2.0.0", "1.0.0"): reason},
                routes={"r": ["2.0.0"]},
            )
        ),
        "main",
        ROOT,
    )
    assert "see &#64;team &#35;12 &#60;script&#62; &#124; \\[x\\](y) \\`z\\` \\*b\\* &#35; head" in text
