"""A shadow whose copies all fail is left alone for longer and longer, and is asked again as soon as it answers."""

from __future__ import annotations

import pytest

from stepdown.comparer.breaker import AFTER, FIRST, LONGEST, Breaker
from stepdown.comparer.results import Outcome

FAILURES: list[Outcome] = ["refused", "reset", "cut", "timeout", "malformed", "too-large"]
ANSWERS: list[Outcome] = ["answered", "error"]


def failing(breaker: Breaker, times: int, outcome: Outcome = "reset", now: float = 0.0) -> list[bool]:
    """So many copies that fail, one after the other; for each whether the shadow is left alone from then on."""
    return [breaker.ended(outcome, now, trial=breaker.began()) for _ in range(times)]


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    assert failing(breaker, AFTER, now=now) == [False] * (AFTER - 1) + [True]
    return breaker


@pytest.mark.parametrize("outcome", FAILURES)
def test_it_takes_so_many_failures_in_a_row(outcome: Outcome) -> None:
    breaker = Breaker()
    assert not any(failing(breaker, AFTER - 1, outcome))
    assert breaker.room(0.0) is None
    assert failing(breaker, 1, outcome) == [True]
    assert breaker.room(0.0) == 0


@pytest.mark.parametrize("outcome", ANSWERS)
def test_an_answer_among_them_begins_the_row_anew(outcome: Outcome) -> None:
    breaker = Breaker()
    failing(breaker, AFTER - 1)
    assert not breaker.ended(outcome, 0.0, trial=breaker.began())
    assert not any(failing(breaker, AFTER - 1))
    assert breaker.room(0.0) is None


def test_what_is_not_the_shadow_s_fault_counts_for_nothing() -> None:
    breaker = Breaker()
    failing(breaker, AFTER - 1)
    assert not any(failing(breaker, 100, "pending"))
    assert failing(breaker, 1) == [True]


def test_after_a_while_one_copy_may_go_and_no_second_one_beside_it() -> None:
    breaker = opened(now=100.0)
    assert breaker.room(100.0 + FIRST - 0.01) == 0
    assert breaker.room(100.0 + FIRST) == 1
    assert breaker.began()
    assert breaker.room(100.0 + FIRST) == 0


def test_each_failure_doubles_the_time_up_to_a_limit() -> None:
    breaker, now, lasted = opened(), 0.0, []
    for _ in range(8):
        lasted.append(breaker.seconds)
        now += breaker.seconds
        assert breaker.room(now) == 1
        assert breaker.ended("timeout", now, trial=breaker.began())
    assert lasted == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, LONGEST]


def test_one_answer_ends_it_and_the_next_time_is_short_again() -> None:
    breaker = opened()
    breaker.ended("reset", 1.0, trial=breaker.began())
    assert breaker.seconds == 2 * FIRST
    assert not breaker.ended("answered", 3.0, trial=breaker.began())
    assert (breaker.room(3.0), breaker.seconds) == (None, 0.0)
    assert failing(breaker, AFTER, now=4.0)[-1]
    assert breaker.seconds == FIRST


def test_copies_that_were_on_their_way_before_lengthen_nothing_and_take_no_trial() -> None:
    breaker = opened()
    assert not any(breaker.ended("reset", 0.5, trial=False) for _ in range(64))
    assert breaker.seconds == FIRST
    assert breaker.room(FIRST) == 1
    assert breaker.began()
    breaker.ended("reset", FIRST, trial=False)
    assert breaker.room(FIRST) == 0  # the trial is still on its way


def test_one_of_those_that_is_answered_after_all_ends_it() -> None:
    breaker = opened()
    breaker.ended("answered", 0.5, trial=False)
    assert breaker.room(0.5) is None


def test_a_trial_that_says_nothing_of_the_shadow_is_followed_by_another() -> None:
    breaker = opened()
    assert not breaker.ended("pending", FIRST, trial=breaker.began())
    assert breaker.room(FIRST) == 1
