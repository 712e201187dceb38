"""A ring of records in shared memory: one process writes, another reads, and neither ever waits for the other.

The parent holds the memory for life, as it holds the slabs, so records outlive the process that wrote them and wait for
the successor of the one that reads them. Its bytes are

    header      how far was written (bytes since the beginning of time), how far was read, whether the reader sleeps;
                how many copies the reader takes (`telemetry.grants`)
    records     checksum, length, payload, one after the other, from the end of the memory on at its beginning

Rules that make it safe without a lock:

1. Only the writer moves `written`, after the record is whole; only the reader moves `read`, after it has its copy.
2. What has no room is refused (the newest is dropped), so the memory's size bounds how many bytes wait, and with the
   least length of a record how many records.
3. A processor that reorders stores may show `written` before the record: then the checksum does not fit, and the reader
   looks again later. What never fits, because it is no record of this release, is skipped with all that follows it.
4. `read` is moved before anything is done with the record: one that kills its reader is not read a second time.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib

from stepdown.errors import Fault, StepdownError
from stepdown.telemetry import grants
from stepdown.telemetry.grants import Granter, Grants

DEFAULT_SIZE = 4 * 1024 * 1024
"""Bytes of a ring. Memory that no record has used is never touched, so it costs nothing."""

_WRITTEN, _READ, _ASLEEP, _GRANTS = 0, 8, 16, 24
"""Places of the header's 64-bit cells, each of the first three in a cache line of its own."""
HEADER = (_GRANTS + grants.CELLS) * 8
"""Bytes before the records."""
_PREFIX = struct.Struct("<II")
_JOINED = 16 * 1024
"""Up to this length a record is put together first: one copy of bytes more, and one slice of the memory less."""
_LAYOUT = zlib.crc32(b"stepdown ring 2")
"""What checksums begin with, so that another release's records do not fit."""

_pack = _PREFIX.pack
_crc32 = zlib.crc32

PATIENCE = 100
"""Looks at a record that does not fit before it is given up."""


class RingError(StepdownError):
    """The memory is smaller than announced."""

    problem, title, fault = "ring-memory", "Memory for samples unusable", Fault.STEPDOWN


class _Ring:
    """What both sides see; `close` unmaps the memory and leaves the descriptor open."""

    __slots__ = ("_capacity", "_granted", "_header", "_map", "_records", "_view")

    def __init__(self, fd: int, size: int) -> None:
        if size <= HEADER or os.fstat(fd).st_size < size:
            raise RingError(f"{os.fstat(fd).st_size} bytes of shared memory where {size} are announced")
        self._map = mmap.mmap(fd, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        self._view = memoryview(self._map)
        self._header = self._view[:HEADER].cast("q")
        self._granted = self._header[_GRANTS:]
        self._records = self._view[HEADER:]
        self._capacity = size - HEADER

    @property
    def waiting(self) -> int:
        """Bytes that were written and not read yet."""
        return self._header[_WRITTEN] - self._header[_READ]

    def close(self) -> None:
        """Unmap the memory."""
        for view in (self._records, self._granted, self._header, self._view):
            view.release()
        self._map.close()


class RingWriter(_Ring):
    """The side that writes."""

    __slots__ = ("_most", "grants")

    def __init__(self, fd: int, size: int) -> None:
        super().__init__(fd, size)
        self._most = self._capacity * 7 // 8
        self.grants = Grants(self._granted)

    def put(self, head: bytes, body: bytes | bytearray) -> bool:
        """Add the record `head + body`; false where it has no room."""
        header, capacity = self._header, self._capacity
        written = header[_WRITTEN]
        length = len(head) + len(body)
        if not 0 <= written - header[_READ] <= capacity - length - _PREFIX.size:
            return False
        checksum = _crc32(body, _crc32(head, _LAYOUT))
        begun = _pack(checksum, length) + head
        if length > _JOINED:
            header[_WRITTEN] = self._copy(self._copy(written, begun), body)
            return True
        record = begun + body
        start = written % capacity + HEADER
        end = start + len(record)
        if end <= capacity + HEADER:
            self._map[start:end] = record
        else:
            self._copy(written, record)
        header[_WRITTEN] = written + len(record)
        return True

    def has_room(self, size: int) -> bool:
        """Whether a record of `size` bytes has room, and an eighth of the ring is free besides."""
        header = self._header
        return self._most - header[_WRITTEN] + header[_READ] >= size

    def wake(self) -> bool:
        """Whether the reader has said that it sleeps; it is told so once only."""
        if not self._header[_ASLEEP]:
            return False
        self._header[_ASLEEP] = 0
        return True

    def _copy(self, place: int, data: bytes | bytearray) -> int:
        """Copy to `place`, and return where the data ends there."""
        start = place % self._capacity
        room = self._capacity - start
        if len(data) <= room:
            self._records[start : start + len(data)] = data
        else:
            self._records[start:] = data[:room]
            self._records[: len(data) - room] = data[room:]
        return place + len(data)


class RingReader(_Ring):
    """The side that reads."""

    __slots__ = ("_looks", "grants", "lost")

    def __init__(self, fd: int, size: int) -> None:
        super().__init__(fd, size)
        self.grants = Granter(self._granted)
        self._looks = 0
        self.lost = 0
        """Times that records were skipped because they could not be read."""

    def take(self) -> bytes | None:
        """The oldest record; `None` where none is there (yet)."""
        header = self._header
        read, written = header[_READ], header[_WRITTEN]
        if read == written:
            return None
        start = read + _PREFIX.size
        if 0 <= written - start <= self._capacity:
            checksum, length = _PREFIX.unpack(self._bytes(read, _PREFIX.size))
            if length <= written - start:
                payload = self._bytes(start, length)
                if zlib.crc32(payload, _LAYOUT) == checksum:
                    header[_READ] = start + length
                    self._looks = 0
                    return payload
        self._looks += 1
        if self._looks >= PATIENCE:
            header[_READ] = written
            self._looks = 0
            self.lost += 1
        return None

    def sleep(self) -> None:
        """Ask the writer to wake the reader after its next record.

        A record that is written in the same moment may be overlooked: who sleeps looks again by itself after a while.
        """
        self._header[_ASLEEP] = 1

    def _bytes(self, place: int, length: int) -> bytes:
        start = place % self._capacity
        room = self._capacity - start
        if length <= room:
            return bytes(self._records[start : start + length])
        return bytes(self._records[start:]) + bytes(self._records[: length - room])
