"""What a rollout waits for, and how many requests and how much time that takes if things go on as they do.

An estimate is no promise: it takes what every guard has gathered to grow on as it did, and the requests to come as they
came lately. Where a guard cannot be read, or its evidence does not grow, nothing is estimated. The time that people
take is in no estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from stepdown.decide.rollout_spec import HALF, Rollout, Share, Step, Threshold
from stepdown.rollout import sentences
from stepdown.rollout.guards.ceiling import CeilingState
from stepdown.rollout.guards.kinds import State, kind
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.judge import Evidence, Panel, missing, readings
from stepdown.rollout.plan import until_well
from stepdown.rollout.position import Position, held_at_half

Store = Literal["ok", "lost", "missing", "none"]
"""Of a rollout's state."""


class Place(NamedTuple):
    """The step where a rollout stands, with what is known there."""

    evidence: Evidence
    panel: Panel
    elapsed: float
    """Seconds."""


class Estimate(NamedTuple):
    """What it still takes; `None` is not known."""

    requests: int | None
    """Units of both arms, until the step has passed."""
    seconds: float | None
    """At the rate of lately."""
    ladder: float | None
    """Seconds until the candidate has everything: with the steps to come."""


UNKNOWN = Estimate(None, None, None)


class Look(NamedTuple):
    """One look at a rollout."""

    rollout: Rollout
    panels: Sequence[Panel]
    """Of its steps."""
    position: Position
    now: float
    store: Store = "ok"

    @property
    def at(self) -> Place | None:
        """Where it stands."""
        return place(self.panels, self.position, self.now)


def place(panels: Sequence[Panel], position: Position, now: float) -> Place | None:
    """Where a rollout stands; `None` before a start, and where its guards are not those of which something is known."""
    if not position.run or position.phase == "pending" or not 0 <= position.step < len(panels):
        return None
    panel, known = panels[position.step], position.evidence[position.step :]
    evidence = known[0] if known else Evidence()
    if evidence.guards and [type(state) for state in evidence.guards] != [
        type(kind(guard).begin()) for guard in panel.guards
    ]:
        return None
    return Place(evidence, panel, max(now - position.entered, 0.0))


def step_of(position: Position) -> int:
    """The step where it stands, from 1; 0 before it is started."""
    return position.step + 1 if position.run and position.phase != "pending" else 0


def waits(look: Look) -> list[str]:
    """Everything that has to come before it goes on, a sentence each; empty where nothing has to, or it is over."""
    position, at = look.position, look.at
    match position.phase:
        case "pending" | "promoted" | "aborted" | "rolled back":
            return _before_a_start(position, look.now)
        case "gated":
            return ["a person to let it on (resume)"]
        case "paused":
            return ["a person to resume it"]
        case "inconclusive":
            return ["a person to resume, promote or abort it", *_missing(at)]
        case "frozen":
            return ["a person to resume it, with evidence anew, or to abort it: units were assigned in a wrong ratio"]
        case "blind":
            return ["its store, so that its state can be written again"]
        case "stepping":
            return _missing(at) or _unready(look.rollout, position) or ["the end of the window, to be judged"]


def cooling(position: Position, now: float) -> float:
    """Seconds that are left of the cool-down."""
    return max(position.cool_until - now, 0.0)


def estimate(look: Look, rate: float | None) -> Estimate:
    """Of a rollout that is on its way by itself; `rate` in units of both arms a second."""
    position, at = look.position, look.at
    if position.phase != "stepping" or at is None:
        return UNKNOWN
    requests = _requests(at)
    if requests is None:
        return UNKNOWN
    seconds = _seconds(at, requests, rate)
    later = [_later(panel, at, rate) for panel in look.panels[position.step + 1 :]]
    whole = None
    if seconds is not None and None not in later:
        whole = seconds + sum(each or 0.0 for each in later)
    return Estimate(requests, seconds, whole)


# --- what it waits for ------------------------------------------------------------------------------------------------


def _before_a_start(position: Position, now: float) -> list[str]:
    left = cooling(position, now)
    cool = f" (or --force: {sentences.duration(left)} are left of the cool-down)" if left else ""
    if position.candidate in position.quarantined:
        return [f"a person to start it: {position.candidate.version} is in quarantine{cool}"]
    return [f"a start{cool}"] if position.phase == "pending" or left else []


def _missing(at: Place | None) -> list[str]:
    if at is None:
        return ["guards and steps that are known"]
    found = missing(*at)
    if at.evidence.windows:
        return found
    unread = {reading.sentence for reading in readings(at.evidence, at.panel)}
    rest = [one for one in found if one not in unread]
    return [*rest, "the end of its first window"] if len(rest) < len(found) else rest


def _unready(rollout: Rollout, position: Position) -> list[str]:
    following = (*rollout.steps[position.step + 1 : position.step + 2], Step(weight=100.0))[0]
    if not held_at_half(rollout, position, following.weight, following.segment):
        return []
    return [
        f"{rollout.min_ready} endpoints of {position.stable} that are ready to take it back, of which there are"
        f" {position.ready}: without them the candidate gets no more than {sentences.weight(HALF)}"
    ]


# --- how long ---------------------------------------------------------------------------------------------------------


def _requests(at: Place) -> int | None:
    """Units of both arms; 0 where there are enough."""
    step, evidence = at.panel.step, at.evidence
    share = step.weight / 100
    wanted = [max(step.least_units - evidence.units.candidate, 0) / share if share else 0.0]
    states = evidence.guards or [kind(guard).begin() for guard in at.panel.guards]
    for state, reading in zip(states, readings(evidence, at.panel), strict=True):
        if reading.verdict in ("inconclusive", "rollback"):
            return None
        if reading.verdict == "needs-more":
            if reading.missing is None:
                return None
            wanted.append(_units(state, reading.missing, evidence, share))
    return math.ceil(max(wanted))


def _units(state: State, lacking: int, evidence: Evidence, share: float) -> float:
    """Units of both arms that bring so many more of what a guard counts, by what they brought so far."""
    if isinstance(state, ShareState):
        return lacking * evidence.units.total / state.total
    if isinstance(state, CeilingState):
        per_unit = state.trials / evidence.units.candidate if evidence.units.candidate else 1.0
        return lacking / per_unit / (share or 1.0)
    return 0.0


def _seconds(at: Place, requests: int, rate: float | None) -> float | None:
    if requests and not rate:
        return None
    wanted = [at.panel.step.least_duration - at.elapsed, requests / rate if rate else 0.0]
    for reading, guard in zip(readings(at.evidence, at.panel), at.panel.guards, strict=True):
        if isinstance(guard, Threshold):
            wanted.append((reading.missing or 0) * guard.interval)
    return max(0.0, *wanted)


def _later(panel: Panel, at: Place, rate: float | None) -> float | None:
    """Seconds that a step to come will take, with guards as well as they are."""
    step, share = panel.step, panel.step.weight / 100
    requests = [step.least_units / share if share else 0.0]
    for guard in panel.guards:
        if isinstance(guard, Share) and guard.margin is not None:
            usual = _usual(guard, at)
            well = until_well(guard, usual, share, panel.terms) if usual else None
            if well is None:
                return None
            requests.append(well)
    if not rate:
        return None
    seconds = max(step.least_duration, max(requests) / rate)
    return min(seconds, step.deadline) if step.deadline else seconds


def _usual(guard: Share, at: Place) -> float:
    """Events a unit that stable has, as far as this step has shown; 0 where it has not."""
    for state, known in zip(at.evidence.guards, at.panel.guards, strict=False):
        if known == guard and isinstance(state, ShareState) and at.evidence.units.stable:
            return (state.total - state.candidate) / at.evidence.units.stable
    return 0.0
