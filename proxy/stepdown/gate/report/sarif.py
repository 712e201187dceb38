"""The verdict as SARIF 2.1.0 (OASIS), which code scanning shows at the lines that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stepdown.config import Finding as ConfigFinding
from stepdown.gate.judging import Finding, Verdict
from stepdown.gate.report.paths import relative
from stepdown.gate.rules.table import BY_ID, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES = tuple(BY_ID.values())
_INDEX = {rule.id: index for index, rule in enumerate(_RULES)}


def as_sarif(verdict: Verdict, version: str, root: Path) -> dict[str, Any]:
    """One run; `version` is Stepdown's, and files are relative to `root`, the top of the repository."""
    return _log(version, {"executionSuccessful": True}, [_result(one, root) for one in verdict.findings])


def refused_as_sarif(findings: Iterable[ConfigFinding], version: str, root: Path) -> dict[str, Any]:
    """A run that could not judge, with the reasons as notifications."""
    notes = [
        {
            "level": finding.severity,
            "message": {"text": f"{finding.key}: {finding.message}" if finding.key else finding.message},
            "locations": [_location(finding.place.file, finding.place.line, finding.place.column, root)],
        }
        for finding in findings
    ]
    return _log(version, {"executionSuccessful": False, "toolExecutionNotifications": notes}, [])


def _log(version: str, invocation: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    driver = {"name": "stepdown gate", "semanticVersion": version, "rules": [_rule(rule) for rule in _RULES]}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.help},
        "help": {
            "text": f"{rule.help} To repair: {rule.fix}.",
            "markdown": f"{rule.help}\n\n**To repair:** {rule.fix}.",
        },
        "defaultConfiguration": {"level": "error"},
    }


def _result(one: Finding, root: Path) -> dict[str, Any]:
    about = f"{one.model} {one.version}: " if one.model else ""
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": _INDEX[one.rule],
        "level": one.severity,
        "message": {"text": f"{about}{one.sentence}. Fix: {one.fix}."},
        "locations": [_location(one.place.file, one.place.line, one.place.column, root)],
        "partialFingerprints": {"stepdownFinding/v1": _fingerprint(one)},
    }
    if one.waiver is not None:
        why = f"{one.waiver.by}, until {one.waiver.until}: {one.waiver.reason}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def _location(file: str, line: int, column: int, root: Path) -> dict[str, Any]:
    name = relative(file, root)
    artifact = {"uri": Path(name).absolute().as_uri()} if name.startswith(("/", "..")) else {"uri": quote(name)}
    if "://" not in artifact["uri"]:
        artifact["uriBaseId"] = "%SRCROOT%"
    region = {"startLine": line, "startColumn": column}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _fingerprint(one: Finding) -> str:
    """The same wherever the lines move to."""
    return hashlib.sha256("\0".join((one.rule, one.model, one.version, one.sentence)).encode()).hexdigest()[:32]
