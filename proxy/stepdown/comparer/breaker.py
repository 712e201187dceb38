"""Whether a shadow that gives no answers is still asked: after many failures in a row seldom, one copy at a time.

A copy that fails tells what is already known and costs more than one that is answered: a flood is read up to its limit,
a reset connection is made anew. So after `AFTER` failures in a row the shadow is left alone, for a second first. Then
one copy may go, and where it fails too, twice as long passes before the next one. Any answer ends that.
"""

from __future__ import annotations

from stepdown.comparer.results import Outcome

AFTER = 20
"""Failures without an answer between them: a server that fails half of the time does that once in a million."""
FIRST, LONGEST = 1.0, 30.0
"""Seconds for which it is left alone, at first and at most."""

_ANSWERS = {"answered", "error"}
_OURS = {"pending"}
"""Outcomes that say nothing of the shadow."""


class Breaker:
    """What is remembered of one shadow's failures; all times are monotonic seconds."""

    __slots__ = ("_failures", "_trial", "_until", "seconds")

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._trial = False
        """Whether the one copy is on its way."""
        self.seconds = 0.0
        """For how long it is left alone this time; 0 where it is not."""

    def room(self, now: float) -> int | None:
        """How many copies may go now; `None` where that is no question of failures."""
        if not self.seconds:
            return None
        return 1 if now >= self._until and not self._trial else 0

    def began(self) -> bool:
        """A copy goes that `room` allows; whether it is the one."""
        self._trial = bool(self.seconds)
        return self._trial

    def ended(self, outcome: Outcome, now: float, *, trial: bool) -> bool:
        """A copy has ended; `trial` is what `began` said of it. Whether the shadow is left alone from now on."""
        if trial:
            self._trial = False
        if outcome in _ANSWERS:
            self._failures, self.seconds = 0, 0.0
        elif outcome not in _OURS:
            self._failures += 1
            if trial or (not self.seconds and self._failures >= AFTER):
                self.seconds = min(2 * self.seconds, LONGEST) if self.seconds else FIRST
                self._until = now + self.seconds
                return True
        return False
