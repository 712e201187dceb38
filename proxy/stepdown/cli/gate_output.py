"""A verdict of the gate as text: a table for each model, then what was found, each with its fix."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from stepdown.cli.output import show_tables
from stepdown.cli.summary import Table
from stepdown.gate.judging import Finding, ModelTable, Verdict
from stepdown.gate.report.words import bumps, closing, ways

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def show(verdict: Verdict, base: str) -> None:
    """Print a verdict."""
    show_tables(_table(table) for table in verdict.tables)
    for finding in verdict.findings:
        _show(finding)
    print(f"\n{'passed' if verdict.passes else 'failed'}: {closing(verdict)}, compared with {base}")


def _table(table: ModelTable) -> Table:
    rows = [
        (
            f"{row.version}{' (new)' if row.is_new else ''}",
            *bumps(row),
            str(len(row.changes)) if row.older else "",
            ways(row),
            "ok" if row.passes else "fails",
        )
        for row in table.rows
    ]
    return Table(
        f"model {table.model}", (("version", "declared", "needed", "changes", "older shapes", "verdict"), *rows)
    )


def _show(one: Finding) -> None:
    severity = "waived" if one.waiver else one.severity
    place = f"{_shown(one.place.file)}:{one.place.line}:{one.place.column}"
    about = f"{one.model} {one.version}: " if one.model else ""
    if not sys.stdout.isatty():
        print(f"\n{place}: {severity}: [{one.rule}] {about}{one.sentence}")
        print("\n".join(_below(one)))
        return
    from rich.console import Console  # noqa: PLC0415 - costs a third of the start-up, and only terminals want it
    from rich.text import Text  # noqa: PLC0415

    colour = "green" if one.waiver else _COLOURS[one.severity]
    head = Text.assemble("\n", (place, "bold"), " ", (severity, f"bold {colour}"), " ", (one.rule, "cyan"), " ")
    console = Console(highlight=False)
    console.print(head.append(f"{about}{one.sentence}"), soft_wrap=True)
    console.print(Text("\n".join(_below(one)), style="dim"), soft_wrap=True)


def _below(one: Finding) -> Iterator[str]:
    if one.waiver is not None:
        yield f"    waived by {one.waiver.by} until {one.waiver.until}: {one.waiver.reason}"
    yield f"    fix: {one.fix}"


def _shown(file: str) -> str:
    inside = os.path.relpath(file)
    return file if inside.startswith("..") else inside
