"""Tables for the terminal, and the same in docs/performance.md: each benchmark owns one section of that page."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

import stepdown
from bench.promises import Promise

PAGE = Path(__file__).parents[1] / "docs/performance.md"


@dataclass(frozen=True)
class Table:
    """Columns and lines of text; the first column names, the others are numbers."""

    columns: Sequence[str]
    lines: Sequence[Sequence[str]]


def promised(promises: Sequence[Promise]) -> Table:
    """What was promised, and whether it is kept."""
    lines = [
        (promise.what, f"{promise.measured:.2f}", f"{promise.bound:g}", "yes" if promise.kept else "NO")
        for promise in promises
    ]
    return Table(("promise", "measured", "at most", "kept"), lines)


def console() -> Console:
    """Where a benchmark prints: as wide as the terminal, and as the tables need where there is none."""
    return Console(width=None if sys.stdout.isatty() else 110)


def show(console: Console, tables: Sequence[Table], conditions: str) -> None:
    """Print the tables that have lines."""
    for table in tables:
        if not table.lines:
            continue
        grid = Grid(show_edge=False)
        for index, column in enumerate(table.columns):
            grid.add_column(column, justify="right" if index else "left")
        for line in table.lines:
            grid.add_row(*line, style="bold" if line[0].startswith("stepdown") else "red" if line[-1] == "NO" else "")
        console.print(grid, "")
    console.print(conditions, style="dim")


def write(section: str, tables: Sequence[Table], conditions: str, page: Path = PAGE) -> None:
    """Put the tables between the section's two marks, `<!-- SECTION: begin -->` and `end`.

    The prose around them is written by hand, and other sections stay as they are. Raises `ValueError` if the page has
    no such marks.
    """
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no {begin} with a {end} after it")
    measured = [conditions, *(_markdown(table) for table in tables if table.lines)]
    page.write_text("\n\n".join([before + begin, *measured, end + after]), encoding="utf-8")


def _markdown(table: Table) -> str:
    rule = ("---", *["---:"] * (len(table.columns) - 1))
    return "\n".join(f"| {' | '.join(line)} |" for line in (table.columns, rule, *table.lines))


def measured_on() -> str:
    """When, on what machine, with which Python."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
    return (
        f"Measured on {date.today()}: {processor}, Linux {platform.release()}; "
        f"Stepdown {stepdown.__version__} on Python {platform.python_version()}"
    )
