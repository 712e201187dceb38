"""The verdict in words that text and Markdown share."""

from __future__ import annotations

from stepdown.gate.judging import Verdict, VersionRow
from stepdown.gate.rules.case import counted


def closing(verdict: Verdict) -> str:
    """One sentence with the numbers in it."""
    failures = sum(one.fails for one in verdict.findings)
    waived = sum(one.waiver is not None for one in verdict.findings)
    warnings = sum(one.severity == "warning" for one in verdict.findings)
    versions = [row for table in verdict.tables for row in table.rows]
    new = sum(row.is_new for row in versions)
    parts = [f"{counted(len(versions), 'version')} ({new} new)", counted(failures, "failure")]
    parts += [counted(warnings, "warning")] if warnings else []
    parts += [f"{waived} waived"] if waived else []
    return ", ".join(parts)


def bumps(row: VersionRow) -> tuple[str, str]:
    """The declared and the needed bump; the first release has neither."""
    if row.declared is None or row.needed is None:
        return "first", ""
    return f"{row.declared.upper()} from {row.older}", row.needed.upper()


def ways(row: VersionRow) -> str:
    """How each supported older shape comes about."""
    graded = dict(row.grades)
    return ", ".join(f"{version}: {way}{_graded(graded.get(version, ()))}" for version, way in row.ways) or "-"


def _graded(grades: tuple[tuple[str, str], ...]) -> str:
    """` (PROVED)`, or both sides where they differ: ` (PROVED, requests TESTED 1000)`."""
    if not grades:
        return ""
    (_, first), *others = grades
    return f" ({', '.join([first, *(f'{side}s {grade}' for side, grade in others if grade != first)])})"
