"""Bounds on what the comparer has in hand: copies a second, and memory."""

from __future__ import annotations

PENDING_BYTES = 32 * 1024 * 1024
"""All that is held of requests and answers that wait for one another. With the comparer's own 30 MiB or so it leaves
the sidecar under the 150 MiB that it promises; twenty pairs of a megabyte on each side fit."""

PENDING_PAIRS = 4096
"""Requests that wait for their answers, however small: a table and its sweep that nobody notices. At 100 copies a
second it is what 40 seconds bring, which is about how long a lost answer is waited for."""


class Bucket:
    """A token bucket that holds what one second brings, and at least one."""

    __slots__ = ("_since", "_tokens")

    def __init__(self) -> None:
        self._tokens = float("inf")
        """Whatever is over the rate is spilt, so it begins full."""
        self._since = 0.0

    def take(self, rate: float, now: float) -> bool:
        """Whether another one is within `rate` a second, which 0 leaves open; if so, it is counted."""
        if not rate:
            return True
        if not self.room(rate, now):
            return False
        self._tokens -= 1.0
        return True

    def room(self, rate: float, now: float) -> int:
        """How many are within `rate` a second now, which is not 0."""
        self._tokens = min(max(1.0, rate), self._tokens + (now - self._since) * rate)
        self._since = now
        return int(self._tokens)


class Budget:
    """Bytes that all pairs together may hold."""

    __slots__ = ("_most", "held")

    def __init__(self, most: int = PENDING_BYTES) -> None:
        self._most = most
        self.held = 0

    def take(self, size: int) -> bool:
        """Hold `size` more bytes; false where there is no room for them."""
        if self.held + size > self._most:
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        """They are let go of."""
        self.held -= size


class Hold:
    """One request's share of a budget, with all that belongs to it."""

    __slots__ = ("_budget", "_over", "held")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._over = False
        self.held = 0

    def take(self, size: int) -> bool:
        """Hold `size` more bytes; false where there is no room for them, or nobody waits for them any more."""
        if self._over or not self._budget.take(size):
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        """Some of them are let go of."""
        if not self._over:
            self._budget.give(size)
            self.held -= size

    def release(self) -> None:
        """All of them are, and no more are taken."""
        self.give(self.held)
        self._over = True
