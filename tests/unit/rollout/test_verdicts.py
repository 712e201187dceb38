"""One word for deployment tools: success only of what has passed, failure only of what is bad, never on no data."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling
from stepdown.rollout import events
from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.guards.conditions import condition
from stepdown.rollout.judge import panels
from stepdown.rollout.position import Candidate
from stepdown.rollout.verdicts import SCORES, Verdict, asked_of, verdict
from stepdown.rollout.waiting import Look
from tests.kit.rollouts import ERRORS, rollout, window
from tests.kit.walked import TWO, One

OTHER = Candidate(version="2.1.0", endpoints="cc")


def said(one: One, of: str = "step", **changes: Any) -> Verdict:
    spec = one.walk.rollout
    return verdict(Look(spec, panels(spec), one.position, one.now)._replace(**changes), of)


def gated() -> One:
    return One(rollout(5, 25, 100, gate=True)).started().sees(10)


def test_before_a_start_it_is_inconclusive() -> None:
    found = said(One(rollout()))
    assert (found.outcome, found.score) == ("inconclusive", 0)
    assert found.sentence == "pending: waits for a start"


def test_on_its_way_it_is_inconclusive_with_what_it_waits_for() -> None:
    found = said(One(rollout(5, 25, 100)).started().sees(10).sees(2))
    assert found.outcome == "inconclusive"
    assert found.sentence == "stepping at step 2 of 3 (25 %): waits for 2 min of 10 min"


def test_a_step_that_waits_for_a_person_is_a_success_of_the_step_and_not_of_the_rollout() -> None:
    one = gated()
    assert said(one).outcome == "success"
    assert said(one).sentence == "step 1 of 3 (5 %) has passed and waits for a person to let it on"
    assert said(one, "1").outcome == "success"
    assert said(one, "2").outcome == "inconclusive"
    assert said(one, "rollout").outcome == "inconclusive"


def test_a_step_let_on_stays_a_success_and_the_next_one_begins_inconclusive() -> None:
    one = gated()
    one.does(events.Resumed, who="argo")
    assert said(one, "1").sentence == "step 1 of 3 (5 %) has passed"
    assert said(one).outcome == "inconclusive"
    one.sees(10)
    assert said(one, "2").outcome == "success"


def test_all_that_it_takes_to_pass_is_a_success_before_the_window_ends() -> None:
    one = One(rollout(5, 100)).started().sees(9)
    assert said(one).outcome == "inconclusive"
    one.now += 60
    found = said(one)
    assert (found.outcome, found.score) == ("success", 1)
    assert found.sentence.startswith("step 1 of 2 (5 %) passes: 10 min at 5 % with 450 units of the candidate, E = ")
    assert said(one, "rollout").outcome == "inconclusive"


@pytest.mark.parametrize("of", ["step", "rollout", "1", "2"])
def test_promoted_is_a_success_of_everything(of: str) -> None:
    one = One(rollout(5, 100)).started()
    one.does(events.PromotedByHand, who="ann")
    assert said(one, of).outcome == "success"
    assert said(one, of).sentence == "2.0.0 was promoted and has all traffic"


@pytest.mark.parametrize("of", ["step", "rollout", "1", "2"])
def test_rolled_back_and_aborted_are_failures_of_everything(of: str) -> None:
    aborted = gated()
    aborted.does(events.AbortedByHand, who="ann")
    assert (said(aborted, of).outcome, said(aborted, of).score) == ("failure", -1)
    back = One(rollout(5, 100)).started()
    back.does(events.Flushed, flush=Flush(requests=Arms(candidate=90), failures=Arms(candidate=90)))
    assert said(back, of).sentence == "2.0.0 was rolled back, and 1.1.0 has all traffic"


def test_worse_is_a_failure_before_it_is_rolled_back() -> None:
    """A store that is slow, or a replica that follows, may know it sooner than the weights do."""
    one = One(rollout(50, 100)).started()
    known = One(rollout(50, 100)).started().sees(20, errors=(40, 5)).position
    assert known.phase == "rolled back"
    one.position = msgspec.structs.replace(known, phase="stepping", quarantined=())
    found = said(one)
    assert found.outcome == "failure"
    assert re.match(r"2\.0\.0 is worse: errors: E = [\d.]+ >= 20 \(alpha 0\.05\): \d+ of \d+ errors", found.sentence)
    assert said(one, store="lost").outcome == "failure"


@pytest.mark.parametrize("event", [events.Paused, events.StoreLost])
def test_held_or_blind_it_is_inconclusive_though_enough_is_there(event: type[events.Event]) -> None:
    one = One(rollout(5, 100)).started().sees(9)
    one.does(event, **({"who": "ann"} if event is events.Paused else {}))
    one.now += 600
    assert said(one).outcome == "inconclusive"


def test_a_wrong_ratio_is_inconclusive_and_no_failure() -> None:
    one = One(rollout(5, 100)).started()
    one.window(msgspec.structs.replace(window(0, 0.05), units=Arms(candidate=900, stable=100)))
    assert one.position.phase == "frozen"
    assert said(one).outcome == "inconclusive"
    assert "in a wrong ratio" in said(one).sentence


def test_a_guard_that_cannot_be_read_is_never_a_success() -> None:
    one = One(rollout(5, 100, guards=(ERRORS, Ceiling(name="limit", kind="timeouts", limit=0.5)))).started()
    one.sees(9, errors=(1, 19))
    one.now += 600
    found = said(one)
    assert found.outcome == "inconclusive"
    assert "limit cannot be read: no data" in found.sentence


@pytest.mark.parametrize(("store", "word"), [("lost", "cannot be stored"), ("missing", "there is no state of it")])
def test_without_its_state_nothing_is_a_success(store: Any, word: str) -> None:
    one = gated()
    assert said(one, store=store).outcome == "inconclusive"
    assert word in said(one, store=store).sentence


def test_what_came_of_another_candidate_says_nothing_of_this_one() -> None:
    promoted, back = One(rollout(5)).started(), One(rollout(5, 100)).started()
    promoted.does(events.PromotedByHand, who="ann")
    back.does(events.Flushed, flush=Flush(requests=Arms(candidate=90), failures=Arms(candidate=90)))
    for one, phase in ((promoted, "promoted"), (back, "rolled back")):
        assert one.position.candidate == TWO
        one.position = msgspec.structs.replace(one.position, candidate=OTHER)
        assert said(one).outcome == "inconclusive"
        assert said(one).sentence == f"2.1.0 was not started; the rollout before it was {phase}"


@pytest.mark.parametrize("of", ["0", "4", "-1", "steps", "", "1.0", "²"])
def test_only_what_there_is_can_be_asked_about(of: str) -> None:
    with pytest.raises(ValueError, match=f'of: found "{of}"; allowed "step", "rollout" or a step from 1 to 3'):
        asked_of(of, 3)


def test_what_is_asked_about_is_kept_in_one_spelling() -> None:
    assert [asked_of(of, 12) for of in ("step", "rollout", "12", "03")] == ["step", "rollout", "12", "3"]


def test_argos_conditions_on_the_score_are_the_outcome() -> None:
    success, failure = condition("result > 0"), condition("result < 0")
    for outcome, score in SCORES.items():
        assert success(float(score)) is (outcome == "success")
        assert failure(float(score)) is (outcome == "failure")
