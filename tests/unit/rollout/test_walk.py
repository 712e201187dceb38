"""A rollout's walk, as a play: events in, phase, weights and sentences out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Rollout, Step, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Measurement, Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.position import (
    Alert,
    Apply,
    Candidate,
    Position,
    Quarantine,
    Release,
    Transition,
    begin,
)
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import rollout, window

TWO = Candidate(version="2.0.0", endpoints="aa")
REBUILT = Candidate(version="2.0.0", endpoints="bb")
FINE, BAD = {"errors": (1, 19)}, {"errors": (20, 20)}


class Play:
    """One rollout with a clock that moves by the minute."""

    def __init__(self, spec: Rollout | None = None, ready: int = 1, before: Position | None = None) -> None:
        self.walk = Walk(spec or rollout())
        self.position = begin(self.walk.rollout, TWO, before)
        self.now = 0.0
        self.last = Transition(self.position)
        self.does(events.StableReady, ready=ready)

    def does(self, event: type[events.Event], **fields: Any) -> Transition:
        self.last = self.walk.after(self.position, event(now=self.now, **fields))
        self.position = self.last.position
        return self.last

    def started(self) -> Play:
        self.does(events.Started, who="ann")
        return self

    def sees(self, times: int = 1, stage: int | None = None, **counted: Any) -> Transition:
        """Windows of the step where it stands, or of another."""
        for _ in range(times):
            at = self.position.step if stage is None else stage
            share = self.walk.rollout.steps[at].weight / 100
            self.now += 60
            one = window(at, share, int(self.now // 60) - 1, **(counted or {"errors": (round(20 * share), 20)}))
            self.does(events.WindowEnded, window=msgspec.structs.replace(one, run=self.position.run))
            if self.last.moved:
                break
        return self.last

    @property
    def stands(self) -> tuple[str, int, float]:
        return self.position.phase, self.position.step, self.position.weight


def test_a_healthy_candidate_walks_all_steps_and_is_promoted() -> None:
    play = Play().started()
    seen = [play.stands]
    while play.position.phase == "stepping":
        play.sees(20)
        assert play.last.moved
        seen.append(play.stands)
    assert seen == [
        ("stepping", 0, 5),
        ("stepping", 1, 25),
        ("stepping", 2, 50),
        ("stepping", 3, 100),
        ("promoted", 3, 100),
    ]
    assert play.position.good == "2.0.0"
    assert play.now == 4 * 600


def test_each_step_is_said_with_its_numbers() -> None:
    play = Play()
    assert play.does(events.Started, who="ann").sentence == "started with step 1 of 4 (5 %): by ann"
    assert play.last.effects == (Apply(0, 5.0),)
    sentence = play.sees(10, **FINE).sentence
    assert sentence.startswith(
        "step 1 of 4 (5 %) passed, on to step 2 of 4 (25 %): 10 min at 5 % with 500 units of the candidate, E = 0."
    )
    assert play.last.effects == (Apply(1, 25.0),)


def test_a_worse_candidate_loses_everything_at_once_and_is_quarantined() -> None:
    play = Play(rollout(cool_down=3600.0)).started()
    found = play.sees(10, **BAD)
    assert play.stands == ("rolled back", 0, 0)
    assert found.sentence.startswith("rolled back at step 1 of 4 (5 %): errors: E = ")
    assert found.sentence.endswith(
        " errors came from the candidate, which had 5 % of the assignment; 1.1.0 has all traffic"
    )
    assert found.effects == (Apply(0, 0.0, everywhere=True), Quarantine(TWO), Alert(found.sentence))
    assert play.position.quarantined == (TWO,)
    assert play.position.cool_until == play.now + 3600


def test_only_a_person_starts_again_what_was_rolled_back_and_not_before_it_cooled_down() -> None:
    play = Play(rollout(cool_down=3600.0)).started()
    play.sees(10, **BAD)
    assert play.does(events.Started).sentence == "2.0.0 is in quarantine: a person has to start it"
    assert play.does(events.Started, who="ann").sentence == "cool-down: 1 h left"
    assert play.does(events.CooledDown).sentence == "cool-down: 1 h left"
    play.now += 3600
    assert play.does(events.CooledDown).effects == (Alert(play.last.sentence),)
    assert play.stands == ("rolled back", 0, 0)
    found = play.does(events.Started, who="ann")
    assert play.stands == ("stepping", 0, 5)
    assert found.effects == (Apply(0, 5.0), Release(TWO))
    assert play.position.quarantined == ()
    assert play.position.run == 2


def test_a_person_may_insist_before_it_cooled_down() -> None:
    play = Play(rollout(cool_down=3600.0)).started()
    play.sees(10, **BAD)
    assert play.does(events.Started, who="ann", force=True).moved


def test_what_was_promoted_or_aborted_is_not_started_again_by_the_configuration() -> None:
    for event in (events.PromotedByHand, events.AbortedByHand):
        play = Play().started()
        play.does(event, who="ann")
        assert not play.does(events.Started).moved
        assert "a person has to start it" in play.last.sentence
        assert play.does(events.Started, who="ann").moved


def test_the_configuration_starts_what_is_pending() -> None:
    play = Play()
    assert play.does(events.Started).sentence == "started with step 1 of 4 (5 %): by the configuration"


def test_the_same_build_stays_in_quarantine_over_a_change_to_another_and_back() -> None:
    play = Play().started()
    play.sees(10, **BAD)
    play.does(events.CandidateChanged, candidate=REBUILT)
    assert play.stands == ("rolled back", 0, 0)
    play.does(events.CandidateChanged, candidate=TWO)
    assert not play.does(events.Started).moved


def test_another_build_of_the_candidate_starts_from_nothing() -> None:
    play = Play().started()
    play.sees(5, **FINE)
    found = play.does(events.CandidateChanged, candidate=REBUILT)
    assert play.stands == ("pending", 0, 0)
    assert found.sentence == (
        "pending at step 1 of 4 (5 %): the candidate is another: endpoints of 2.0.0 are others, and what is known was"
        " of 2.0.0 as it was; 1.1.0 has all traffic"
    )
    assert play.does(events.CandidateChanged, candidate=REBUILT).sentence == ""
    play.does(events.CandidateChanged, candidate=Candidate(version="2.1.0", endpoints="cc"))
    assert "it is 2.1.0 now" in play.last.sentence
    play.started()
    assert play.position.evidence[0].windows == 0


def test_a_second_rollout_starts_from_the_last_good_version() -> None:
    play = Play().started()
    play.sees(10, **BAD)
    after = Play(rollout(stable="2.0.0", candidate="2.1.0"), before=play.position)
    assert after.position.stable == "1.1.0"
    assert after.position.quarantined == (TWO,)
    promoted = Play().started()
    promoted.does(events.PromotedByHand, who="ann")
    assert Play(rollout(stable="2.0.0", candidate="2.1.0"), before=promoted.position).position.stable == "2.0.0"


def test_the_next_rollout_does_not_start_a_quarantined_candidate_by_itself() -> None:
    play = Play().started()
    play.sees(10, **BAD)
    again = Play(before=play.position)
    assert again.does(events.Started).sentence == "2.0.0 is in quarantine: a person has to start it"
    assert again.stands == ("pending", 0, 0)
    other = Play(before=play.position)
    other.now = play.now
    other.does(events.CandidateChanged, candidate=REBUILT)
    assert other.does(events.Started).moved


def test_a_cool_down_holds_for_the_next_rollout_too() -> None:
    play = Play(rollout(cool_down=3600.0)).started()
    play.sees(10, **BAD)
    again = begin(play.walk.rollout, REBUILT, play.position, play.now)
    assert again.cool_until == play.now + 3600
    assert begin(play.walk.rollout, REBUILT, play.position, play.now + 3600).cool_until == 0


def test_a_gated_step_waits_for_a_person() -> None:
    play = Play(rollout(gate=True)).started()
    assert play.sees(20, **FINE).effects == (Alert(play.last.sentence),)
    assert play.stands == ("gated", 0, 5)
    play.sees(20, **FINE)
    assert play.stands == ("gated", 0, 5)
    play.does(events.Resumed, who="ann")
    assert play.stands == ("stepping", 1, 25)


def test_with_manual_promotion_the_last_step_waits_for_a_person() -> None:
    play = Play(rollout(50, promotion="manual")).started()
    play.sees(20)
    assert play.stands == ("gated", 0, 50)
    found = play.does(events.Resumed, who="ann")
    assert play.stands == ("promoted", 0, 100)
    assert found.sentence == "promoted at step 1 of 1 (50 %): by ann; 2.0.0 has all traffic"


@pytest.mark.parametrize("held", ["paused", "gated", "inconclusive"])
def test_what_is_held_keeps_its_weight_and_is_still_taken_back_when_it_is_worse(held: str) -> None:
    play = Play(rollout(gate=held == "gated", deadline=1200.0)).started()
    if held == "paused":
        play.does(events.Paused, who="ann")
    elif held == "gated":
        play.sees(20, **FINE)
    else:
        play.sees(30, slow=(0, 0))
    assert play.stands == (held, 0, 5)
    play.sees(10, **FINE)
    assert play.stands == (held, 0, 5)
    play.sees(20, **BAD)
    assert play.stands == ("rolled back", 0, 0)


def test_a_paused_rollout_goes_on_with_what_it_knows() -> None:
    play = Play().started()
    play.sees(5, **FINE)
    play.does(events.Paused, who="ann")
    assert play.does(events.Resumed, who="ann").effects == ()
    assert play.stands == ("stepping", 0, 5)
    assert play.position.evidence[0].windows == 5
    assert play.position.entered == 0.0


def test_a_step_without_a_verdict_at_its_deadline_is_held_and_gets_its_time_once_more() -> None:
    play = Play(rollout(deadline=1200.0)).started()
    found = play.sees(30, slow=(0, 0))
    assert play.stands == ("inconclusive", 0, 5)
    assert "20 min without a verdict (deadline 20 min): errors cannot be read: no data" in found.sentence
    play.does(events.Resumed, who="ann")
    assert play.position.entered == play.now
    assert not play.sees(19, slow=(0, 0)).moved
    assert play.sees(1, slow=(0, 0)).moved


@pytest.mark.parametrize(
    ("values", "stands"),
    [
        (("0.1",), ("rolled back", 0, 0)),
        ((None,) * 5, ("rolled back", 0, 0)),
        (("0.7",), ("inconclusive", 0, 5)),
        (("0.99",), ("stepping", 0, 5)),
    ],
)
def test_measurements_that_fail_or_cannot_be_taken_take_back_and_open_ones_hold(
    values: tuple[str | None, ...], stands: tuple[str, int, float]
) -> None:
    ready = Threshold(name="ready", success="result >= 0.95", failure="result < 0.5", interval=60)
    play = Play(rollout(guards=(ready,))).started()
    play.sees(2)  # enough units
    play.now += 60
    taken = tuple(
        Measurement(at=play.now, value=value, error="unreachable" if value is None else "") for value in values
    )
    one = msgspec.structs.replace(window(0, 0.05, 2), measured={"ready": taken})
    play.does(events.WindowEnded, window=one)
    assert play.stands == stands
    if stands[0] == "inconclusive":
        play.sees(20)
        assert play.stands == stands
        assert play.does(events.PromotedByHand, who="ann").moved  # it takes a person


def test_a_person_lets_measurements_that_were_neither_good_nor_bad_be_taken_anew() -> None:
    ready = Threshold(name="ready", success="result >= 0.95", failure="result < 0.5", interval=60)
    play = Play(rollout(guards=(ready,))).started()
    play.sees(2)
    play.now += 60

    def measured(value: str) -> Window:
        return msgspec.structs.replace(window(0, 0.05, 2), measured={"ready": (Measurement(at=play.now, value=value),)})

    play.does(events.WindowEnded, window=measured("0.7"))
    assert play.stands == ("inconclusive", 0, 5)
    play.does(events.Resumed, who="ann")
    assert not play.sees(2).moved
    play.now += 60
    play.does(events.WindowEnded, window=measured("0.99"))
    assert play.stands == ("stepping", 0, 5)
    play.does(events.WindowEnded, window=measured("0.7"))
    assert play.stands == ("inconclusive", 0, 5)


def test_a_wrong_assignment_freezes_and_a_person_begins_the_step_anew() -> None:
    play = Play().started()
    play.sees(1, **FINE)
    for _ in range(6):
        play.now += 60
        odd = msgspec.structs.replace(window(0, 0.05, **FINE), units=Arms(candidate=150, stable=850))
        play.does(events.WindowEnded, window=odd)
    assert play.stands == ("frozen", 0, 5)
    play.sees(20, **BAD)
    assert play.stands == ("frozen", 0, 5)
    play.does(events.Resumed, who="ann")
    assert play.stands == ("stepping", 0, 5)
    assert play.position.evidence[0].windows == 0


def test_without_its_store_nothing_advances_and_the_weights_stay() -> None:
    play = Play().started()
    play.does(events.Paused, who="ann")
    assert play.does(events.StoreLost).effects == (Alert(play.last.sentence),)
    assert play.stands == ("blind", 0, 5)
    assert play.does(events.Resumed, who="ann").sentence == "resume: not possible while blind"
    play.sees(20, **BAD)
    assert play.stands == ("blind", 0, 5)
    assert play.does(events.StoreFound).moved
    assert play.stands == ("paused", 0, 5)


@pytest.mark.parametrize("held", ["stepping", "frozen", "blind"])
def test_a_total_outage_is_found_by_the_breaker_whatever_holds_the_rollout(held: str) -> None:
    play = Play().started()
    play.position = msgspec.structs.replace(play.position, phase=held)
    flush = Flush(requests=Arms(candidate=1, stable=19), failures=Arms(candidate=1))
    for _ in range(49):
        assert not play.does(events.Flushed, flush=flush).moved
    found = play.does(events.Flushed, flush=flush)
    assert play.stands == ("rolled back", 0, 0)
    assert found.sentence == (
        "rolled back at step 1 of 4 (5 %): breaker: 50 of the candidate's last 50 requests failed (limit 50 % of at"
        " least 50), and 0 of stable's 950; 1.1.0 has all traffic"
    )
    assert not play.does(events.Flushed, flush=flush).moved


def test_more_than_half_only_while_stable_is_ready_to_take_it_back() -> None:
    play = Play(rollout(50, 100, min_ready=2, deadline=1800.0), ready=1).started()
    found = play.sees(15)
    assert play.stands == ("stepping", 0, 50)
    assert found.sentence == "no more than 50 % while 1.1.0 has 1 of 2 endpoints ready to take it back"
    assert play.does(events.PromotedByHand, who="ann").sentence == found.sentence
    play.does(events.StableReady, ready=2)
    play.sees(1)
    assert play.stands == ("stepping", 1, 100)
    play.does(events.StableReady, ready=0)  # who is there already stays: going back would meet nobody
    play.sees(20)
    assert play.stands == ("promoted", 1, 100)


def test_a_step_that_stable_holds_up_until_its_deadline_is_inconclusive() -> None:
    play = Play(rollout(50, 100, min_ready=2, deadline=1200.0), ready=1).started()
    found = play.sees(30)
    assert play.stands == ("inconclusive", 0, 50)
    assert "no more than 50 %" in found.sentence


def test_what_a_segment_has_is_no_reason_to_give_everybody_as_much() -> None:
    beta = Step(weight=100, segment="beta", least_units=1, least_duration=60)
    everybody = Step(weight=60, least_units=1, least_duration=60)
    play = Play(rollout(min_ready=2, steps=(beta, everybody)), ready=2).started()
    play.does(events.StableReady, ready=1)
    play.sees(2)
    assert play.stands == ("stepping", 0, 100)
    assert play.does(events.PromotedByHand, who="ann").sentence == (
        "no more than 50 % while 1.1.0 has 1 of 2 endpoints ready to take it back"
    )
    play.does(events.StableReady, ready=2)
    assert play.sees().sentence.startswith("step 1 of 2 (100 % of beta) passed, on to step 2 of 2 (60 %): ")
    assert play.stands == ("stepping", 1, 60)


def test_a_first_step_above_half_is_not_entered_without_stable() -> None:
    play = Play(rollout(60), ready=0)
    assert not play.does(events.Started, who="ann").moved
    assert play.stands == ("pending", 0, 0)


def test_segments_and_copies_of_a_step_are_applied_with_it() -> None:
    steps = (Step(weight=0, shadow=20), Step(weight=100, segment="beta"))
    play = Play(msgspec.structs.replace(rollout(), steps=steps, guards=()))
    assert play.does(events.Started, who="ann").effects == (Apply(0, 0.0, shadow=20),)
    play.sees(1, errors=(0, 0))
    assert play.last.effects == (Apply(1, 100.0, "beta"),)


def test_what_comes_late_counts_where_its_unit_was_assigned() -> None:
    play = Play().started()
    play.sees(10, **FINE)
    assert play.stands == ("stepping", 1, 25)
    play.sees(12, stage=0, **BAD)
    assert play.stands == ("rolled back", 1, 0)
    assert play.last.sentence.startswith("rolled back at step 2 of 4 (25 %): late, of step 1: errors: E = ")


def test_windows_of_another_run_or_of_a_step_that_was_not_reached_are_no_evidence() -> None:
    play = Play().started()
    other: Window = msgspec.structs.replace(window(0, 0.05, **BAD), run=7)
    ahead: Window = window(1, 0.25, **BAD)
    for one in (other, ahead):
        assert play.does(events.WindowEnded, window=one) == Transition(play.position)
    assert play.position.evidence[0].windows == 0


def test_what_is_not_for_a_phase_does_nothing_and_says_so() -> None:
    play = Play()
    assert play.does(events.Paused, who="ann").sentence == "pause: not possible while pending"
    assert play.does(events.Resumed, who="ann").sentence == "resume: not possible while pending"
    assert not play.last.moved
    assert play.does(events.AbortedByHand, who="ann").moved
    assert play.stands == ("aborted", 0, 0)


def test_a_position_can_be_kept_as_json_at_any_time() -> None:
    play = Play().started()
    for _ in range(25):
        play.sees(1, **FINE)
        kept = msgspec.json.encode(play.position)
        assert msgspec.json.decode(kept, type=Position) == play.position


def test_a_promotion_is_taken_back_by_hand_at_once() -> None:
    play = Play(rollout(50, 100)).started()
    play.does(events.PromotedByHand, who="ann")
    assert play.position.good == "2.0.0"
    undone = play.does(events.UndoneByHand, who="bob")
    assert undone.sentence == "aborted at step 1 of 2 (100 %): by bob; 1.1.0 has all traffic"
    assert undone.effects == (Apply(0, 0.0, everywhere=True),)
    assert (play.position.phase, play.position.good, play.position.quarantined) == ("aborted", "1.1.0", ())


def test_to_undo_what_runs_is_to_abort_it() -> None:
    play = Play().started()
    assert play.does(events.UndoneByHand, who="bob").position.phase == "aborted"
    assert play.does(events.UndoneByHand, who="bob").sentence == "abort: not possible while aborted"


def test_another_stable_version_ends_what_runs() -> None:
    play = Play().started()
    same = play.does(events.CandidateChanged, candidate=TWO, stable="1.1.0")
    assert not same.moved
    changed = play.does(events.CandidateChanged, candidate=TWO, stable="1.2.0")
    assert (changed.position.phase, changed.position.stable) == ("pending", "1.2.0")


def test_without_a_cool_down_none_ends() -> None:
    play = Play(rollout()).started()
    play.sees(30, errors=(20, 20))
    assert (play.position.phase, play.position.cool_until) == ("rolled back", 0.0)


def test_a_cool_down_is_over_once() -> None:
    play = Play(rollout(cool_down=600.0)).started()
    play.sees(30, errors=(20, 20))
    assert play.position.phase == "rolled back"
    play.now += 600
    assert play.does(events.CooledDown).moved
    assert play.position.cool_until == 0.0
