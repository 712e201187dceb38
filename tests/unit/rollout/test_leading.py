"""What whoever decides makes of a document: runs begin, windows end, files change, and requests see where it stands."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.rollout import events, leading
from stepdown.rollout.batch import Cell, Counts
from stepdown.rollout.counts import Arms
from stepdown.rollout.document import terms_of
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.leading import Led
from stepdown.rollout.looking import Totals
from stepdown.rollout.position import Candidate
from tests.kit.rollouts import rollout

TWO = Candidate(version="2.0.0", endpoints="aa")
REBUILT = Candidate(version="2.0.0", endpoints="bb")
THREE = Candidate(version="3.0.0", endpoints="cc")
BUILDS = {"1.1.0": "11", "2.0.0": "aa", "3.0.0": "cc"}
FILE = rollout(least_units=10)


class Play:
    """One document, a clock that moves by the minute, and totals that grow."""

    def __init__(self, declared: Rollout = FILE) -> None:
        self.declared = declared
        self.document = leading.first(declared, TWO)
        self.now = 1000.0
        self.totals: dict[Cell, Counts] = {}
        self.led = Led(self.document)
        self.takes(leading.simply(self.document, declared, events.StableReady(now=self.now, ready=1)))

    def takes(self, led: Led) -> Led:
        self.led, self.document = led, led.document
        return led

    def asks(self, event: type[events.ByHand], **fields: Any) -> Led:
        asked = event(now=self.now, who="ann", **fields)
        return self.takes(leading.hand(self.document, self.declared, asked, self.totals, f"salt {self.now:g}"))

    def starts(self) -> Play:
        self.totals = {}
        self.asks(events.Started)
        return self

    def adds(self, stage: int, kind: str, candidate: tuple[int, int], stable: tuple[int, int]) -> None:
        for arm, (trials, happened) in (("candidate", candidate), ("stable", stable)):
            cell = Cell(stage, "candidate" if arm == "candidate" else "stable", kind)
            had = self.totals.get(cell, Counts())
            self.totals[cell] = Counts(had.trials + trials, had.events + happened)

    def minute(self, candidate: float = 0.01, stable: float = 0.01, units: int = 1000) -> Led:
        """Of traffic at the step, with these rates of errors."""
        step = self.document.position.step
        mine = round(units * self.declared.steps[step].weight / 100)
        self.adds(step, "units", (mine, 0), (units - mine, 0))
        self.adds(step, "errors", (0, round(mine * candidate)), (0, round((units - mine) * stable)))
        self.now += 60
        return self.takes(leading.window(self.document, self.declared, self.totals, self.now))

    def minutes(self, number: int, **rates: float) -> Led:
        for _ in range(number):
            if self.minute(**rates).happened:
                break
        return self.led

    def adopts(self, declared: Rollout, candidate: Candidate = TWO, *segments: str) -> Led:
        self.declared = declared
        return self.takes(leading.adopt(self.document, declared, candidate, segments, self.now))

    @property
    def driven(self) -> Driven | None:
        return leading.driven(self.document, BUILDS)


def test_a_start_begins_a_run_with_terms_and_a_salt_of_its_own() -> None:
    play = Play().starts()
    document = play.document
    assert (document.terms, document.salt, document.since, document.judged) == (terms_of(FILE), "salt 1000", 1000.0, ())
    assert play.driven == Driven(run=1, step=0, weight=5.0, stable="1.1.0", salt="salt 1000", evidence=True)
    (started,) = play.led.happened
    assert (started.before, started.phase, started.run, started.weight) == ("pending", "stepping", 1, 5.0)
    assert started.sentence == document.said == play.led.sentence
    play.asks(events.AbortedByHand)
    play.now += 10
    play.starts()
    assert (play.document.salt, play.document.position.run) == ("salt 1010", 2)
    assert play.document.over == ((1, 1000.0),)


def test_a_healthy_candidate_walks_to_its_promotion_and_nothing_is_judged_twice() -> None:
    play = Play().starts()
    for step in range(4):
        assert play.document.position.step == step
        assert play.minutes(30).happened
    assert play.document.position.phase == "promoted"
    units = sum((one.units.total for one in play.document.position.evidence), 0)
    assert units == sum(counts.trials for counts in play.totals.values())
    assert play.driven == Driven(run=1, step=3, weight=100.0, stable="1.1.0", salt="salt 1000")


def test_what_a_worse_candidate_comes_to() -> None:
    play = Play().starts()
    led = play.minutes(30, candidate=0.5)
    assert led.takes_back
    assert led.happened[0].alert
    assert play.driven == Driven(run=1, step=0, weight=0.0, stable="1.1.0", salt="salt 1000", taken_back=True)
    assert play.document.over == ((1, play.now),)


def test_the_breaker_sees_requests_once_and_takes_back_by_the_fiftieth() -> None:
    play = Play().starts()
    for place in range(1, 50):
        play.adds(0, "requests", (1, 1), (19, 0))
        led = play.takes(leading.flush(play.document, play.declared, play.totals, play.now))
        assert not led.happened, place
        again = leading.flush(play.document, play.declared, play.totals, play.now)
        assert again == Led(play.document)
    play.adds(0, "requests", (1, 1), (19, 0))
    led = play.takes(leading.flush(play.document, play.declared, play.totals, play.now))
    assert led.takes_back
    assert "50 of the candidate's last 50 requests failed" in led.sentence


def test_a_replica_that_is_alone_has_its_breaker() -> None:
    play = Play().starts()
    play.takes(leading.simply(play.document, play.declared, events.StoreLost(now=play.now)))
    assert play.document.position.phase == "blind"
    flush = Flush(requests=Arms(candidate=60, stable=1000), failures=Arms(candidate=60))
    assert play.takes(leading.flushed(play.document, play.declared, flush, play.now)).takes_back


def test_what_was_counted_while_the_assignment_was_wrong_is_no_evidence() -> None:
    play = Play().starts()
    play.adds(0, "units", (900, 0), (100, 0))
    assert play.minute(units=0).happened[0].phase == "frozen"
    assert play.driven is not None
    assert play.driven.evidence
    play.adds(0, "units", (500, 0), (100, 0))
    play.adds(0, "errors", (0, 500), (0, 0))
    play.asks(events.Resumed)
    assert play.document.position.phase == "stepping"
    assert play.document.totals == play.totals
    assert not play.minute().happened
    assert play.document.position.evidence[0].units.total == 1000


def test_a_window_ends_by_the_clock_and_only_while_something_is_open() -> None:
    play = Play()
    assert not leading.is_due(play.document, FILE, 1e9)
    play.starts()
    assert not leading.is_due(play.document, FILE, 1059.0)
    assert leading.is_due(play.document, FILE, 1060.0)
    play.minute()
    assert not leading.is_due(play.document, FILE, 1060.0)
    play.asks(events.PromotedByHand)
    assert not leading.is_due(play.document, FILE, 1e9)


def test_what_is_slow_is_frozen_with_the_step() -> None:
    play = Play().starts()
    assert leading.with_slow(play.document, 0.0) == play.document
    play.document = leading.with_slow(play.document, 0.25)
    assert leading.with_slow(play.document, 0.5) == play.document
    assert play.driven is not None
    assert play.driven.slow == 0.25
    play.minutes(30)
    assert play.document.position.step == 1
    assert play.document.slow_now == 0.0
    assert leading.with_slow(play.document, 0.5).slow == (0.25, 0.5)
    skipped = msgspec.structs.replace(play.document, slow=())
    assert leading.with_slow(skipped, 0.5).slow == (0.0, 0.5)


def test_nothing_is_slow_where_nothing_runs() -> None:
    play = Play()
    assert leading.with_slow(play.document, 0.5) == play.document


def test_other_steps_and_guards_in_the_file_count_from_the_next_start() -> None:
    play = Play().starts()
    other = rollout(50, least_units=10, window=1.0)
    assert not play.adopts(other).happened
    assert leading.terms(play.document, other) == FILE
    assert not leading.is_due(play.document, other, 1059.0)
    play.asks(events.AbortedByHand)
    assert leading.terms(play.document, other) == other
    play.starts()
    assert play.document.position.weight == 50.0


@pytest.mark.parametrize("asked", [events.Paused, events.Resumed])
def test_another_build_of_the_candidate_ends_the_run(asked: type[events.ByHand]) -> None:
    play = Play().starts()
    play.asks(asked)
    (ended,) = play.adopts(FILE, REBUILT).happened
    assert (ended.phase, ended.alert) == ("pending", True)
    assert "endpoints of 2.0.0 are others" in ended.sentence
    assert play.driven is None
    assert play.document.over == ((1, 1000.0),)
    assert play.starts().document.position.run == 2


def test_another_candidate_in_the_file_is_pending_under_its_own_terms() -> None:
    play = Play().starts()
    third = rollout(candidate="3.0.0")
    (ended,) = play.adopts(third, THREE).happened
    assert "it is 3.0.0 now" in ended.sentence
    position = play.document.position
    assert (position.phase, position.candidate, position.run, position.evidence) == ("pending", THREE, 1, ())
    assert play.driven is None
    assert not play.adopts(third, THREE).happened


def test_another_stable_version_in_the_file_ends_the_run() -> None:
    play = Play().starts()
    (ended,) = play.adopts(rollout(stable="1.2.0")).happened
    assert "stable is another: it is 1.2.0 now, and what is known was against 1.1.0" in ended.sentence
    assert (play.document.position.phase, play.document.position.stable) == ("pending", "1.2.0")


def test_the_next_candidate_after_a_promotion_is_against_what_was_promoted() -> None:
    play = Play().starts()
    play.asks(events.PromotedByHand)
    assert not play.adopts(FILE).happened
    (next_one,) = play.adopts(rollout(stable="2.0.0", candidate="3.0.0"), THREE).happened
    assert next_one.sentence == "the file brings in 3.0.0 for 2.0.0: pending until it is started"
    position = play.document.position
    assert (position.stable, position.good, position.phase) == ("2.0.0", "2.0.0", "pending")


def test_after_a_rollback_the_next_one_starts_from_the_last_good_version_and_the_build_stays_out() -> None:
    play = Play().starts()
    play.minutes(30, candidate=0.5)
    play.adopts(rollout(stable="2.0.0", candidate="3.0.0"), THREE)
    assert play.document.position.stable == "1.1.0"
    assert play.driven == Driven(run=1, step=0, weight=0.0, stable="1.1.0", salt="salt 1000", quarantined=("2.0.0",))
    assert not play.adopts(rollout(stable="2.0.0", candidate="3.0.0"), THREE).happened
    rebuilt = leading.driven(play.document, {**BUILDS, "2.0.0": "bb"})
    assert rebuilt is not None
    assert rebuilt.quarantined == ()


def test_a_build_in_quarantine_stays_out_when_the_file_names_it_again() -> None:
    play = Play().starts()
    play.minutes(30, candidate=0.5)
    play.adopts(rollout(candidate="3.0.0"), THREE)
    play.adopts(FILE, TWO)
    assert play.driven is not None
    assert (play.document.position.phase, play.driven.taken_back) == ("pending", True)
    assert play.starts().driven is not None
    assert play.document.position.quarantined == ()


def test_a_run_for_a_segment_that_is_gone_from_the_file_ends() -> None:
    beta = Step(weight=5, segment="beta", least_duration=600.0)
    declared = msgspec.structs.replace(FILE, steps=(beta, *FILE.steps))
    play = Play(declared).starts()
    assert not play.adopts(declared, TWO, "beta", "other").happened
    (ended,) = play.adopts(FILE, TWO, "other").happened
    assert ended.sentence == "pending: a segment of its steps is gone from the file; 1.1.0 has all traffic"
    assert (play.document.position.phase, play.document.position.weight, play.driven) == ("pending", 0.0, None)


def test_a_promotion_that_is_undone_gives_stable_everything_everywhere_without_quarantine() -> None:
    play = Play().starts()
    play.asks(events.PromotedByHand)
    assert play.document.position.good == "2.0.0"
    led = play.asks(events.UndoneByHand)
    assert led.sentence.startswith("aborted at step 1 of 4 (100 %): by ann; 1.1.0 has all traffic")
    assert (play.document.position.quarantined, play.document.position.good) == ((), "1.1.0")
    assert play.driven is not None
    assert play.driven.taken_back
    assert not play.asks(events.UndoneByHand).happened


def test_an_abort_before_the_first_start_takes_nothing_from_anybody() -> None:
    play = Play()
    play.asks(events.AbortedByHand)
    assert (play.document.position.phase, play.driven) == ("aborted", None)


def test_runs_that_were_forgotten_are_off_the_list() -> None:
    play = Play()
    known = msgspec.structs.replace(play.document, over=((1, 5.0), (2, 6.0)))
    assert leading.without_runs(known, [1]).over == ((2, 6.0),)


def test_units_of_all_stages_add_up() -> None:
    totals: Totals = {
        Cell(0, "stable", "units"): Counts(5, 0),
        Cell(1, "stable", "units"): Counts(6, 0),
        Cell(1, "candidate", "units"): Counts(7, 0),
        Cell(1, "candidate", "errors"): Counts(9, 9),
    }
    assert leading.units_so_far(totals) == Arms(candidate=7, stable=11)
