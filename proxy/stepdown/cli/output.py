"""Output of commands: coloured in a terminal, plain in a pipe. Rich is loaded only for the former."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from stepdown.cli.summary import Table
from stepdown.config import Finding


def show_findings(findings: Iterable[Finding]) -> None:
    """One line for each finding: `file:line:column: key: found ...`."""
    if not sys.stdout.isatty():
        for finding in findings:
            print(finding)
        return
    from rich.console import Console  # noqa: PLC0415 - costs a third of the start-up, and only terminals want it
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        line = Text.assemble((str(finding.place), "bold"), " ", (finding.severity, f"bold {colour}"), " ")
        if finding.key:
            line.append(f"{finding.key}: ", style="cyan")
        line.append(finding.message)
        console.print(line, soft_wrap=True)


def show_tables(tables: Iterable[Table]) -> None:
    """Tables one under the other."""
    if not sys.stdout.isatty():
        for table in tables:
            print(f"\n{table.title}\n{aligned(table)}")
        return
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415

    console = Console(highlight=False)
    for table in tables:
        head, *rows = table.rows
        columns = [Column(name, overflow="fold") for name in head]  # where it is narrow, nothing is left out
        shown = RichTable(*columns, title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
        for row in rows:
            shown.add_row(*map(escape, row))
        console.print(shown)


def aligned(table: Table) -> str:
    """Columns of equal width, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*table.rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table.rows)
    return "\n".join("  " + line.rstrip() for line in lines)
