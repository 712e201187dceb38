"""A clock that stands still until a test moves it."""

from __future__ import annotations

from stepdown.plane.clock import CoarseClock
from tests.kit.looping import LoopThread


class FakeClock:
    """Drives the plane's coarse clock: its own ticks find no time gone by, `advance` makes it pass."""

    def __init__(self, thread: LoopThread) -> None:
        self._thread = thread
        self._coarse: CoarseClock | None = None
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def drive(self, coarse: CoarseClock) -> None:
        """Take the place of the monotonic clock."""
        coarse._read = self
        coarse.advance()
        self._coarse = coarse

    def advance(self, seconds: float) -> None:
        """Let time pass and sweep, on the loop's thread."""
        self.seconds += seconds
        assert self._coarse is not None
        self._thread.run(self._coarse.advance)
