"""A rollout as it is shown: the ladder, each guard with its numbers, in plain data that JSON can say."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling, Driven, Hook, MetricServer, Query, Rollout, Step, Threshold
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Measurement, Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.members import RolloutView, VerdictView
from stepdown.rollout.position import Candidate
from stepdown.rollout.view import e_of, verdict_view, view
from tests.kit.rollouts import CLICKS, ERRORS, FOUR, rollout, window
from tests.kit.walked import One


def shown(one: One, **changes: Any) -> RolloutView:
    standing = one.standing()
    fields = standing._asdict() | changes
    return view(fields.pop("rollout"), fields.pop("position"), **fields)


def test_before_a_start_all_of_the_ladder_is_to_come_and_nothing_is_known() -> None:
    seen = shown(One(rollout(5, 100)))
    assert (seen.phase, seen.run, seen.step, seen.steps, seen.weight) == ("pending", 0, 0, 2, 0.0)
    assert [step.state for step in seen.ladder] == ["to come", "to come"]
    assert (seen.guards, seen.evidence, seen.running, seen.ended) == ([], None, False, False)
    assert (seen.stable, seen.candidate.version, seen.candidate.endpoints) == ("1.1.0", "2.0.0", "aa")


def test_the_ladder_says_what_has_passed_where_it_is_and_what_is_to_come() -> None:
    one = One(rollout(5, 25, 100)).started().sees(10).sees(3)
    seen = shown(one, route="r", rule="everyone", said="so", holder="pod-1", leads=False, differs=("weights",))
    assert [(step.number, step.weight, step.state) for step in seen.ladder] == [
        (1, 5, "passed"),
        (2, 25, "now"),
        (3, 100, "to come"),
    ]
    assert [step.seconds for step in seen.ladder] == [None, 180.0, None]
    assert [step.units.candidate for step in seen.ladder] == [500, 750, 0]
    assert seen.ladder[0].e is not None
    assert seen.ladder[0].e < 2
    assert seen.ladder[2].e is None
    assert (seen.step, seen.weight, seen.running) == (2, 25, True)
    assert (seen.route, seen.rule, seen.said, seen.differs) == ("r", "everyone", "so", ["weights"])
    assert (seen.store.leads, seen.store.holder, seen.store.state) == (False, "pod-1", "ok")


def test_a_step_says_what_it_asks_for() -> None:
    step = Step(weight=0.5, segment="beta", shadow=3.0, least_duration=60, least_units=7, deadline=90, gate=True)
    spec = rollout()
    (first, *_) = shown(One(msgspec.structs.replace(spec, steps=(step, *spec.steps)))).ladder
    assert (first.segment, first.shadow, first.least_seconds, first.least_units) == ("beta", 3.0, 60, 7)
    assert (first.deadline, first.manual) == (90, True)


@pytest.mark.parametrize(
    ("event", "states"),
    [
        (events.AbortedByHand, ["passed", "taken back", "to come"]),
        (events.PromotedByHand, ["passed", "passed", "skipped"]),
        (events.Paused, ["passed", "now", "to come"]),
    ],
)
def test_a_ladder_that_was_left_says_where(event: type[events.Event], states: list[str]) -> None:
    one = One(rollout(5, 25, 100)).started().sees(10)
    one.does(event, who="ann")
    assert [step.state for step in shown(one).ladder] == states


def test_a_guard_of_shares_has_its_evidence_its_interval_and_its_counts() -> None:
    one = One(rollout(50, 100, guards=FOUR)).started().sees(errors=(30, 10), slow=(5, 5), clicks=(20, 20))
    errors, slow, contract, clicks = shown(one).guards
    assert (errors.name, errors.type, errors.kind, errors.must_not, errors.verdict) == (
        "errors",
        "share",
        "errors",
        "rise",
        "ok",
    )
    assert errors.events is not None
    assert errors.trials is not None
    assert (errors.events.candidate, errors.events.stable) == (30, 10)
    assert (errors.trials.candidate, errors.trials.stable) == (500, 500)
    assert errors.interval is not None
    assert errors.interval.high is not None
    assert errors.interval.of == "ratio"
    assert 1 < errors.interval.low < 3 < errors.interval.high
    assert errors.e is not None
    assert slow.e is not None
    assert errors.e > slow.e
    assert errors.level == pytest.approx(4 / 0.05)
    assert clicks.must_not == "fall"
    assert (contract.verdict, contract.sentence[:35]) == ("inconclusive", "contract cannot be read: no data; u")
    together = shown(one).evidence
    assert together is not None
    assert together.level == pytest.approx(1 / 0.05)
    assert together.e == pytest.approx(sum(guard.e or 0.0 for guard in shown(one).guards) / 4)


def test_a_ceiling_has_the_candidates_rate_and_nothing_of_stable() -> None:
    spec = rollout(5, 100, guards=(Ceiling(name="limit", kind="errors", limit=0.05, prove=True),))
    (guard,) = shown(One(spec).started().sees(errors=(1, 19))).guards
    assert (guard.type, guard.limit, guard.must_not, guard.verdict) == ("ceiling", 0.05, "rise", "needs-more")
    assert guard.interval is not None
    assert guard.interval.of == "rate"
    assert guard.interval.low < 1 / 50
    assert guard.events is not None
    assert (guard.events.candidate, guard.events.stable) == (1, None)
    assert guard.trials is not None
    assert (guard.trials.candidate, guard.trials.stable) == (50, None)


def test_a_threshold_has_its_measurements_and_no_evidence() -> None:
    guard = Threshold(name="rate", success="result >= 0.95", count=5, interval=60, failure_limit=2)
    one = One(rollout(5, 100, guards=(guard,))).started()
    values = tuple(Measurement(at=float(at), value=value) for at, value in enumerate(("0.99", "0.5")))
    one.window(Window(stage=0, share=0.05, begin=0, end=60, measured={"rate": values}))
    (seen,) = shown(one).guards
    assert (seen.type, seen.kind, seen.must_not, seen.e, seen.level) == ("threshold", "", "", None, None)
    assert seen.measured is not None
    assert (seen.measured.status, seen.measured.successful, seen.measured.failed) == ("running", 1, 1)
    assert (seen.missing, seen.events, seen.interval) == (3, None, None)
    assert shown(one).evidence is None
    assert shown(one).ladder[0].e is None


def test_a_guard_says_who_counts_for_it() -> None:
    server = MetricServer(url="http://localhost:1")
    guards = (
        Threshold(name="asked", source=Query(servers=(server,), query="up")),
        Threshold(name="hooked", source=Hook(server=server)),
        ERRORS,
    )
    assert [guard.source for guard in shown(One(rollout(guards=guards)).started()).guards] == [
        "prometheus",
        "webhook",
        "",
    ]


def test_trials_that_somebody_else_counts_are_shown_in_the_place_of_units() -> None:
    hook = Hook(server=MetricServer(url="http://localhost:1"), reads="counts")
    guard = msgspec.structs.replace(ERRORS, source=hook)
    one = One(rollout(50, 100, guards=(guard,))).started()
    seen = window(0, 0.5)
    counted = Counted(events=Arms(candidate=4, stable=5), trials=Arms(candidate=40, stable=60))
    one.window(msgspec.structs.replace(seen, kinds={"errors": counted}))
    trials = shown(one).guards[0].trials
    assert trials is not None
    assert (trials.candidate, trials.stable) == (40, 60)


def test_a_rollback_keeps_what_led_to_it_in_view_with_the_quarantine() -> None:
    spec = rollout(50, 100, cool_down=3600.0)
    one = One(spec).started().sees(20, errors=(40, 5))
    seen = shown(one)
    assert (seen.phase, seen.ended, seen.weight) == ("rolled back", True, 0.0)
    assert [step.state for step in seen.ladder] == ["taken back", "to come"]
    assert seen.evidence is not None
    assert seen.evidence.e >= seen.evidence.level
    assert [one.version for one in seen.quarantine] == ["2.0.0"]
    assert seen.cool_down == 3600.0
    assert shown(one, now=one.now + 600).cool_down == 3000.0
    assert seen.ladder[0].seconds is None


def test_what_is_applied_here_is_what_the_snapshot_has() -> None:
    one = One(rollout()).started()
    assert shown(one).applied == 0.0
    driven = Driven(run=1, step=0, weight=5, stable="1.1.0")
    assert shown(one, rollout=msgspec.structs.replace(one.walk.rollout, driven=driven)).applied == 5


def test_steps_and_guards_that_a_reload_took_away_are_not_made_up() -> None:
    one = One(rollout(5, 25, 100)).started().sees(10).sees(1)
    shorter = rollout(5)
    other = rollout(5, 25, guards=(CLICKS, ERRORS))
    ceiling = rollout(5, 25, guards=(Ceiling(name="c", kind="errors", limit=0.1),))
    assert shown(one, rollout=shorter).guards == []
    assert shown(one, rollout=shorter).evidence is None
    assert shown(one, rollout=other).guards == []
    assert shown(one, rollout=ceiling).guards == []
    assert shown(one, rollout=ceiling).ladder[0].e is None
    assert shown(one, rollout=shorter).verdict.outcome == "inconclusive"


def walked(spec: Rollout) -> list[One]:
    """In every phase."""
    found = [One(spec), One(spec).started()]
    for event in (events.Paused, events.AbortedByHand, events.PromotedByHand, events.StoreLost):
        one = One(spec).started().sees(2)
        one.does(event, **({"who": "ann"} if event is not events.StoreLost else {}))
        found.append(one)
    broken = One(spec).started()
    broken.does(events.Flushed, flush=Flush(requests=Arms(candidate=90), failures=Arms(candidate=90)))
    mismatched = One(spec).started()
    mismatched.window(msgspec.structs.replace(window(0, 0.05), units=Arms(candidate=900, stable=100)))
    gated = One(rollout(5, 100, gate=True, guards=spec.guards)).started().sees(10)
    late = One(rollout(5, 100, deadline=60.0, guards=spec.guards)).started().sees(3)
    return [*found, broken, mismatched, gated, late]


def test_in_every_phase_it_is_json_that_reads_back_with_every_member() -> None:
    phases = set()
    for one in walked(rollout(5, 100, guards=FOUR)):
        seen = shown(one)
        phases.add(seen.phase)
        text = msgspec.json.encode(seen)
        assert msgspec.json.decode(text, type=RolloutView) == seen
        assert set(json.loads(text)) == set(RolloutView.__struct_fields__)
        said = verdict_view(seen)
        assert msgspec.json.decode(msgspec.json.encode(said), type=VerdictView) == said
    assert phases >= {"pending", "stepping", "paused", "aborted", "promoted", "blind", "rolled back", "frozen", "gated"}


def test_evidence_beyond_all_numbers_is_a_number_that_json_can_say() -> None:
    assert e_of(1e6) == pytest.approx(1e300)
    assert e_of(-1e6) == 0.0
    assert e_of(math.log(60)) == pytest.approx(60)


def test_a_verdict_has_the_numbers_that_it_was_made_of() -> None:
    one = One(rollout(5, 25, 100)).started().sees(10).sees(2)
    said = verdict_view(shown(one))
    assert (said.rollout, said.phase, said.step, said.steps, said.weight, said.run) == (
        "churn-2",
        "stepping",
        2,
        3,
        25,
        1,
    )
    assert (said.outcome, said.score, said.of) == ("inconclusive", 0, "step")
    assert (said.units.candidate, said.units.stable) == (500, 1500)
    assert [guard.name for guard in said.guards] == ["errors"]
    assert said.evidence is not None
    assert said.evidence.guards == 1
    assert said.waits_for == ["2 min of 10 min"]
    before = verdict_view(shown(One(rollout())))
    assert (before.units.candidate, before.candidate.version) == (0, "2.0.0")


def test_another_candidate_in_the_file_begins_before_the_ladder() -> None:
    one = One(rollout()).started()
    one.does(events.CandidateChanged, candidate=Candidate(version="2.1.0", endpoints="cc"))
    seen = shown(one)
    assert (seen.phase, seen.candidate.version, seen.ladder[0].state) == ("pending", "2.1.0", "to come")
    assert (seen.step, seen.guards, seen.evidence) == (0, [], None)
