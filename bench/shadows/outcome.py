"""What was measured beside shadows, as a table and as promises."""

from __future__ import annotations

from collections.abc import Sequence

from bench.page import Table
from bench.promises import Promise
from bench.shadows.rounds import Row

BOUND = 1.1
"""How many times the p99 without a shadow one with a shadow may be."""


def table(rows: Sequence[Row]) -> Table:
    """Medians, and how many times the quiet p99 is that of the sidecar without a shadow beside it."""
    columns = (
        "shadow",
        "p50 µs",
        "p99 µs",
        "quiet p99 µs",
        "/ without",
        "worker's CPU µs",
        "over without",
        "copies/s",
        "sent",
    )
    lines = [
        (
            row.kind.name,
            f"{row.median('p50'):.0f}",
            f"{row.median('p99'):.0f}",
            f"{row.quiet:.0f}",
            f"{row.times:.2f}",
            f"{row.median('cpu'):.1f}",
            f"{row.over('cpu'):+.1f}",
            f"{row.median('ended'):,.0f}" if row.kind.percent else "",
            f"{row.median('sent'):.1%}" if row.kind.percent else "",
        )
        for row in rows
    ]
    return Table(columns, lines)


def promises(rows: Sequence[Row]) -> list[Promise]:
    """One for each kind of shadow, and none for what is measured only to know how exact that is."""
    return [
        Promise(f"quiet p99 beside a shadow / without: {row.kind.name}", row.times, BOUND)
        for row in rows
        if row.kind.percent
    ]
