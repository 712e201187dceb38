"""A rollout as it is shown to machines and printed for people: its position with all that is worked out from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from stepdown.decide.rollout_spec import Ceiling, Guard, Hook, Rollout, Share, Threshold
from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.ceiling import CeilingState
from stepdown.rollout.guards.kinds import State, kind
from stepdown.rollout.guards.reading import Reading, Terms
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.guards.threshold import ThresholdState
from stepdown.rollout.guards.threshold import status as status_of
from stepdown.rollout.judge import Evidence, Panel, mean_log_e, panels, readings
from stepdown.rollout.members import (
    ArmsView,
    CandidateView,
    EstimateView,
    EvidenceView,
    GuardView,
    IntervalView,
    MeasuredView,
    RolloutView,
    StepState,
    StepView,
    StoreView,
    VerdictView,
)
from stepdown.rollout.phases import ENDED, RUNNING
from stepdown.rollout.position import Position
from stepdown.rollout.verdicts import NOW, verdict
from stepdown.rollout.waiting import Look, Place, Store, cooling, estimate, place, step_of, waits

_LARGEST = math.log(1e300)


def verdict_view(whole: RolloutView) -> VerdictView:
    """The part of a rollout that a verdict is made of."""
    said = whole.verdict
    present = whole.ladder[whole.step - 1].units if 0 < whole.step <= whole.steps else ArmsView(candidate=0, stable=0)
    return VerdictView(
        rollout=whole.name,
        stable=whole.stable,
        candidate=whole.candidate,
        outcome=said.outcome,
        score=said.score,
        sentence=said.sentence,
        of=said.of,
        phase=whole.phase,
        run=whole.run,
        step=whole.step,
        steps=whole.steps,
        weight=whole.weight,
        evidence=whole.evidence,
        guards=whole.guards,
        units=present,
        waits_for=whole.waits_for,
    )


def view(
    rollout: Rollout,
    position: Position,
    *,
    route: str,
    rule: str,
    said: str,
    now: float,
    rate: float | None,
    leads: bool,
    holder: str,
    store: Store,
    differs: Sequence[str] = (),
    of: str = NOW,
) -> RolloutView:
    """One rollout (`control.rollouts.asking.Standing` says what the arguments are), and its verdict of `of`."""
    seats = panels(rollout)
    look = Look(rollout, seats, position, now, store)
    at, found = look.at, estimate(look, rate)
    return RolloutView(
        name=rollout.name,
        route=route,
        rule=rule,
        stable=position.stable,
        good=position.good,
        candidate=CandidateView(version=position.candidate.version, endpoints=position.candidate.endpoints),
        phase=position.phase,
        run=position.run,
        step=step_of(position),
        steps=len(seats),
        weight=position.weight,
        applied=rollout.driven.weight if rollout.driven is not None else 0.0,
        running=position.phase in RUNNING,
        ended=position.phase in ENDED,
        said=said,
        waits_for=waits(look),
        estimate=EstimateView(requests=found.requests, seconds=found.seconds, ladder_seconds=found.ladder, rate=rate),
        evidence=_evidence(at),
        guards=_guards(at),
        ladder=[_step(seats, number, position, at) for number in range(len(seats))],
        ready=position.ready,
        min_ready=rollout.min_ready,
        quarantine=[CandidateView(version=one.version, endpoints=one.endpoints) for one in position.quarantined],
        cool_down=cooling(position, now),
        window=rollout.window,
        verdict=verdict(look, of),
        store=StoreView(state=store, leads=leads, holder=holder),
        differs=list(differs),
    )


def e_of(log_e: float) -> float:
    """E of its logarithm, as far as a number goes."""
    return math.exp(min(log_e, _LARGEST))


def _evidence(at: Place | None) -> EvidenceView | None:
    if at is None:
        return None
    count = sum(not isinstance(guard, Threshold) for guard in at.panel.guards)
    if not count:
        return None
    return EvidenceView(e=e_of(mean_log_e(at.evidence, at.panel)), level=e_of(at.panel.terms.level), guards=count)


def _guards(at: Place | None) -> list[GuardView]:
    if at is None:
        return []
    panel, evidence = at.panel, at.evidence
    states = evidence.guards or [kind(guard).begin() for guard in panel.guards]
    found = zip(panel.guards, states, readings(evidence, panel), strict=True)
    return [_guard(guard, state, reading, panel.terms, evidence) for guard, state, reading in found]


def _guard(guard: Guard, state: State, reading: Reading, terms: Terms, evidence: Evidence) -> GuardView:
    limits = isinstance(guard, Ceiling)
    of: Literal["ratio", "rate"] = "rate" if limits else "ratio"
    events, trials = _counted(state, evidence)
    return GuardView(
        name=guard.name,
        type="ceiling" if isinstance(guard, Ceiling) else "share" if isinstance(guard, Share) else "threshold",
        kind="" if isinstance(guard, Threshold) else guard.kind,
        must_not=guard.must_not if isinstance(guard, Share) else "rise" if limits else "",
        limit=guard.limit if isinstance(guard, Ceiling) else None,
        margin=guard.margin if isinstance(guard, Share) else None,
        verdict=reading.verdict,
        sentence=reading.sentence,
        e=e_of(reading.log_e) if reading.log_e is not None else None,
        level=e_of(terms.alone) if reading.log_e is not None else None,
        interval=IntervalView(of=of, low=reading.low, high=reading.high) if reading.low is not None else None,
        events=events,
        trials=trials,
        measured=_measured(state, guard),
        source=_source(guard),
        missing=reading.missing,
    )


def _counted(state: State, evidence: Evidence) -> tuple[ArmsView | None, ArmsView | None]:
    """Events and trials."""
    if isinstance(state, ShareState):
        events = ArmsView(candidate=state.candidate, stable=state.total - state.candidate)
        return events, _arms(state.trials if state.trials.total else evidence.units)
    if isinstance(state, CeilingState):
        return ArmsView(candidate=state.events, stable=None), ArmsView(candidate=state.trials, stable=None)
    return None, None


def _source(guard: Guard) -> Literal["", "prometheus", "webhook"]:
    if guard.source is None:
        return ""
    return "webhook" if isinstance(guard.source, Hook) else "prometheus"


def _measured(state: State, guard: Guard) -> MeasuredView | None:
    if not isinstance(state, ThresholdState) or not isinstance(guard, Threshold):
        return None
    return MeasuredView(
        status=status_of(state, guard),
        successful=state.successful,
        failed=state.failed,
        inconclusive=state.inconclusive,
        errors=state.errors,
    )


def _step(seats: Sequence[Panel], number: int, position: Position, at: Place | None) -> StepView:
    panel = seats[number]
    known = position.evidence[number] if number < len(position.evidence) else Evidence()
    present = position.run and number == position.step and position.phase not in ENDED and position.phase != "pending"
    there = place(seats, msgspec.structs.replace(position, step=number), 0.0)
    judged = known.windows and there is not None and any(not isinstance(guard, Threshold) for guard in panel.guards)
    step = panel.step
    return StepView(
        number=number + 1,
        weight=step.weight,
        segment=step.segment,
        shadow=step.shadow,
        manual=step.gate,
        state=_state(number, position),
        least_seconds=step.least_duration,
        least_units=step.least_units,
        deadline=step.deadline or None,
        seconds=at.elapsed if present and at is not None else None,
        units=_arms(known.units),
        e=e_of(mean_log_e(known, panel)) if judged else None,
    )


def _state(number: int, position: Position) -> StepState:
    if not position.run or position.phase == "pending":
        return "to come"
    if position.phase == "promoted":
        return "passed" if number <= position.step else "skipped"
    if number < position.step:
        return "passed"
    if number > position.step:
        return "to come"
    return "taken back" if position.phase in ENDED else "now"


def _arms(arms: Arms) -> ArmsView:
    return ArmsView(candidate=arms.candidate, stable=arms.stable)
