"""Requests go evenly, and what was late is caught up with for a moment only."""

from __future__ import annotations

import pytest

from stepdown.replay.pace import Pace, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"), [("50", 50.0), ("50/s", 50.0), ("0.5/s", 0.5), ("600/m", 10.0), ("3600 / h", 1.0)]
)
def test_rates_are_read(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0", "0/s", "-1/s", "50/d", "fast", "50/s/s", "1e3"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed a rate such as 50/s"):
        parse_rate(text)


def test_requests_are_spread_evenly() -> None:
    pace = Pace(10.0, now=100.0)
    assert [round(pace.wait(100.0), 6) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    assert round(pace.wait(100.35), 6) == 0.05


def test_only_a_second_is_caught_up_with() -> None:
    pace = Pace(10.0, now=0.0)
    waits = [round(pace.wait(60.0), 6) for _ in range(12)]
    assert waits[:11] == [0.0] * 11
    assert waits[11] == 0.1


def test_without_a_rate_nobody_waits() -> None:
    pace = Pace(0.0, now=0.0)
    assert {pace.wait(0.0) for _ in range(1000)} == {0.0}
