"""Diffy's rule on its worked cases."""

from __future__ import annotations

import pytest

from stepdown.statistics.diffy import diffy


@pytest.mark.parametrize(
    ("raw", "noise", "total", "reported", "relative", "absolute"),
    [
        (10, 10, 1000, False, 0.0, 0.0),
        (15, 10, 1000, False, 20.0, 0.5),  # the limit has to be exceeded
        (16, 10, 1000, True, 23.08, 0.6),
        (5, 10, 1000, False, 33.33, 0.5),  # noise is more
        (1, 0, 10_000, False, 100.0, 0.01),
    ],
)
def test_the_worked_cases_come_out(
    raw: int, noise: int, total: int, reported: bool, relative: float, absolute: float
) -> None:
    found = diffy(raw, noise, total)
    assert found.reported is reported
    assert (found.relative, found.absolute) == pytest.approx((relative, absolute), abs=0.005)


def test_nothing_seen_reports_nothing() -> None:
    assert not diffy(0, 0, 0).reported
    assert not diffy(0, 0, 100).reported


def test_other_limits_can_be_named() -> None:
    assert diffy(15, 10, 1000, relative=19).reported
    assert not diffy(16, 10, 1000, absolute=1).reported
