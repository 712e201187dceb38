"""How many copies are taken beside busy workers: few, whatever the limits of a shadow would allow.

The comparer runs when nothing else does (`process.comparer`), and still each of its turns leaves a worker that has the
same core with cold caches: measured, a third of what a request costs. So while a worker is busy and this process has to
wait for the processor, which is how it shows that both want the same one, it works for no more than `SHARE` of the
time. How many copies that is shows in what the last ones took. Where a core is left for it, or workers have little to
do, only the shadows' own limits hold.
"""

from __future__ import annotations

from typing import NamedTuple

SHARE = 0.005
"""Of a core's time, for copies beside busy workers; what more of it did is on the page of figures."""
BUSY = 0.2
"""Of a core's time: workers that use less than this have time for more copies than they can bring."""
CROWDED = 0.1
"""Of the time in which this process wants to run: if it waits for longer, somebody has the same core."""
LEAST = 1.0
"""Copies a second that are always taken, so that a report comes about."""
FASTER = 1.5
"""Times as many copies at most as in the window before, beside busy workers."""
MOST = 10_000.0
"""Copies a second: a limit above this is none."""
FREE = float("inf")


class Usage(NamedTuple):
    """What the kernel has counted of this process's thread since it began, in seconds (proc_pid_schedstat)."""

    ran: float
    waited: float
    """For a processor, while it wanted to run."""


class Courtesy:
    """The limit of all shadows together, from one look at the processor to the next."""

    __slots__ = ("_at", "_left", "_taken", "_usage", "rate")

    def __init__(self) -> None:
        self.rate = FREE
        """Copies a second that may be taken now."""
        self._at = 0.0
        self._left = 0.0
        self._taken = 0
        self._usage: Usage | None = None

    def took(self, copies: int) -> None:
        """So many copies came."""
        self._taken += copies
        self._left -= copies

    def room(self) -> int | None:
        """How many more may come until the next look; `None` where that is no question of courtesy."""
        return None if self.rate == FREE else max(0, int(self._left))

    def look(self, usage: Usage, busiest: float, now: float) -> None:
        """Learn from what was used since the last look.

        `busiest` is how many seconds of a processor the busiest worker has used since then; `now` is monotonic seconds.
        """
        before, passed, taken = self._usage, now - self._at, self._taken
        if passed <= 0:
            return
        self._usage, self._at, self._taken = usage, now, 0
        if before is None:
            return
        ran, waited = usage.ran - before.ran, usage.waited - before.waited
        if busiest <= BUSY * passed or waited < CROWDED * (ran + waited):
            self.rate = self._alone()
        else:
            self.rate = self._beside(ran / passed, taken / passed)
        # What was left is gone, but for less than a whole copy: slow rates would never come to one.
        self._left = min(max(self._left, 0.0), 1.0) + self.rate * passed if self.rate != FREE else 0.0

    def _alone(self) -> float:
        """Twice as many as before: who was in the way may be back in the next moment."""
        return self.rate * 2 if self.rate * 2 < MOST else FREE

    def _beside(self, ran: float, taken: float) -> float:
        """As many as there is time for: `ran` is the share of it that `taken` copies a second needed."""
        if ran > SHARE:
            return max(LEAST, min(taken, self.rate) * SHARE / ran)
        if self.rate == FREE or not taken:
            return self.rate
        return self.rate * min(FASTER, SHARE / ran if ran else FASTER)
