"""How the comparer counts what it finds in its slab, and how often it tells of it in its log."""

from __future__ import annotations

from collections.abc import Callable

from stepdown.telemetry.slab import Slab

LOG_SECONDS = 60.0
"""What is told is told when it comes first, and after that at most this often."""


class Counters:
    """A slab's counters, each looked up once."""

    def __init__(self, slab: Slab) -> None:
        self._slab = slab
        self._cells: dict[tuple[str, ...], int] = {}

    def count(self, family: str, *labels: str, times: int = 1) -> None:
        """One more of a series, or several."""
        series = (family, *labels)
        cell = self._cells.get(series)
        if cell is None:
            cell = self._cells[series] = self._slab.counter(family, labels)
        self._slab.cells[cell] += times


class Telling:
    """Which of what comes again and again is told, by its kind."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._told: dict[tuple[str, ...], tuple[float, int]] = {}
        """By kind: when it was told, and how often it came since."""

    def due(self, *kind: str) -> int:
        """How often it came since it was told last, this time included; 0 where it is not to be told yet."""
        now = self._clock()
        since, times = self._told.get(kind, (float("-inf"), 0))
        due = now >= since + LOG_SECONDS
        self._told[kind] = (now, 0) if due else (since, times + 1)
        return times + 1 if due else 0
