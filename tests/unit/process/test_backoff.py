from __future__ import annotations

import pytest

from stepdown.process.backoff import LONGEST_WAIT, STEADY, after_death


def waits(lives: list[float]) -> list[float]:
    """Seconds between each death and the next start, for processes that live so long one after the other."""
    early, start, found = 0, 100.0, []
    for life in lives:
        died = start + life
        early, start = after_death(early, start, died)
        found.append(round(start - died, 6))
    return found


def test_the_first_death_is_answered_at_once() -> None:
    assert waits([0.01]) == [0]
    assert waits([5000.0]) == [0]


def test_a_crash_loop_slows_down_to_five_seconds() -> None:
    assert waits([0.01] * 9) == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]


def test_a_crash_loop_of_weeks_is_still_answered_every_five_seconds() -> None:
    assert waits([0.01] * 100_000)[-1] == LONGEST_WAIT


def test_a_steady_life_ends_the_row() -> None:
    assert waits([0.01, 0.01, 0.01, STEADY, 0.01, 0.01]) == [0, 0.1, 0.2, 0, 0, 0.1]


@pytest.mark.parametrize(("life", "early"), [(STEADY - 0.001, 4), (STEADY, 0)])
def test_early_means_before_the_steady_time(life: float, early: int) -> None:
    assert after_death(3, 50.0, 50.0 + life)[0] == early
