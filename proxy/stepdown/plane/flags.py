"""Counts what feature flags say, by flag, variant and reason: all of them names in the flag file or of a small set."""

from __future__ import annotations

from stepdown.decide.flag_view import SnapshotFlags
from stepdown.decide.provided import ProvidedFlags
from stepdown.decide.view import FlagAnswer, FlagView, View
from stepdown.plane.flag_desk import FlagDesk
from stepdown.plane.provided import NO_VARIANT, CountedProvidedFlags
from stepdown.telemetry.slab import Slab


class CountedFlags:
    """A `FlagView` that counts each evaluation; a request asks a flag once, however many rules name it."""

    __slots__ = ("_cells", "_flags", "_slab")

    first_wait = 0.0
    """Nobody ever waits for a flag that is evaluated here."""

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


def counted(flags: SnapshotFlags, slab: Slab, desk: FlagDesk | None) -> CountedFlags | CountedProvidedFlags:
    """The flags of a snapshot, counted; those of a provider are looked up at the desk, if there is one."""
    if desk is not None and isinstance(flags, ProvidedFlags):
        return CountedProvidedFlags(flags, slab, desk)
    return CountedFlags(flags, slab)
