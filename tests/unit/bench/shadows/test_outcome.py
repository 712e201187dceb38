"""Latencies beside shadows are medians, and ratios those of rounds; what only shows how exact that is is not judged."""

from __future__ import annotations

from bench.shadows.kinds import AGAIN, NONE, Kind
from bench.shadows.outcome import promises, table
from bench.shadows.rounds import Round, Row

HEALTHY = Kind("healthy")
ROWS = [
    Row(NONE, False, [Round(100, 1000, 40, 0, 0), Round(120, 2000, 42, 0, 0), Round(110, 1500, 41, 0, 0)]),
    Row(
        HEALTHY,
        False,
        [Round(110, 1050, 50, 0.5, 2000), Round(130, 2400, 53, 0.7, 2400), Round(120, 1560, 52, 0.6, 2200)],
    ),
    Row(AGAIN, False, [Round(100, 3000, 40, 0, 0)] * 3),
]


APART = Row(
    HEALTHY, True, [Round(100, 1100, 45, 0.2, 900), Round(120, 2000, 45, 0.2, 900), Round(110, 1500, 45, 0.2, 900)]
)


def test_the_table_has_medians_and_ratios_of_rounds() -> None:
    assert list(table([*ROWS, APART], apart=False).lines) == [
        ("none", "110", "1500", "1.00", "41.0", "+0.0", "", ""),
        ("healthy", "120", "1560", "1.05", "52.0", "+11.0", "2,200", "60%"),
        ("none, once more", "100", "3000", "2.00", "40.0", "-1.0", "", ""),
    ]


def test_each_kind_of_shadow_is_judged_and_nothing_else() -> None:
    assert [(judged.what, round(judged.measured, 2), judged.kept) for judged in promises([*ROWS, APART])] == [
        ("p99 beside a shadow, one core: healthy / none", 1.05, True),
        ("p99 beside a shadow, comparer apart: healthy / none", 1.0, True),
    ]


def test_the_other_table_has_the_rows_whose_comparer_is_apart_and_those_without_one() -> None:
    assert list(table([*ROWS, APART], apart=True).lines) == [
        ("none", "110", "1500", "1.00", "41.0", "+0.0", "", ""),
        ("none, once more", "100", "3000", "2.00", "40.0", "-1.0", "", ""),
        ("healthy", "110", "1500", "1.00", "45.0", "+4.0", "900", "20%"),
    ]
