"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio

from stepdown.plane.clock import CoarseClock
from tests.kit.looping import LoopThread


class FakeClock:
    """What a plane's coarse clock reads: its own ticks find no time gone by, `advance` makes it pass."""

    def __init__(self, thread: LoopThread) -> None:
        self._thread = thread
        self._coarse: CoarseClock | None = None
        self.seconds = 1_000.0

    def coarse(self, loop: asyncio.AbstractEventLoop) -> CoarseClock:
        """The clock to give to a plane."""
        self._coarse = CoarseClock(loop, lambda: self.seconds)
        return self._coarse

    def advance(self, seconds: float) -> None:
        """Let time pass and sweep, on the loop's thread."""
        assert self._coarse is not None
        self.seconds += seconds
        self._thread.run(self._coarse.advance)
