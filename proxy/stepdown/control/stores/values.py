"""What goes into a store and comes out of it, besides the batches of evidence (`rollout.batch`)."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Added(NamedTuple):
    """What became of a batch. Each outcome is an acknowledgement."""

    outcome: Literal["counted", "repeated", "forgotten"]
    new: int = 0
    """Sightings that were the first of their unit."""


class State(NamedTuple):
    """The state of one rollout."""

    version: int
    """1 for the first one that was written; the next write has to name it."""
    document: bytes
    """JSON of the state machine, which the store does not look into."""


class Transition(NamedTuple):
    """One step that a rollout took."""

    at: float
    """Seconds since the epoch."""
    run: int
    sentence: str
    """What happened and why, with its numbers."""
    details: bytes = b"{}"
    """More for machines, as JSON; the store does not look into it."""


class Recorded(NamedTuple):
    """A transition in the history."""

    number: int
    """From 1, without gaps, in each rollout."""
    transition: Transition
