"""Records one route's exchanges: gathers lines, writes them from time to time, and stops where it cannot.

Nothing that goes wrong here reaches the caller. When lines cannot be written (the disk is full, the folder is gone, a
permission was lost) recording stops and says so once; what comes in the meantime is counted and let go, and after a
minute it is tried again.

Time is given, not taken: `flush` is told how late it is, and is to be called about once a second.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stepdown.decide import spec
from stepdown.decide.copies import Answer, Copy
from stepdown.decide.shadow_spec import Recording
from stepdown.recordings.compression import CompressionError
from stepdown.recordings.deciding import VERSION_ONLY, Deciding, deciding
from stepdown.recordings.entry import write
from stepdown.recordings.files import stamp
from stepdown.recordings.making import Maker
from stepdown.recordings.writer import Writer

logger = logging.getLogger(__name__)

BATCH = 256 * 1024
"""Bytes of lines that are not kept waiting."""
PAUSE = 1.0
"""Seconds between two flushes of less than that."""
RETRY = 60.0
"""Seconds after which it is tried again."""

_KEY = os.urandom(32)
"""For digests of what is hidden: one for the process, so that a changed configuration does not change them."""

RECORDED, STOPPED, FAILED = "recorded", "stopped", "failed"
"""What became of an exchange: it is in a file; it was let go because recording had stopped, or stopped with it; no line
could be made of it."""


@dataclass(slots=True)
class State:
    """How a recording fares, for metrics and for people."""

    stopped: str = ""
    """Why nothing is written; empty while all is well."""
    file: str = ""
    """The file that is being written, or was last."""
    counts: dict[str, int] = field(default_factory=lambda: {RECORDED: 0, STOPPED: 0, FAILED: 0})
    """Exchanges by what became of them."""


class Recorder:
    """Records what it is given; which exchanges that are is decided elsewhere."""

    def __init__(
        self,
        recording: Recording,
        route: str,
        model: str,
        decides: Deciding = VERSION_ONLY,
        *,
        wall: Callable[[], float] = time.time,
        key: bytes = _KEY,
    ) -> None:
        """`key` is for digests of what is redacted: 16 to 64 bytes, and nobody's but this process's."""
        self.state = State()
        self._route = route
        self._maker = Maker(recording, model, decides, key)
        self._writer = Writer(recording, route)
        self._wall = wall
        self._run = f"{stamp(wall())}-{os.getpid()}"
        self._made = 0
        self._lines: list[bytes] = []
        self._size = 0
        self._now = 0.0
        self._flushed = float("-inf")
        self._retry = float("-inf")

    @classmethod
    def of(cls, specification: spec.SnapshotSpec, route: spec.Route) -> Recorder:
        """The recorder of a route that has a recording."""
        assert route.record is not None
        return cls(route.record, route.name, route.model, deciding(specification, route))

    def add(self, copy: Copy, request_body: bytes, answer: Answer, answer_body: bytes) -> None:
        """Record an exchange; what is gathered is written when it is much."""
        if self.state.stopped and self._now < self._retry:
            self.state.counts[STOPPED] += 1
            return
        try:
            line = write(self._maker.make(f"{self._run}-{self._made}", copy, request_body, answer, answer_body))
        except Exception:
            if not self.state.counts[FAILED]:
                logger.exception(
                    "an exchange of the route %s cannot be recorded; the next are only counted", self._route
                )
            self.state.counts[FAILED] += 1
            return
        self._made += 1
        self._lines.append(line)
        self._size += len(line)
        if self._size >= BATCH:
            self._write()

    def flush(self, now: float) -> None:
        """Write what is gathered, unless that was done less than a second ago; `now` are monotonic seconds."""
        self._now = now
        if now - self._flushed >= PAUSE:
            self._write()

    def close(self) -> None:
        """Write all that is left, and let go of the file."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if not self._lines:
            return
        lines, self._lines, self._size = self._lines, [], 0
        self._flushed = self._now
        try:
            self._writer.append(b"".join(lines), self._wall())
        except (OSError, CompressionError) as error:
            self._stop(error, len(lines))
            return
        if self.state.stopped:
            logger.warning("the route %s is recorded again, into %s", self._route, self._writer.path)
        self.state.stopped = ""
        self.state.file = str(self._writer.path)
        self.state.counts[RECORDED] += len(lines)

    def _stop(self, error: OSError | CompressionError, lost: int) -> None:
        if isinstance(error, OSError):
            reason = f"{error.filename or self._writer.path}: {error.strerror or error}"
        else:
            reason = str(error)
        if not self.state.stopped:
            logger.error("the route %s is no longer recorded, and tried again each minute: %s", self._route, reason)
        self.state.stopped = reason
        self.state.counts[STOPPED] += lost
        self._retry = self._now + RETRY
