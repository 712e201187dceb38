"""Latencies beside shadows are held against those without one; what only shows how exact that is is not judged."""

from __future__ import annotations

from bench.shadows.kinds import NONE, Kind
from bench.shadows.outcome import promises, table
from bench.shadows.rounds import Round, Row


def rounds(cpu: float, *quarters: float, sent: float = 0.0) -> list[Round]:
    """Three of them, of which the machine spoils one."""
    good = Round(100, 300, list(quarters), cpu, sent, sent * 4000)
    return [good, Round(120, 9000, [5000.0] * 4, cpu + 1, sent, sent * 4000), good]


ROWS = [
    Row(NONE, rounds(40, 200, 210, 220, 230), rounds(41, 200, 210, 220, 230)),
    Row(Kind("healthy"), rounds(50, 220, 231, 242, 253, sent=0.5), rounds(42, 200, 210, 220, 230)),
    Row(Kind("floods"), rounds(50, 400, 420, 440, 460, sent=0.01), rounds(42, 200, 210, 220, 230)),
]


def test_the_table_has_medians_and_the_quarters_in_which_little_was_in_the_way() -> None:
    assert list(table(ROWS).lines) == [
        ("none", "100", "300", "210", "1.00", "40.0", "-1.0", "", ""),
        ("healthy", "100", "300", "231", "1.10", "50.0", "+8.0", "2,000", "50.0%"),
        ("floods", "100", "300", "420", "2.00", "50.0", "+8.0", "40", "1.0%"),
    ]


def test_each_kind_of_shadow_is_judged_and_nothing_else() -> None:
    assert [(judged.what, round(judged.measured, 2), judged.kept) for judged in promises(ROWS)] == [
        ("quiet p99 beside a shadow / without: healthy", 1.1, True),
        ("quiet p99 beside a shadow / without: floods", 2.0, False),
    ]
