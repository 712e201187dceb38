"""Decisions are shown without what a fresh head costs, and judged by the least costs."""

from __future__ import annotations

from bench.adapters.turns import Cost
from bench.decisions.outcome import promises, tables
from bench.decisions.ways import HEAD_ALONE, HEADER_KEY, NO_SPLIT, ONE_OF_MANY, ONE_ROUTE, TEN_RULES

DECISIONS = {HEAD_ALONE: Cost(1, 2), NO_SPLIT: Cost(2, 4), HEADER_KEY: Cost(3, 6), TEN_RULES: Cost(5.5, 7)}
FINDING = {ONE_ROUTE: Cost(4, 5), ONE_OF_MANY: Cost(4.2, 6)}


def test_costs_are_without_the_head_and_beside_no_split() -> None:
    decisions, finding = tables(DECISIONS, FINDING)
    assert list(decisions.lines) == [
        (NO_SPLIT, "1.00", "2.00", "+0.00"),
        (HEADER_KEY, "2.00", "4.00", "+1.00"),
        (TEN_RULES, "4.50", "5.00", "+3.50"),
    ]
    assert list(finding.lines) == [(ONE_ROUTE, "3.00", "3.00", "1.00"), (ONE_OF_MANY, "3.20", "4.00", "1.05")]


def test_promises_are_judged_by_the_least_costs() -> None:
    judged = [(promise.measured, promise.bound, promise.kept) for promise in promises(DECISIONS, FINDING)]
    assert judged == [(1, 1.5, True), (3.5, 3, False), (1.05, 1.1, True)]
