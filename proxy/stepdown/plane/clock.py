"""One coarse clock for all waits of a worker: connections carry a deadline, and one timer sweeps them.

A timer per request costs more than everything else that a proxied request needs. Deadlines of seconds do not need it:
the sweep runs four times a second, so a wait ends up to a quarter of a second late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

TICK = 0.25
"""Seconds between two sweeps."""

NEVER = float("inf")


class CoarseClock:
    """`now` is monotonic seconds as of the last tick."""

    __slots__ = ("_handle", "_loop", "_read", "_sweeps", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop, read: Callable[[], float] = monotonic) -> None:
        self._loop = loop
        self._read = read
        self._sweeps: list[Callable[[float], None]] = []
        self._handle: asyncio.TimerHandle | None = None
        self.now = read()

    def each_tick(self, sweep: Callable[[float], None]) -> None:
        """Call `sweep(now)` at every tick."""
        self._sweeps.append(sweep)

    def start(self) -> None:
        """Begin to tick."""
        self._handle = self._loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        self._handle = self._loop.call_later(TICK, self._tick)
        self.advance()

    def advance(self) -> None:
        """Read the time and sweep; tests with a clock of their own call it instead of waiting."""
        now = self.now = self._read()
        for sweep in self._sweeps:
            sweep(now)
