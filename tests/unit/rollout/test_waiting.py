"""What a rollout waits for, and estimates that are right where they can be and absent where they cannot."""

from __future__ import annotations

import math

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling, Share, Step, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Measurement, Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.judge import panels, readings
from stepdown.rollout.plan import until_well
from stepdown.rollout.waiting import UNKNOWN, Estimate, Look, estimate, waits
from tests.kit.rollouts import ERRORS, rollout, window
from tests.kit.walked import One

MARGIN = Share(name="errors", kind="errors", margin=0.5)


def look(one: One) -> Look:
    spec = one.walk.rollout
    return Look(spec, panels(spec), one.position, one.now)


def estimated(one: One, rate: float | None = 100.0) -> Estimate:
    return estimate(look(one), rate)


# --- what it waits for ------------------------------------------------------------------------------------------------


def test_before_it_was_started_it_waits_for_that() -> None:
    assert waits(look(One(rollout()))) == ["a start"]


def test_a_step_waits_for_time_units_and_guards_and_then_for_its_window() -> None:
    one = One(rollout(5, 100, guards=(MARGIN,))).started()
    one.sees(1, errors=(1, 19))
    time, units, guard = waits(look(one))
    assert (time, units) == ("1 min of 10 min", "50 of 100 units of the candidate")
    assert guard.startswith("errors: that it is not worse by 50 % is not shown yet, E = ")
    plain = One(rollout(5, 100)).started().sees(9)
    plain.now += 60
    assert waits(look(plain)) == ["the end of the window, to be judged"]


def test_in_its_first_window_a_step_does_not_speak_of_guards_one_by_one() -> None:
    one = One(rollout(5, 100, guards=(ERRORS, MARGIN))).started()
    assert waits(look(one)) == ["0 s of 10 min", "0 of 100 units of the candidate", "the end of its first window"]
    bare = One(rollout(5, 100, guards=())).started()
    assert waits(look(bare)) == ["0 s of 10 min", "0 of 100 units of the candidate"]


def test_before_more_than_half_it_waits_for_stables_endpoints() -> None:
    one = One(rollout(25, 100, min_ready=3)).started().sees(30)
    assert one.position.step == 0
    assert waits(look(one)) == [
        "3 endpoints of 1.1.0 that are ready to take it back, of which there are 1: without them the candidate gets no"
        " more than 50 %"
    ]
    one.does(events.StableReady, ready=3)
    assert waits(look(one)) == ["the end of the window, to be judged"]
    last = One(rollout(5, min_ready=3)).started().sees(30)
    assert "3 endpoints of 1.1.0" in waits(look(last))[0]
    steps = (Step(weight=100, segment="beta", least_units=1, least_duration=60), Step(weight=60))
    beta = One(rollout(min_ready=1, steps=steps)).started()
    beta.does(events.StableReady, ready=0)
    beta.sees(1)
    assert "1 endpoints of 1.1.0" in waits(look(beta))[0]


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (events.Paused, "a person to resume it"),
        (events.StoreLost, "its store, so that its state can be written again"),
    ],
)
def test_held_it_says_for_whom(event: type[events.Event], word: str) -> None:
    one = One(rollout()).started()
    one.does(event, **({"who": "ann"} if event is events.Paused else {}))
    assert waits(look(one)) == [word]


def test_without_a_verdict_it_waits_for_a_person_and_still_says_what_is_missing() -> None:
    one = One(rollout(5, 100, deadline=120.0)).started().sees(2)
    assert one.position.phase == "inconclusive"
    assert waits(look(one)) == ["a person to resume, promote or abort it", "2 min of 10 min"]


def test_a_gated_step_and_a_wrong_ratio_wait_for_a_person() -> None:
    gated = One(rollout(5, 100, gate=True)).started().sees(10)
    assert waits(look(gated)) == ["a person to let it on (resume)"]
    frozen = One(rollout()).started()
    frozen.window(msgspec.structs.replace(window(0, 0.05), units=Arms(candidate=900, stable=100)))
    assert waits(look(frozen))[0].startswith("a person to resume it, with evidence anew")


def test_after_the_end_it_waits_for_nothing_but_what_a_start_would_wait_for() -> None:
    one = One(rollout(5, 100, cool_down=600.0)).started()
    one.does(events.AbortedByHand, who="ann")
    assert waits(look(one)) == []
    one = One(rollout(5, 100, cool_down=600.0)).started()
    one.does(events.Flushed, flush=Flush(requests=Arms(candidate=90), failures=Arms(candidate=90)))
    assert waits(look(one)) == [
        "a person to start it: 2.0.0 is in quarantine (or --force: 10 min are left of the cool-down)"
    ]
    one.now += 600
    assert waits(look(one)) == ["a person to start it: 2.0.0 is in quarantine"]


def test_after_a_reload_took_its_step_away_it_says_so() -> None:
    one = One(rollout(5, 25, 100)).started().sees(10)
    shorter = rollout(5)
    assert waits(look(one)._replace(rollout=shorter, panels=panels(shorter))) == ["guards and steps that are known"]


# --- for how long -----------------------------------------------------------------------------------------------------


def test_units_of_the_candidate_take_as_many_requests_as_its_share_says() -> None:
    one = One(rollout(5, 100, least_units=200)).started().sees(1)
    found = estimated(one, rate=2.0)
    assert found.requests == 3000  # 150 units at 5 %
    assert found.seconds == 1500.0
    assert found.ladder == 1500.0 + 600.0


def test_where_units_are_enough_the_time_of_the_step_counts() -> None:
    one = One(rollout(5, 25, 100)).started().sees(4)
    assert estimated(one) == Estimate(0, 360.0, 360.0 + 600.0 + 600.0)
    assert estimated(one, None) == Estimate(0, 360.0, None)


def test_without_a_rate_requests_are_known_and_time_is_not() -> None:
    one = One(rollout(5, 100, least_units=200)).started().sees(1)
    assert estimated(one, None) == Estimate(3000, None, None)
    assert estimated(one, 0.0) == Estimate(3000, None, None)


def test_an_estimate_of_a_proof_is_about_what_it_then_takes() -> None:
    one = One(rollout(50, 100, guards=(MARGIN,), least_duration=60.0)).started().sees(2, errors=(20, 20))
    found = estimated(one)
    assert found.requests is not None
    for number in range(2, 200):
        if one.position.step:
            break
        one.sees(1, errors=(20, 20))
        seen = number + 1
    assert found.requests / 1000 + 2 == pytest.approx(seen, abs=1.0)


@pytest.mark.parametrize(("trials", "per_unit"), [(None, 1.0), (Arms(candidate=10, stable=190), 0.2)])
def test_a_proof_of_a_ceiling_counts_the_candidates_trials(trials: Arms | None, per_unit: float) -> None:
    """Of 1,000 units 50 are the candidate's, of whose answers all are trials, or a part."""
    limit = Ceiling(name="limit", kind="errors", limit=0.3 if trials else 0.1, prove=True)
    one = One(rollout(5, 100, guards=(limit,), least_units=0)).started()
    seen = Counted(events=Arms(candidate=1), trials=trials)
    one.window(msgspec.structs.replace(window(0, 0.05), kinds={"errors": seen}))
    at = look(one).at
    assert at is not None
    (reading,) = readings(at.evidence, at.panel)
    assert reading.missing is not None
    found = estimated(one)
    assert found.requests == math.ceil(reading.missing / per_unit / 0.05)


def test_a_guard_that_cannot_be_read_makes_everything_unknown() -> None:
    one = One(rollout(5, 100, guards=(ERRORS,))).started()
    one.sees(1, slow=(1, 1))
    assert estimated(one) == UNKNOWN
    assert estimated(One(rollout()).started()) == UNKNOWN


def test_a_proof_that_does_not_grow_has_no_end() -> None:
    one = One(rollout(50, 100, guards=(MARGIN,))).started().sees(1, errors=(30, 18))
    assert estimated(one) == UNKNOWN


def test_measurements_take_their_interval() -> None:
    guard = Threshold(name="rate", success="result > 0", count=20, interval=60.0)
    one = One(rollout(5, 100, guards=(guard,))).started()
    seen = window(0, 0.05, units=4000)
    one.window(msgspec.structs.replace(seen, measured={"rate": (Measurement(at=1.0, value="1"),)}))
    found = estimated(one)
    assert (found.requests, found.seconds) == (0, 19 * 60.0)


def test_later_steps_take_their_own_proofs_at_stables_rate() -> None:
    one = One(rollout(5, 50, 100, guards=(MARGIN,), least_duration=0.0)).started().sees(1, errors=(1, 19))
    spec = one.walk.rollout
    found = estimated(one, rate=1.0)
    assert found.seconds is not None
    assert found.ladder is not None
    half = panels(spec)[1]
    well = until_well(MARGIN, 19 / 950, 0.5, half.terms)
    assert well is not None
    assert found.ladder - found.seconds == pytest.approx(max(well, 200) + 100)


def test_without_any_event_of_stable_later_proofs_are_unknown() -> None:
    one = One(rollout(5, 50, 100, guards=(MARGIN, ERRORS), least_duration=0.0)).started()
    one.window(
        Window(
            stage=0, share=0.05, begin=0, end=60, units=Arms(candidate=500, stable=9500), kinds={"errors": Counted()}
        )
    )
    assert estimated(one).ladder is None


def test_a_deadline_ends_a_later_step_whatever_it_takes() -> None:
    one = One(rollout(5, 100, deadline=900.0, least_units=10_000)).started().sees(1)
    found = estimated(one, rate=1.0)
    assert found.ladder is not None
    assert found.seconds is not None
    assert found.ladder - found.seconds == 900.0


@pytest.mark.parametrize("event", [events.Paused, events.AbortedByHand])
def test_what_waits_for_a_person_or_is_over_has_no_estimate(event: type[events.Event]) -> None:
    one = One(rollout()).started().sees(2)
    one.does(event, who="ann")
    assert estimated(one) == UNKNOWN


def test_a_warm_up_takes_no_units() -> None:
    one = One(rollout(0, 5, guards=())).started()
    one.window(window(0, 0.0, units=0))
    assert estimated(one) == Estimate(0, 600.0, 600.0 + 600.0)
