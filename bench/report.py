"""One table for the terminal, and the same as a page: docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

import stepdown
from bench.peers import ENVOY, found
from bench.promises import Promise
from bench.rounds import Row

PAGE = Path(__file__).parents[1] / "docs/performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# Requests per second at the highest rate; CPU of all of the proxy's processes per request, and how far its rounds lie
# apart; share of its core that the proxy used; latencies at a given rate; memory (proportional) after the load.
COLUMNS = ("proxy", "requests/s", "CPU µs", "spread", "core", "p50 µs", "p99 µs", "MiB")
PROMISED = ("promise", "measured", "at most", "kept")


def _cells(row: Row) -> tuple[str, ...]:
    latency = (f"{row.p50:.0f}", f"{row.p99:.0f}") if row.p50 and row.p99 else ("", "")
    numbers = (f"{row.rate:,.0f}", f"{row.cpu:.1f}", f"{row.spread:.0%}", f"{row.busy:.0%}")
    return (row.peer.name, *numbers, *latency, f"{row.memory:.0f}")


def _promised(promise: Promise) -> tuple[str, ...]:
    return promise.what, f"{promise.measured:.2f}", f"{promise.bound:g}", "yes" if promise.kept else "NO"


def show(console: Console, rows: Sequence[Row], promised: Sequence[Promise], conditions: str) -> None:
    """Print the tables."""
    tables = [(COLUMNS, [_cells(row) for row in rows]), (PROMISED, [_promised(promise) for promise in promised])]
    for columns, lines in tables:
        if not lines:
            continue
        table = Table(show_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index else "left")
        for line in lines:
            table.add_row(*line, style="bold" if line[0].startswith("stepdown") else "red" if line[-1] == "NO" else "")
        console.print(table, "")
    console.print(conditions, style="dim")


def write(rows: Sequence[Row], promised: Sequence[Promise], conditions: str) -> None:
    """Put the tables between the page's two marks; the prose around them is written by hand."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = [conditions, _markdown(COLUMNS, map(_cells, rows)), _markdown(PROMISED, map(_promised, promised))]
    PAGE.write_text("\n\n".join([before + BEGIN, *measured, END + after]), encoding="utf-8")


def _markdown(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ("---", *["---:"] * (len(columns) - 1))
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rule, *lines))


def describe(rounds: int, seconds: float, rate: float | None) -> str:
    """When, on what, with which versions, for how long."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
    why = "half of the lowest of those rows' highest rates, or what the load program sends on time"
    at_rate = f" Latencies are at {rate:,.0f} requests/s, {why}." if rate else ""
    return (
        f"Measured on {date.today()}: {processor}, Linux {platform.release()}; "
        f"Stepdown {stepdown.__version__} on Python {platform.python_version()}, nginx {_version('nginx', '-v')}, "
        f"HAProxy {_version('haproxy', '-v')}, Envoy {_version(str(ENVOY), '--version')}. "
        f"Medians of {rounds} interleaved rounds of {seconds:g} s each.{at_rate}"
    )


def _version(program: str, option: str) -> str:
    try:
        said = subprocess.run([found(program), option], capture_output=True, text=True, check=False)
    except OSError:
        return "absent"
    number = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
    return number[0] if number else "unknown"
