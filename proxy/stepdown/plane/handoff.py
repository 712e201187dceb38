"""The way from a worker to the comparer: one copy into shared memory for each sampled answer, never a wait.

What has no room is dropped and counted, whether the comparer is slow, stopped, dead or was never started: from here
they all look like a ring that is full (`telemetry.ring`). Its size is the bound on what waits, in bytes and in answers;
what is still being put together, because it passes through in pieces, has a bound of its own.
"""

from __future__ import annotations

import os
from contextlib import suppress

from stepdown.telemetry.ring import RingWriter

GATHERED_BYTES = 4 * 1024 * 1024
"""All that is copied of answers that have not ended yet, in this worker."""


class Handoff:
    """A worker's end."""

    __slots__ = ("_bell", "_ring", "gathered")

    def __init__(self, ring: RingWriter, bell: int) -> None:
        """`bell` is an event descriptor (eventfd) on which the comparer sleeps."""
        self._ring = ring
        self._bell = bell
        self.gathered = 0
        """Bytes of answers that have not ended yet."""

    def put(self, head: bytes, body: bytes) -> bool:
        """Hand over a sample (`decide.checks`); false where there is no room for it."""
        if not self._ring.put(head, body):
            return False
        if self._ring.wake():
            with suppress(OSError):
                os.eventfd_write(self._bell, 1)
        return True

    def may_gather(self, size: int) -> bool:
        """Whether `size` more bytes may be copied of answers that have not ended yet; if so, they count as copied."""
        if self.gathered + size > GATHERED_BYTES:
            return False
        self.gathered += size
        return True
