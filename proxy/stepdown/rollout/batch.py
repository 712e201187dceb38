"""What is counted of a run on its way to a store: batches of counts and of first sightings.

**Evidence** is counted per run of a rollout, stage, arm and kind: how many trials, and in how many the event happened.
It comes in batches, in two ways. Where the request is the unit, a worker counts itself, and the batch has what came in
since the one before. Where a unit counts once however often it is seen (a user, a click), the batch has each sighting,
and the store counts those that are the first.

**A batch counts once.** Its source numbers its batches from 1, and the store keeps the last number that it counted: a
batch with that number or a smaller one was counted already. So a source sends its batches in order, each again, as it
is, until it is acknowledged. A source that starts anew takes a new name.

**What is counted by which kind** (`rollout.counts`):

    requests             trials: completed requests; events: those that failed outright. Each request counts, also of
                         sticky users: the breaker reads them, and no guard
    units                trials: units that were assigned for the first time at the stage
    errors, timeouts...  events: units to which it happened for the first time at the stage; their trials are `units`.
                         A version that was down has an error, though another one answered in its place
    contract_violations  trials: units with an answer that was validated; events: those with one that broke a contract
    shadow_different     trials: copies that were compared; events: those that differed
    any other            events: units of which the application reported it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Arm = Literal["stable", "candidate"]
Side = Literal["trials", "events"]


class Cell(NamedTuple):
    """What a number of a run is about."""

    stage: int
    """Place of the step at which the unit was assigned, from 0."""
    arm: Arm
    """The version that it was assigned to, whoever served it."""
    kind: str


class Counts(NamedTuple):
    """Of one cell."""

    trials: int = 0
    events: int = 0


class Sighting(NamedTuple):
    """One unit was seen: it took part (`trials`), or the event happened to it (`events`).

    It counts if it is the first of its unit in the run, stage, kind and side. The arm is not asked: a unit that turns
    up in both counts for the one where it was seen first, so that nobody can count twice.
    """

    stage: int
    arm: Arm
    kind: str
    unit: int
    """64-bit hash, from 0 (`decide.feedback.Units`)."""
    side: Side = "events"


class Batch(NamedTuple):
    """What one source has to add, all of it or nothing."""

    rollout: str
    run: int
    """Number of the rollout's run; a run that was forgotten takes nothing any more."""
    source: str
    """One incarnation of a worker."""
    sequence: int
    sightings: Sequence[Sighting] = ()
    deltas: Mapping[Cell, Counts] = {}
