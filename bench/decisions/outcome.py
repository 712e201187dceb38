"""What was measured of decisions, as tables and as promises."""

from __future__ import annotations

from collections.abc import Mapping

from bench.adapters.turns import Cost
from bench.decisions.ways import HEAD_ALONE, HEADER_KEY, NO_SPLIT, ONE_OF_MANY, ONE_ROUTE, TEN_RULES
from bench.page import Table
from bench.promises import Promise


def tables(decisions: Mapping[str, Cost], finding: Mapping[str, Cost]) -> list[Table]:
    """What a decision costs, without what the fresh head does; and with finding its route."""
    base, none = decisions[HEAD_ALONE].least, decisions[NO_SPLIT].least
    lines = [
        (
            name,
            f"{cost.least - base:.2f}",
            f"{cost.median - decisions[HEAD_ALONE].median:.2f}",
            f"{cost.least - none:+.2f}",
        )
        for name, cost in decisions.items()
        if name != HEAD_ALONE
    ]
    one = finding[ONE_ROUTE].least
    found = [
        (
            name,
            f"{cost.least - base:.2f}",
            f"{cost.median - decisions[HEAD_ALONE].median:.2f}",
            f"{cost.least / one:.2f}",
        )
        for name, cost in finding.items()
    ]
    return [
        Table(("one decision", "µs", "median µs", "over no split"), lines),
        Table(("with its route found first", "µs", "median µs", "/ 1 route"), found),
    ]


def without(base: str, costs: Mapping[str, Cost], title: str) -> Table:
    """What all others cost without what `base` does."""
    least, median = costs[base].least, costs[base].median
    lines = [
        (name, f"{cost.least - least:.2f}", f"{cost.median - median:.2f}")
        for name, cost in costs.items()
        if name != base
    ]
    return Table((title, "µs", "median µs"), lines)


def promises(decisions: Mapping[str, Cost], finding: Mapping[str, Cost]) -> list[Promise]:
    """Each bound with what this run says of it."""
    none = decisions[NO_SPLIT].least
    return [
        Promise("split by a header's key over no split, µs", decisions[HEADER_KEY].least - none, 1.5),
        Promise("ten rules over no split, µs", decisions[TEN_RULES].least - none, 3.0),
        Promise("1,000 routes, 1 asked / 1 route", finding[ONE_OF_MANY].least / finding[ONE_ROUTE].least, 1.1),
    ]
