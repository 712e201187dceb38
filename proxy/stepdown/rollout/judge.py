"""All guards of a stage together: what they know, and the one decision that comes of it.

The decisions, of which the first that holds counts:

    mismatch      units are not assigned in the shares that were asked for: nothing can be decided (level 0.001)
    worse         E, averaged over all guards of shares and ceilings, is enough; or a threshold guard failed
    inconclusive  a threshold guard ended neither good nor bad, or the step's deadline has passed
    passed        it lasted long enough, with enough units, and every guard is well
    more          everything else: too early, too few, not shown yet, or something that cannot be read

alpha is split over the stages that have evidence, since each starts anew and any of them can take the candidate back.
Over guards E is averaged: the mean of e-values is one however guards depend on each other, and it is never slower than
splitting alpha between them. Nothing is judged worse before the least number of units; the breaker does not wait.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from stepdown.decide.rollout_spec import Ceiling, Guard, Rollout, Step, Threshold
from stepdown.decide.spec_base import Spec
from stepdown.rollout import sentences
from stepdown.rollout.counts import SHADOW_DIFFERENT, Arms, Window
from stepdown.rollout.guards.kinds import State, kind
from stepdown.rollout.guards.reading import Reading, Terms, Verdict
from stepdown.rollout.guards.threshold import ThresholdState
from stepdown.statistics.evidence import log_mean, reaches
from stepdown.statistics.sample_ratio import LEVEL, mismatch_evidence

Decision = Literal["mismatch", "worse", "inconclusive", "passed", "more"]


class Evidence(Spec, frozen=True):
    """What is known of one stage."""

    units: Arms = Arms()
    share: float = 0.0
    """pi of the latest window."""
    windows: int = 0
    guards: tuple[State, ...] = ()
    """In the order of the panel; empty before the first window."""


class Panel(NamedTuple):
    """The guards that watch one stage, and on what terms."""

    step: Step
    guards: tuple[Guard, ...]
    terms: Terms


def panels(rollout: Rollout) -> tuple[Panel, ...]:
    """One for each step."""
    seats = [tuple(guard for guard in rollout.guards if watches(guard, step)) for step in rollout.steps]
    evident = [sum(not isinstance(guard, Threshold) for guard in guards) for guards in seats]
    stages = max(sum(count > 0 for count in evident), 1)
    return tuple(
        Panel(step, guards, Terms(rollout.alpha, stages, max(count, 1), rollout.sustained))
        for step, guards, count in zip(rollout.steps, seats, evident, strict=True)
    )


def watches(guard: Guard, step: Step) -> bool:
    """Whether a guard can say anything at a step: shares need both arms, and a warm-up only has its copies."""
    if isinstance(guard, Threshold):
        return True
    if not step.weight:
        return isinstance(guard, Ceiling) and guard.kind == SHADOW_DIFFERENT
    return isinstance(guard, Ceiling) or step.weight < 100


def gathered(evidence: Evidence, panel: Panel, window: Window) -> Evidence:
    """What is known with one more window."""
    return Evidence(
        units=evidence.units.plus(window.units),
        share=window.share,
        windows=evidence.windows + 1,
        guards=tuple(
            kind(guard).update(state, guard, panel.terms, window) for state, guard in _seated(evidence, panel)
        ),
    )


def opened(evidence: Evidence) -> Evidence:
    """With what ended neither good nor bad measured anew: a person lets it have another look."""
    guards = tuple(
        ThresholdState() if isinstance(state, ThresholdState) and state.ended == "inconclusive" else state
        for state in evidence.guards
    )
    return msgspec.structs.replace(evidence, guards=guards)


def decide(evidence: Evidence, panel: Panel, elapsed: float) -> Decision:
    """On a stage that has lasted for so many seconds."""
    step = panel.step
    if mismatched(evidence):
        return "mismatch"
    failed = _a_threshold_is("rollback", evidence, panel)
    if _enough_units(evidence, step) and (failed or mean_log_e(evidence, panel) >= panel.terms.level):
        return "worse"
    if _ended_inconclusive(evidence, panel):
        return "inconclusive"
    late = bool(step.deadline) and elapsed >= step.deadline
    if elapsed >= step.least_duration and _enough_units(evidence, step) and _all_well(evidence, panel):
        return "passed"
    return "inconclusive" if late else "more"


def explain(decision: Decision, evidence: Evidence, panel: Panel, elapsed: float) -> str:
    """Why, in one sentence with its numbers."""
    if decision == "mismatch":
        return _mismatch(evidence)
    if decision == "worse":
        return _worse(evidence, panel)
    if decision == "passed":
        return _passed(evidence, panel, elapsed)
    waits = "; ".join(missing(evidence, panel, elapsed))
    if decision == "inconclusive" and not _ended_inconclusive(evidence, panel):
        return f"{sentences.duration(elapsed)} without a verdict (deadline {_deadline(panel)}): {waits}"
    return waits


def missing(evidence: Evidence, panel: Panel, elapsed: float) -> list[str]:
    """Everything that a step still waits for."""
    step, units = panel.step, evidence.units.candidate
    waits = []
    if elapsed < step.least_duration:
        waits.append(f"{sentences.duration(elapsed)} of {sentences.duration(step.least_duration)}")
    if not _enough_units(evidence, step):
        waits.append(f"{sentences.number(units)} of {sentences.number(step.least_units)} units of the candidate")
    waits.extend(reading.sentence for reading in readings(evidence, panel) if reading.verdict != "ok")
    return waits


def mean_log_e(evidence: Evidence, panel: Panel) -> float:
    """Logarithm of E averaged over the guards of shares and ceilings: against "the candidate is no worse in any"."""
    logs = [log_e for log_e, _, _ in _evident(evidence, panel)]
    return log_mean(logs) if logs else 0.0


def mismatched(evidence: Evidence) -> bool:
    """Whether units are assigned in other shares than were asked for."""
    return 0 < evidence.share < 1 and reaches(_mismatch_evidence(evidence), LEVEL)


def readings(evidence: Evidence, panel: Panel) -> list[Reading]:
    """What each guard says, for people."""
    return [kind(guard).reading(state, guard, panel.terms) for state, guard in _seated(evidence, panel)]


def _seated(evidence: Evidence, panel: Panel) -> list[tuple[State, Guard]]:
    states = evidence.guards or [kind(guard).begin() for guard in panel.guards]
    return list(zip(states, panel.guards, strict=True))


def _evident(evidence: Evidence, panel: Panel) -> list[tuple[float, State, Guard]]:
    """Those that have evidence, with its logarithm."""
    return [
        (log_e(state, guard), state, guard)
        for state, guard in _seated(evidence, panel)
        if (log_e := kind(guard).log_e) is not None
    ]


def _a_threshold_is(wanted: Verdict, evidence: Evidence, panel: Panel) -> bool:
    return any(
        kind(guard).log_e is None and kind(guard).verdict(state, guard, panel.terms) == wanted
        for state, guard in _seated(evidence, panel)
    )


def _ended_inconclusive(evidence: Evidence, panel: Panel) -> bool:
    return _a_threshold_is("inconclusive", evidence, panel)


def _all_well(evidence: Evidence, panel: Panel) -> bool:
    return all(kind(guard).verdict(state, guard, panel.terms) == "ok" for state, guard in _seated(evidence, panel))


def _enough_units(evidence: Evidence, step: Step) -> bool:
    return not step.weight or evidence.units.candidate >= step.least_units


# --- sentences --------------------------------------------------------------------------------------------------------


def _worse(evidence: Evidence, panel: Panel) -> str:
    said, terms = [], panel.terms
    mean = mean_log_e(evidence, panel)
    if mean >= terms.level:
        said.append(_evidence(evidence, panel, mean))
    said.extend(
        reading.sentence
        for reading in readings(evidence, panel)
        if reading.verdict == "rollback" and reading.log_e is None
    )
    return "; ".join(said)


def _evidence(evidence: Evidence, panel: Panel, mean: float) -> str:
    evident = _evident(evidence, panel)
    most, state, guard = max(evident, key=lambda one: one[0])
    counted = kind(guard).counted
    assert counted is not None
    enough = f"E = {sentences.evidence(mean)} >= {panel.terms.said()}"
    if len(evident) == 1:
        return f"{guard.name}: {enough}: {counted(state, guard)}"
    return (
        f"{enough}, the mean over {len(evident)} guards, most of it of {guard.name}:"
        f" E = {sentences.evidence(most)}: {counted(state, guard)}"
    )


def _passed(evidence: Evidence, panel: Panel, elapsed: float) -> str:
    e = sentences.evidence(mean_log_e(evidence, panel))
    return (
        f"{sentences.duration(elapsed)} at {sentences.weight(panel.step.weight)} with"
        f" {sentences.number(evidence.units.candidate)} units of the candidate, E = {e} < {panel.terms.said()}"
    )


def _mismatch(evidence: Evidence) -> str:
    e, units = sentences.evidence(_mismatch_evidence(evidence)), evidence.units
    return (
        f"sample ratio: E = {e} >= {sentences.number(1 / LEVEL)} (alpha {LEVEL:g}):"
        f" {sentences.number(units.candidate)} of {sentences.number(units.total)} units were the candidate's,"
        f" which had {sentences.percent(evidence.share)} of the assignment"
    )


def _mismatch_evidence(evidence: Evidence) -> float:
    units, share = evidence.units, evidence.share
    return mismatch_evidence((units.candidate, units.stable), (share, 1 - share))


def _deadline(panel: Panel) -> str:
    return sentences.duration(panel.step.deadline)
