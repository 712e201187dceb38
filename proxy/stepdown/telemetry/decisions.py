"""Records of decisions on their way to a file or to standard output, which never hold up an exchange.

As in the access log, lines wait in memory and are handed in batches to a thread that writes; what finds no room, or
cannot be written because the disk is full or the folder gone, is dropped and counted. The file is opened by the thread,
too, for opening may wait as well as writing.
"""

from __future__ import annotations

import sys

from stepdown.decide.records import Record, write
from stepdown.decide.spec import Decisions
from stepdown.telemetry.growing import GrowingFile
from stepdown.telemetry.lines import LINE_LIMIT, FileWriter, LineWriter
from stepdown.telemetry.slab import Slab

BATCH = 32
"""Lines that are handed over at once."""


class DecisionLog:
    """The records of one worker."""

    def __init__(self, slab: Slab, settings: Decisions, writer: LineWriter | None = None) -> None:
        """Count in `slab`; `writer` is what the settings name unless another one is given."""
        self._writer = writer or _writer(settings)
        self._cells = slab.cells
        self._recorded = slab.counter("stepdown_decisions_recorded_total", ())
        self._dropped = slab.counter("stepdown_decisions_dropped_total", ())
        self._lost = 0
        self._lines: list[bytes] = []

    def add(self, record: Record) -> None:
        """Take a record."""
        self._cells[self._recorded] += 1
        if self._writer.full:
            self._cells[self._dropped] += 1
            return
        line = write(record, LINE_LIMIT)
        if not line:
            self._cells[self._dropped] += 1
            return
        self._lines.append(line)
        if len(self._lines) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits; to be called from time to time, so that the last records do not wait for more."""
        lines, self._lines = self._lines, []
        refused = self._writer.put(lines)
        lost = self._writer.lost
        self._cells[self._dropped] += refused + lost - self._lost
        self._lost = lost

    def close(self, timeout: float = 1.0) -> None:
        """Write all that is left, for at most `timeout` seconds."""
        self.flush()
        self._writer.close(timeout)
        self.flush()


def _writer(settings: Decisions) -> LineWriter:
    if settings.file is not None:
        return FileWriter(GrowingFile(settings.file, settings.max_size))
    return LineWriter(sys.__stdout__.fileno() if sys.__stdout__ else -1)
