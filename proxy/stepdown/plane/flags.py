"""Counts what feature flags say, by flag, variant and reason: all of them names in the flag file or of a small set."""

from __future__ import annotations

from stepdown.decide.view import FlagAnswer, FlagView, View
from stepdown.telemetry.slab import Slab

NO_VARIANT = "none"


class CountedFlags:
    """A `FlagView` that counts each evaluation; a request asks a flag once, however many rules name it."""

    __slots__ = ("_cells", "_flags", "_slab")

    def __init__(self, flags: FlagView, slab: Slab) -> None:
        self._flags = flags
        self._slab = slab
        self._cells: dict[tuple[str, str | None, str], int] = {}

    def flag(self, name: str, view: View) -> FlagAnswer:
        """What this flag says."""
        answer = self._flags.flag(name, view)
        key = (name, answer.variant, answer.reason)
        cell = self._cells.get(key)
        if cell is None:
            labels = (name, answer.variant or NO_VARIANT, answer.reason)
            cell = self._cells[key] = self._slab.counter("stepdown_flag_evaluations_total", labels)
        self._slab.cells[cell] += 1
        return answer
