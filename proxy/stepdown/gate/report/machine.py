"""The verdict as JSON, in a format with a version and a schema of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stepdown.config import Finding as ConfigFinding
from stepdown.gate.judging import Finding, Verdict, VersionRow
from stepdown.gate.report.paths import relative

FORMAT = 1
_BUMP = {"enum": ["none", "patch", "minor", "major", None]}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 1}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Report of stepdown gate",
    "description": "Fields may be added within a format; what is there keeps its meaning.",
    **_object(
        {
            "format": {"const": FORMAT},
            "passes": {"type": "boolean"},
            "base": _TEXT,
            "base_has_file": {"type": "boolean"},
            "today": {"type": "string", "format": "date"},
            "findings": {
                "type": "array",
                "items": _object(
                    {
                        "rule": _TEXT,
                        "severity": {"enum": ["error", "warning", "note"]},
                        "fails": {"type": "boolean"},
                        "model": _TEXT,
                        "version": _TEXT,
                        "file": _TEXT,
                        "line": _COUNT,
                        "column": _COUNT,
                        "sentence": _TEXT,
                        "fix": _TEXT,
                    },
                    {"waiver": _object({"by": _TEXT, "reason": _TEXT, "until": {"type": "string", "format": "date"}})},
                ),
            },
            "models": {
                "type": "object",
                "additionalProperties": {
                    "type": "array",
                    "items": _object(
                        {
                            "version": _TEXT,
                            "new": {"type": "boolean"},
                            "older": {"type": ["string", "null"]},
                            "declared": _BUMP,
                            "needed": _BUMP,
                            "changes": {
                                "type": "array",
                                "items": _object(
                                    {
                                        "side": {"enum": ["output", "input"]},
                                        "kind": _TEXT,
                                        "path": _TEXT,
                                        "bump": _BUMP,
                                        "compatible": {"type": "boolean"},
                                        "sentence": _TEXT,
                                    }
                                ),
                            },
                            "ways": {"type": "object", "additionalProperties": _TEXT},
                            "passes": {"type": "boolean"},
                        },
                        {
                            "grades": {
                                "type": "object",
                                "additionalProperties": _object({"response": _TEXT}, {"request": _TEXT}),
                            }
                        },
                    ),
                },
            },
        },
        {"refused": {"type": "array", "items": {"type": "object"}}},
    ),
}
"""JSON Schema 2020-12 of `as_json`."""


def as_json(verdict: Verdict, base: str, *, base_has_file: bool, root: Path) -> dict[str, Any]:
    """Everything, with files relative to `root`."""
    return {
        "format": FORMAT,
        "passes": verdict.passes,
        "base": base,
        "base_has_file": base_has_file,
        "today": verdict.today.isoformat(),
        "findings": [_finding(one, root) for one in verdict.findings],
        "models": {table.model: [_row(row) for row in table.rows] for table in verdict.tables},
    }


def refused_as_json(findings: Iterable[ConfigFinding], base: str, today: str) -> dict[str, Any]:
    """The same for input that cannot be used: it does not pass, and says why."""
    return {
        "format": FORMAT,
        "passes": False,
        "base": base,
        "base_has_file": False,
        "today": today,
        "findings": [],
        "models": {},
        "refused": [finding.as_json() for finding in findings],
    }


def _finding(one: Finding, root: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rule": one.rule,
        "severity": one.severity,
        "fails": one.fails,
        "model": one.model,
        "version": one.version,
        "file": relative(one.place.file, root),
        "line": one.place.line,
        "column": one.place.column,
        "sentence": one.sentence,
        "fix": one.fix,
    }
    if one.waiver is not None:
        waiver = one.waiver
        found["waiver"] = {"by": waiver.by, "reason": waiver.reason, "until": waiver.until.isoformat()}
    return found


def _row(row: VersionRow) -> dict[str, Any]:
    graded = {"grades": {version: dict(grades) for version, grades in row.grades}} if row.grades else {}
    return {
        "version": row.version,
        "new": row.is_new,
        "older": row.older,
        "declared": row.declared,
        "needed": row.needed,
        "changes": [
            {
                "side": side,
                "kind": change.kind,
                "path": change.path,
                "bump": change.bump,
                "compatible": change.compatible,
                "sentence": change.sentence,
            }
            for side, change in row.changes
        ],
        "ways": dict(row.ways),
        "passes": row.passes,
        **graded,
    }
