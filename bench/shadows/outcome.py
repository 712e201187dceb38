"""What was measured beside shadows, as a table and as promises."""

from __future__ import annotations

from collections.abc import Sequence

from bench.page import Table
from bench.promises import Promise
from bench.shadows.kinds import NONE
from bench.shadows.rounds import Row

BOUND = 1.1
"""How many times the p99 without a shadow one with a shadow may be."""


def table(rows: Sequence[Row], *, apart: bool) -> Table:
    """Medians, and ratios within rounds to the row without a shadow.

    Of the rows whose comparer has the worker's core, or of those whose comparer is `apart`, and those without one.
    """
    none = _without(rows)
    columns = (
        "shadow, comparer apart" if apart else "shadow, one core",
        "p50 µs",
        "p99 µs",
        "p99 / none",
        "worker's CPU µs",
        "over none",
        "copies/s",
        "sent",
    )
    lines = [
        (
            row.kind.name,
            f"{row.median('p50'):.0f}",
            f"{row.median('p99'):.0f}",
            f"{row.over(none, 'p99'):.2f}",
            f"{row.median('cpu'):.1f}",
            f"{row.median('cpu') - none.median('cpu'):+.1f}",
            f"{row.median('ended'):,.0f}" if row.kind.percent else "",
            f"{row.median('sent'):.0%}" if row.kind.percent else "",
        )
        for row in rows
        if row.apart == apart or not row.kind.percent
    ]
    return Table(columns, lines)


def promises(rows: Sequence[Row]) -> list[Promise]:
    """One for each kind of shadow, and none for what is measured only to know how exact that is."""
    none = _without(rows)
    return [
        Promise(
            f"p99 beside a shadow, {'comparer apart' if row.apart else 'one core'}: {row.kind.name} / none",
            row.over(none, "p99"),
            BOUND,
        )
        for row in rows
        if row.kind.percent
    ]


def _without(rows: Sequence[Row]) -> Row:
    return next(row for row in rows if row.kind == NONE)
