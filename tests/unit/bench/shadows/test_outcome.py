"""Latencies beside shadows are held against those without one; what only shows how exact that is is not judged."""

from __future__ import annotations

import random

from bench.shadows.alternating import Block
from bench.shadows.kinds import NONE, Kind
from bench.shadows.outcome import promises, table
from bench.shadows.rounds import Row


def seconds(cpu: float, *quiet: float) -> list[Block]:
    """Of which the machine spoils one more."""
    return [*(Block(one / 2, 2 * one, one, cpu, 4000) for one in quiet), Block(5000, 9000, 9000, cpu + 1, 4000)]


ROWS = [
    Row(NONE, seconds(40, 200, 210), seconds(41, 200, 210), [0], [0]),
    Row(Kind("healthy"), seconds(50, 220, 231), seconds(40, 200, 210), [0.5, 0.5], [1500, 1600]),
    Row(Kind("floods"), seconds(40, 400, 420), seconds(40, 200, 210), [0.01, 0.01], [3, 3]),
]


def test_the_table_has_medians_and_medians_of_how_many_times_they_are_those_without_a_shadow() -> None:
    assert list(table(ROWS).lines) == [
        ("none", "105", "1.00", "210", "1.00", "1.00 and 1.00", "40.0", "0.976", "", ""),
        ("healthy", "116", "1.10", "231", "1.10", "1.00 and 1.10", "50.0", "1.250", "1,550.0", "50.00%"),
        ("floods", "210", "2.00", "420", "2.00", "1.00 and 2.00", "40.0", "1.000", "3.0", "1.00%"),
    ]


def test_each_kind_of_shadow_is_judged_and_nothing_else() -> None:
    assert [(judged.what, round(judged.measured, 2), judged.kept) for judged in promises(ROWS)] == [
        ("p99 beside a shadow / without: healthy", 1.1, True),
        ("p99 beside a shadow / without: floods", 2.0, False),
    ]


def test_the_interval_has_the_true_median_in_it_about_as_often_as_it_says() -> None:
    draw = random.Random(7)
    held = 0
    for _ in range(400):
        pairs = [draw.lognormvariate(0.05, 0.4) for _ in range(60)]
        row = Row(NONE, [Block(1, 1, one, 1, 1) for one in pairs], [Block(1, 1, 1, 1, 1)] * 60)
        low, high = row.between("quiet")
        held += low <= 1.0513 <= high
    assert 0.92 < held / 400 < 0.99
