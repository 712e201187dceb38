"""What a window brings to the guards: units and events of both arms, and which of them could not be read.

The unit is the request, or the distinct sticky user; whoever counts has seen to it that each counts once for each
stage and kind. Everything is counted for the arm, the stage and the share *that held when the unit was assigned*,
however late the event comes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stepdown.decide.spec_base import Spec

REQUESTS, UNITS = "requests", "units"
ERRORS, CLIENT_ERRORS, TIMEOUTS = "errors", "client_errors", "timeouts"
ADAPTER_FAILURES, CONTRACT_VIOLATIONS = "adapter_failures", "contract_violations"
STREAM_ERRORS, SLOW, SHADOW_DIFFERENT = "stream_errors", "slow", "shadow_different"

OWN_KINDS = (
    REQUESTS,
    UNITS,
    ERRORS,
    CLIENT_ERRORS,
    TIMEOUTS,
    ADAPTER_FAILURES,
    CONTRACT_VIOLATIONS,
    STREAM_ERRORS,
    SLOW,
    SHADOW_DIFFERENT,
)
"""Kinds that are counted of the sidecar's own traffic (`batch` has what they are); every other one is an event."""


class Arms(Spec, frozen=True):
    """A number for each of both."""

    candidate: int = 0
    stable: int = 0

    @property
    def total(self) -> int:
        """Of both."""
        return self.candidate + self.stable

    def plus(self, other: Arms) -> Arms:
        """Both together."""
        return Arms(candidate=self.candidate + other.candidate, stable=self.stable + other.stable)


class Read(Spec, frozen=True):
    """How far counts of somebody else were read, who gives them whole each time."""

    since: float = 0.0
    """Unix seconds from which on they count; 0 where they count since ever."""
    events: Arms = Arms()
    trials: Arms = Arms()


class Counted(Spec, frozen=True):
    """One kind of event in one window."""

    events: Arms = Arms()
    trials: Arms | None = None
    """What could have been one, where that is not the units that were assigned (answers that were validated)."""
    read: Read | None = None
    """Of counts that are read elsewhere: what they came to with this window, which the next one goes on from. It is
    kept by the guard, with its evidence, so that nothing counts twice whoever reads next."""


class Measurement(Spec, frozen=True):
    """One value that a threshold guard asked for."""

    at: float
    """When, by the clock of the windows."""
    value: str | tuple[str, ...] | None = None
    """A number, a list of them, or nothing; in Prometheus' text (`0.97`, `NaN`, `+Inf`), as JSON does not have all."""
    error: str = ""
    """Why there is none: unreachable, stale."""


class Window(Spec, frozen=True):
    """Everything that came in between two looks about units of one stage."""

    stage: int
    """Place of the step, from 0, at which its units were assigned."""
    share: float
    """pi: the candidate's share (0 to 1) of the assignment at that stage."""
    begin: float
    end: float
    """Seconds, of the clock that the caller uses."""
    run: int = 1
    """Which start of the rollout they were assigned in: what comes late from an earlier one is no evidence."""
    units: Arms = Arms()
    """Units that were assigned for the first time."""
    kinds: Mapping[str, Counted] = msgspec.field(default_factory=dict)
    unread: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Why a kind could not be read. What is in neither is not known, and not zero."""
    measured: Mapping[str, tuple[Measurement, ...]] = msgspec.field(default_factory=dict)
    """By name of a threshold guard."""

    def read(self, kind: str) -> Counted | str:
        """What was counted of a kind, or why nothing is known about it."""
        counted = self.kinds.get(kind)
        if kind in self.unread or counted is None:
            return self.unread.get(kind, "no data")
        trials = counted.trials or self.units
        events = counted.events
        if min(events.candidate, events.stable, trials.candidate, trials.stable) < 0:
            return "a count below 0"
        return counted

    def reached(self, kind: str, before: Read | None) -> Read | None:
        """How far a kind that is counted elsewhere was read, also by a look that only found out where to begin."""
        counted = self.kinds.get(kind)
        return before if counted is None or counted.read is None else counted.read
