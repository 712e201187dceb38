"""Rehearsed rollouts: ours and peers on the same windows, each to its own end, told together."""

from __future__ import annotations

import math
from random import Random

import pytest

from stepdown.decide.rollout_spec import Share
from stepdown.rollout.peers import Check
from stepdown.rollout.rehearsal import Ended, Outcome, rehearse, rehearse_all, shortest, together, unattended
from stepdown.rollout.simulate import Traffic
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import CLICKS, ERRORS, rollout

RATES = {"errors": 0.001, "clicks": 0.04}
CHECKS = (Check("errors", 0.01), Check("clicks", 0.036, "fall"))


def traffic(checks: tuple[Check, ...] = CHECKS, **candidate: float) -> Traffic:
    return Traffic(2000, RATES, candidate, checks)


def test_an_equal_candidate_is_promoted_after_the_shortest_time_and_peers_take_it_back() -> None:
    rules = rollout(guards=(ERRORS, CLICKS))
    ended = rehearse(Walk(rules), traffic(), Random(1))
    assert (ended.phase, ended.step, ended.windows) == ("promoted", 3, 40)
    assert shortest(rules, 2000) == 40
    assert ended.threshold is not None


def test_after_a_rollback_peers_are_watched_to_their_own_end() -> None:
    ended = rehearse(Walk(rollout(guards=(ERRORS, CLICKS))), traffic(errors=0.2), Random(1))
    assert (ended.phase, ended.step) == ("rolled back", 0)
    assert ended.threshold == 5  # five failed checks
    assert ended.consecutive == 3
    assert "errors came from the candidate" in ended.sentence


def test_without_checks_it_is_over_with_the_rollback() -> None:
    ended = rehearse(Walk(rollout(guards=(ERRORS,))), traffic((), errors=0.2), Random(1))
    assert (ended.threshold, ended.consecutive) == (None, None)


def test_a_step_waits_for_its_units_and_that_is_counted() -> None:
    assert shortest(rollout(5, 100, least_units=1000), 2000) == 10 + 10
    assert shortest(rollout(5, 100, least_units=10_000), 2000) == 100 + 10


def test_people_let_everything_on_at_once() -> None:
    rules = unattended(rollout(5, 100, gate=True, promotion="manual"))
    (ended,) = rehearse_all(rules, traffic((), errors=0.001), [7], Random)
    assert ended.phase == "promoted"


def test_a_rollout_that_is_never_sure_is_held_and_given_up() -> None:
    sure = rollout(5, 100, guards=(Share(name="errors", kind="errors", margin=0.01),))
    ended = rehearse(Walk(sure), traffic(()), Random(1))
    assert (ended.phase, ended.windows) == ("stepping", 200)


def test_each_number_has_its_own_dice_whoever_rehearses_it() -> None:
    rules = rollout(guards=(ERRORS, CLICKS))
    whole = rehearse_all(rules, traffic(clicks=0.03), range(6), Random)
    assert whole[2:4] == rehearse_all(rules, traffic(clicks=0.03), [2, 3], Random)


def test_rehearsals_are_told_together() -> None:
    found = together(
        [
            Ended("rolled back", 1, 12, "first", 5, None),
            Ended("rolled back", 0, 4, "second", None, None),
            Ended("promoted", 3, 40, "", 9, 3),
            Ended("stepping", 3, 400, "", None, None),
        ],
        4,
    )
    assert found.ours == Outcome(4, 2, 1, (4, 12))
    assert found.ours.held == 1
    assert (found.ours.within(0.5), found.ours.within(0.9)) == (12, math.inf)
    assert found.threshold == Outcome(4, 2, 2, (5, 9))
    assert found.consecutive == Outcome(4, 1, 3, (3,))
    assert (found.steps, found.durations, found.example) == ((1, 1, 0, 0), (40,), "first")


def test_of_none_there_is_nothing_to_tell() -> None:
    with pytest.raises(ValueError, match="no rehearsal"):
        together([], 4)
