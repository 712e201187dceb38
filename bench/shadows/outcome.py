"""What was measured beside shadows, as a table and as promises."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from bench.page import Table
from bench.promises import Promise
from bench.shadows.rounds import Row

BOUND = 1.1
"""How many times the p99 without a shadow one with a shadow may be."""


def table(rows: Sequence[Row]) -> Table:
    """Medians, and how many times they are what they are without a shadow, the p99 with its interval of confidence."""
    columns = (
        "shadow",
        "p50 µs",
        "/ without",
        "p99 µs",
        "/ without",
        "95 % between",
        "worker's CPU µs",
        "/ without",
        "copies/s",
        "sent",
    )
    lines = [
        (
            row.kind.name,
            f"{row.median('p50'):.0f}",
            f"{row.times('p50'):.2f}",
            f"{row.median('quiet'):.0f}",
            f"{row.times('quiet'):.2f}",
            "{:.2f} and {:.2f}".format(*row.between("quiet")),
            f"{row.median('cpu'):.1f}",
            f"{row.times('cpu'):.3f}",
            f"{statistics.median(row.copies):,.1f}" if row.kind.percent else "",
            f"{statistics.median(row.sent):.2%}" if row.kind.percent else "",
        )
        for row in rows
    ]
    return Table(columns, lines)


def promises(rows: Sequence[Row]) -> list[Promise]:
    """One for each kind of shadow, and none for what is measured only to know how exact that is."""
    return [
        Promise(f"p99 beside a shadow / without: {row.kind.name}", row.times("quiet"), BOUND)
        for row in rows
        if row.kind.percent
    ]
