"""What can happen to a rollout. Each has the time, in seconds of one clock that does not go backwards."""

from __future__ import annotations

from stepdown.decide.spec_base import Spec
from stepdown.rollout.counts import Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.position import Candidate


class Event(Spec, frozen=True):
    """Base of all."""

    now: float


class ByHand(Event, frozen=True):
    """Asked for by somebody."""

    who: str = ""
    """A person; empty for the configuration, which may start what is pending and not in quarantine."""


class Started(ByHand, frozen=True):
    """Begin with the first step."""

    force: bool = False
    """Although the cool-down is not over."""


class Paused(ByHand, frozen=True):
    """Stay where it is."""


class Resumed(ByHand, frozen=True):
    """Go on; lets a gated step on, and gives one without a verdict its time once more."""


class PromotedByHand(ByHand, frozen=True):
    """Give the candidate everything now."""


class AbortedByHand(ByHand, frozen=True):
    """Give stable everything now."""


class UndoneByHand(ByHand, frozen=True):
    """Give stable everything now, also after the candidate was promoted."""


class WindowEnded(Event, frozen=True):
    """A window's counts are complete."""

    window: Window


class Flushed(Event, frozen=True):
    """Workers flushed their counts, several times a second."""

    flush: Flush


class StoreLost(Event, frozen=True):
    """Nothing can be stored."""


class StoreFound(Event, frozen=True):
    """It can again."""


class CandidateChanged(Event, frozen=True):
    """A configuration was accepted in which another version, or others of its endpoints, are the candidate."""

    candidate: Candidate
    stable: str = ""
    """Where another version is stable, that one."""


class StableReady(Event, frozen=True):
    """How many of stable's endpoints are ready."""

    ready: int


class CooledDown(Event, frozen=True):
    """The time after a rollback is over."""
