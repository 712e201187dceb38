"""Where one rollout stands, as a store keeps it, and what it asks for when that changes."""

from __future__ import annotations

from typing import NamedTuple

from stepdown.decide.rollout_spec import HALF, Rollout
from stepdown.decide.spec_base import Spec
from stepdown.rollout.guards.breaker import BreakerState
from stepdown.rollout.judge import Evidence
from stepdown.rollout.phases import Phase


class Candidate(Spec, frozen=True):
    """Who is quarantined: a version together with what runs it, since another build of it is another candidate."""

    version: str
    endpoints: str
    """Digest of its endpoints."""


class Position(Spec, frozen=True):
    """Everything that is known of a rollout."""

    stable: str
    """The version that takes over again, and"""
    candidate: Candidate
    """the one that is brought in."""
    good: str
    """The last version that was promoted, or stable where none was."""
    phase: Phase = "pending"
    before: Phase = "pending"
    """The phase that it goes back to when its store is found again."""
    run: int = 0
    """Times it was started."""
    step: int = 0
    """Place of the step, from 0."""
    weight: float = 0.0
    """Per cent that the candidate has."""
    entered: float = 0.0
    """When the step began, or was let on after it had no verdict."""
    evidence: tuple[Evidence, ...] = ()
    """Of each step so far: what comes late counts where its unit was assigned."""
    breaker: BreakerState = BreakerState()
    quarantined: tuple[Candidate, ...] = ()
    cool_until: float = 0.0
    ready: int = 0
    """Endpoints of stable that are ready."""


class Apply(NamedTuple):
    """Give the candidate this weight, in every worker of every replica."""

    step: int
    weight: float
    segment: str | None = None
    shadow: float = 0.0
    everywhere: bool = False
    """Stable takes the candidate's place in every rule, flag and fallback of the route."""


class Quarantine(NamedTuple):
    """Give this candidate nothing until a person starts it again, across reloads and restarts."""

    candidate: Candidate


class Release(NamedTuple):
    """It was started again by a person."""

    candidate: Candidate


class Alert(NamedTuple):
    """Tell people."""

    sentence: str


Effect = Apply | Quarantine | Release | Alert


class Transition(NamedTuple):
    """What one event makes of a position."""

    position: Position
    effects: tuple[Effect, ...] = ()
    sentence: str = ""
    """What happened, or why nothing did, with its numbers; empty where there is nothing to say."""
    moved: bool = False
    """The phase or the step is another: this is written into the history."""


def begin(rollout: Rollout, candidate: Candidate, before: Position | None = None, now: float = 0.0) -> Position:
    """A rollout that was not started yet; `before` is where the last one of its rule ended.

    It starts from the last good version where the file's stable is one that was taken back.
    """
    if before is None:
        return Position(stable=rollout.stable, candidate=candidate, good=rollout.stable)
    taken_back = {one.version for one in before.quarantined}
    stable = before.good if rollout.stable in taken_back else rollout.stable
    return Position(
        stable=stable,
        candidate=candidate,
        good=before.good,
        run=before.run,
        quarantined=before.quarantined,
        cool_until=before.cool_until if before.cool_until > now else 0.0,
        ready=before.ready,
    )


def held_at_half(rollout: Rollout, position: Position, weight: float, segment: str | None) -> bool:
    """Whether the candidate does not get this: it is more than half, and too few of stable's endpoints are ready.

    They have to be ready to take it back; what the same users have already is not asked about again.
    """
    here = rollout.steps[position.step].segment if position.step < len(rollout.steps) else None
    had = position.weight if segment == here else 0.0
    return weight > max(HALF, had) and position.ready < rollout.min_ready
