"""A board in shared memory: one process pins up what it has to say, others read the newest of it, and nobody waits.

The parent holds the memory for life, so what is on it outlives the process that wrote it: a successor reads it and goes
on from there, and whoever reads does not notice that the writer was replaced. Its bytes are

    header      how often was written since the beginning of time
    two halves  checksum, length, payload

A writer fills the half that is not the newest, and counts after that; so the newest is whole at any moment, also when
its writer is killed. A reader that is overtaken twice while it copies finds a checksum that does not fit, and looks
again.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib

from stepdown.errors import Fault, StepdownError

DEFAULT_SIZE = 8 * 1024 * 1024
"""Bytes of a board. Memory that was never written to costs nothing."""

_HEADER = 64
_PREFIX = struct.Struct("<II")
_LAYOUT = zlib.crc32(b"stepdown board 1")
"""What checksums begin with, so that another release's payload does not fit."""

LOOKS = 5
"""Times that a reader looks at a half that does not fit."""


class BoardError(StepdownError):
    """The memory is smaller than announced."""

    problem, title, fault = "board-memory", "Memory for reports unusable", Fault.STEPDOWN


class Board:
    """Either side; `close` unmaps the memory and leaves the descriptor open."""

    __slots__ = ("_half", "_map", "_view", "_written")

    def __init__(self, fd: int, size: int = DEFAULT_SIZE) -> None:
        """Raises `BoardError` where the memory behind `fd` has fewer than `size` bytes."""
        if size <= 2 * _HEADER or os.fstat(fd).st_size < size:
            raise BoardError(f"{os.fstat(fd).st_size} bytes of shared memory where {size} are announced")
        self._map = mmap.mmap(fd, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        self._view = memoryview(self._map)
        self._written = self._view[:8].cast("q")
        self._half = (size - _HEADER) // 2

    @property
    def room(self) -> int:
        """The longest payload, in bytes."""
        return self._half - _PREFIX.size

    def write(self, payload: bytes) -> bool:
        """Replace what is on the board; false, and nothing changed, where it has no room. One process writes."""
        if len(payload) > self.room:
            return False
        written = self._written[0] + 1
        start = self._start(written)
        begin = start + _PREFIX.size
        self._view[begin : begin + len(payload)] = payload
        self._view[start:begin] = _PREFIX.pack(zlib.crc32(payload, _LAYOUT), len(payload))
        self._written[0] = written
        return True

    def read(self) -> bytes | None:
        """The newest payload; `None` where there was none yet, or none that this release can read."""
        for _ in range(LOOKS):
            written = self._written[0]
            if written <= 0:
                return None
            start = self._start(written)
            begin = start + _PREFIX.size
            checksum, length = _PREFIX.unpack(self._view[start:begin])
            if length <= self.room:
                payload = bytes(self._view[begin : begin + length])
                if zlib.crc32(payload, _LAYOUT) == checksum:
                    return payload
        return None

    def close(self) -> None:
        """Unmap the memory."""
        self._written.release()
        self._view.release()
        self._map.close()

    def _start(self, written: int) -> int:
        return _HEADER + (written % 2) * self._half
