"""The way from a worker to the comparer: one copy into shared memory for each record, never a wait.

What has no room is dropped and counted, whether the comparer is slow, stopped, dead or was never started: from here
they all look like a ring that is full (`telemetry.ring`). Its size is the bound on what waits, in bytes and in records;
what is still being put together, because it passes through in pieces, has a bound of its own.

What it has room for may still be more than anybody does anything with. So nothing is begun for a shadow that takes no
more copies, as far as the comparer has told (`telemetry.grants`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from random import getrandbits
from time import process_time_ns

from stepdown.plane.clock import TICK
from stepdown.telemetry.ring import RingWriter

GATHERED_BYTES = 4 * 1024 * 1024
"""All that is copied of bodies that have not ended yet, in this worker."""
SILENCE = 2.0
"""Seconds without a sign of life of the comparer, from which on what it takes no more of is said to be `full`."""


class Handoff:
    """A worker's end."""

    __slots__ = ("_bell", "_ring", "_ticks", "gathered", "grants", "number", "silent")

    def __init__(self, ring: RingWriter, bell: int) -> None:
        """`bell` is an event descriptor (eventfd) on which the comparer sleeps."""
        self._ring = ring
        self._bell = bell
        self._ticks = 0
        """Those since the comparer gave a sign of life."""
        self.silent = False
        """Whether the comparer is stopped, dead, or has not come to do anything for a while."""
        self.grants = ring.grants
        self.gathered = 0
        """Bytes of bodies that have not ended yet."""
        self.number = count(getrandbits(62) + 1).__next__
        """Numbers of exchanges, never 0; those of a worker that had the ring before are most likely far away."""

    def put(self, head: bytes, body: bytes | bytearray) -> bool:
        """Hand over a record (`decide.checks`, `decide.copies`); false where there is no room for it."""
        if not self._ring.put(head, body):
            return False
        if self._ring.wake():
            with suppress(OSError):
                os.eventfd_write(self._bell, 1)
        return True

    def tick(self, now: float) -> None:
        """Look again whether copies are taken and the comparer lives, and show what is used; `now` is of no matter."""
        self.grants.open()
        self.grants.used(process_time_ns())
        self._ticks = 0 if self.grants.alive() else self._ticks + 1
        self.silent = self._ticks * TICK >= SILENCE

    def has_room(self, size: int) -> bool:
        """Whether it is worth while to begin a record of `size` bytes to which another one will belong."""
        return self._ring.has_room(size)

    def may_gather(self, size: int) -> bool:
        """Whether `size` more bytes may be copied of bodies that have not ended yet; if so, they count as copied."""
        if self.gathered + size > GATHERED_BYTES:
            return False
        self.gathered += size
        return True


class Pieces:
    """The copy of one body that passes through in pieces, within its own limit and the worker's bound."""

    __slots__ = ("_body", "_handoff", "_limit", "missing")

    def __init__(self, handoff: Handoff, limit: int) -> None:
        self._handoff = handoff
        self._limit = limit
        self._body = bytearray()  # not a list: pieces of a few bytes each would take many times their length
        self.missing = ""
        """Why it was given up: `too-large` or `full`; empty while it is all there."""

    def add(self, piece: bytes | bytearray) -> None:
        """Copy a piece, unless it is too much."""
        if self.missing:
            return
        if len(self._body) + len(piece) > self._limit:
            self._give_up("too-large")
        elif not self._handoff.may_gather(len(piece)):
            self._give_up("full")
        else:
            self._body += piece

    def take(self) -> bytearray:
        """What there is, which is this one's no more."""
        body, self._body = self._body, bytearray()
        self._handoff.gathered -= len(body)
        return body

    def _give_up(self, reason: str) -> None:
        self.take()
        self.missing = reason
