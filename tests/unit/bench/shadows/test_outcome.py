"""Latencies beside shadows are medians, and ratios those of rounds; what only shows how exact that is is not judged."""

from __future__ import annotations

from bench.shadows.kinds import AGAIN, NONE, Kind
from bench.shadows.outcome import promises, table
from bench.shadows.rounds import Round, Row

HEALTHY = Kind("healthy")
ROWS = [
    Row(NONE, [Round(100, 1000, 40, 0, 0), Round(120, 2000, 42, 0, 0), Round(110, 1500, 41, 0, 0)]),
    Row(HEALTHY, [Round(110, 1050, 50, 0.5, 2000), Round(130, 2400, 53, 0.7, 2400), Round(120, 1560, 52, 0.6, 2200)]),
    Row(AGAIN, [Round(100, 3000, 40, 0, 0)] * 3),
]


def test_the_table_has_medians_and_ratios_of_rounds() -> None:
    assert list(table(ROWS).lines) == [
        ("none", "110", "1500", "1.00", "41.0", "+0.0", "", ""),
        ("healthy", "120", "1560", "1.05", "52.0", "+11.0", "2,200", "60%"),
        ("none, once more", "100", "3000", "2.00", "40.0", "-1.0", "", ""),
    ]


def test_each_kind_of_shadow_is_judged_and_nothing_else() -> None:
    (judged,) = promises(ROWS)
    assert (judged.what, round(judged.measured, 2), judged.kept) == ("p99 beside a shadow: healthy / none", 1.05, True)
