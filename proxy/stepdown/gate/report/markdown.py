"""The verdict as Markdown, for a comment on a pull request or the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stepdown.gate.judging import Finding, ModelTable, Verdict, VersionRow
from stepdown.gate.report.paths import relative
from stepdown.gate.report.words import bumps, closing, ways

_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]"} | {mark: f"&#{ord(mark)};" for mark in "<>|@#"})
_TITLES = {"error": "Must be repaired", "warning": "To be looked at", "note": "To be known"}


def as_markdown(verdict: Verdict, base: str, root: Path) -> str:
    """A headline, a table for each model, and the findings with what to do."""
    return "\n".join(_lines(verdict, base, root)) + "\n"


def _lines(verdict: Verdict, base: str, root: Path) -> Iterator[str]:
    yield f"### Stepdown gate: {'passed' if verdict.passes else 'failed'}"
    yield ""
    yield f"{_safe(closing(verdict))}, compared with `{base.replace('`', '')}`."
    for table in verdict.tables:
        yield from _table(table)
    for severity, title in _TITLES.items():
        found = [one for one in verdict.findings if one.severity == severity and one.waiver is None]
        if found:
            yield ""
            yield f"**{title}**"
            yield ""
            yield from (_finding(one, root) for one in found)
    waived = [one for one in verdict.findings if one.waiver is not None]
    if waived:
        yield ""
        yield "**Waived**"
        yield ""
        yield from (_finding(one, root) for one in waived)


def _table(table: ModelTable) -> Iterator[str]:
    yield ""
    yield f"| `{_safe(table.model)}` | declared | needed | changes | ways to supported versions | |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(row) for row in table.rows)


def _row(row: VersionRow) -> str:
    declared, needed = bumps(row)
    mark = "ok" if row.passes else "**fails**"
    name = f"`{row.version}`{' (new)' if row.is_new else ''}"
    return f"| {name} | {declared} | {needed} | {len(row.changes) if row.older else ''} | {_safe(ways(row))} | {mark} |"


def _finding(one: Finding, root: Path) -> str:
    about = f" {_safe(one.model)} {one.version}" if one.model else ""
    place = f"`{relative(one.place.file, root)}:{one.place.line}`"
    waiver = ""
    if one.waiver is not None:
        waiver = f" Waived by {_safe(one.waiver.by)} until {one.waiver.until}: {_safe(one.waiver.reason)}."
    return f"- `{one.rule}`{about} ({place}): {_safe(one.sentence)}.{waiver} *Fix:* {_safe(one.fix)}."


def _safe(text: str) -> str:
    """Text of the repository's files as text: it starts no table cell, link, mention or tag."""
    return " ".join(text.translate(_MARKS).split())
