"""Counters in shared memory: 64-bit cells that one process writes, anyone may read, and that outlive the process.

A slab is a memory file that the parent holds for life. Its bytes are

    header      magic, then how many bytes of the directory are published
    directory   one entry for each series: checksum, length, first cell, number of cells, names
    cells       signed 64-bit integers; a series is one cell, or a histogram's buckets, +Inf, and sum in microseconds

Rules that make it safe without a lock where it is counted (series are made under one):

1. One process writes, and the next starts after it is dead. Readers map the file read-only.
2. A cell is aligned and written by one store, so a reader sees the value before or after, never a mixture. The cells of
   a histogram are read one after another and may be an observation apart; its count is made from its buckets.
3. An entry is published by the last store, that of the directory's length. A worker that is killed half way leaves
   bytes that nobody reads and the next worker overwrites. A processor that reorders stores may show the length before
   the entry: then the checksum does not fit, and a reader stops there until it looks again.
4. An entry is never moved or removed, so the same labels have the same index in every worker that follows.
5. What a gauge says is true of a living worker only, so the next one starts with all gauges `ABSENT`.
6. Memory that a release with another table of families laid out is started over: a counter that falls to zero is
   something that Prometheus knows, a worker that cannot start is not.
7. Every family has a series with all labels `other`, made first. When there is no room left, it counts what is new.

The hot path is `slab.cells[index] += 1` on a memory view. Measured: 72 ns, against 87 for `array`, 89 for ctypes and
166 for numpy on the same memory, and 28 for a list. A list would have to be copied here by a timer (22 microseconds for
1,024 cells), and a killed worker would take with it what it had counted since, to save a quarter of a microsecond a
request.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import zlib
from typing import NamedTuple

from stepdown.errors import Fault, StepdownError
from stepdown.telemetry.families import FAMILIES, METRICS_FULL, Family

DEFAULT_SIZE = 8 * 1024 * 1024
"""Bytes of a slab: some 30,000 series. Memory that no series uses is never touched, so it costs nothing."""

ABSENT = -(2**63)
"""In a gauge's cell: there is nothing to say, `/metrics` leaves the series out."""

OTHER = "other"
LABEL_LIMIT = 200
"""Characters that are kept of a label's value."""

_IN_SLABS = [family for family in FAMILIES.values() if family.writer != "controller"]
_MAGIC = int.from_bytes(b"slb1", "little") << 32 | zlib.crc32(repr(_IN_SLABS).encode())
_HEADER = 64
_ENTRY = struct.Struct("<IIII")


class SlabError(StepdownError):
    """The memory is smaller than announced, or has no room for one series of each family."""

    problem, title, fault = "metrics-memory", "Metrics memory unusable", Fault.STEPDOWN


class Series(NamedTuple):
    """One entry of the directory."""

    family: str
    labels: tuple[str, ...]
    first: int
    width: int


class SlabReader:
    """A slab as its readers see it; `close` unmaps it and leaves `fd` open."""

    def __init__(self, fd: int, size: int, *, protection: int = mmap.PROT_READ) -> None:
        if size < 2 * _HEADER or os.fstat(fd).st_size < size:
            raise SlabError(f"{os.fstat(fd).st_size} bytes of shared memory where {size} are announced")
        self.fd = fd
        self.size = size
        self._map = mmap.mmap(fd, size, flags=mmap.MAP_SHARED, prot=protection)
        self._bytes = memoryview(self._map)
        self._header = self._bytes[:_HEADER].cast("q")
        self._room = (size - _HEADER) // 16 * 8
        self._directory = self._bytes[_HEADER : _HEADER + self._room]
        end = size // 8 * 8
        self.cells: memoryview[int] = self._bytes[_HEADER + self._room : end].cast("q")
        self._series: list[Series] = []
        self._parsed = 0

    def series(self) -> list[Series]:
        """All published series, in the order in which they were made."""
        published = min(self._header[1], self._room) if self._header[0] == _MAGIC else 0
        while self._parsed < published:
            entry = self._entry(self._parsed, published)
            if entry is None:
                break
            series, self._parsed = entry
            self._series.append(series)
        return self._series

    def values(self, series: Series) -> tuple[int, ...]:
        """The cells of one series, now."""
        return tuple(self.cells[series.first : series.first + series.width])

    def close(self) -> None:
        """Unmap the memory; the cells must not be used afterwards."""
        for view in (self.cells, self._directory, self._header, self._bytes):
            view.release()
        self._map.close()

    def _entry(self, start: int, published: int) -> tuple[Series, int] | None:
        """The entry at `start` and where the next one starts; `None` where it is not (yet) whole."""
        text = start + _ENTRY.size
        if text > published:
            return None
        checksum, length, first, width = _ENTRY.unpack_from(self._directory, start)
        end = text + length
        if end > published or zlib.crc32(self._directory[start + 4 : end]) != checksum:
            return None
        family, *labels = bytes(self._directory[text:end]).decode().split("\0")
        return Series(family, tuple(labels), first, width), end


class Slab(SlabReader):
    """A slab as its worker sees it; zeroed memory becomes an empty slab."""

    def __init__(self, fd: int, size: int) -> None:
        super().__init__(fd, size, protection=mmap.PROT_READ | mmap.PROT_WRITE)
        if self._header[0] != _MAGIC:
            if self._header[0]:
                self._bytes[:] = bytes(size)
            self._header[0] = _MAGIC
        self._first: dict[tuple[str, tuple[str, ...]], int] = {}
        self._making = threading.Lock()
        self._free = 0
        for series in self.series():
            self._first[series.family, series.labels] = series.first
            self._free = max(self._free, series.first + series.width)
            if series.family in FAMILIES and FAMILIES[series.family].kind == "gauge":
                self.cells[series.first] = ABSENT
        for family in _IN_SLABS:
            if self._find(family, (OTHER,) * len(family.labels)) is None:
                raise SlabError(f"{size} bytes of shared memory have no room for one series of each family")
        self._full = self.gauge(METRICS_FULL, ())

    @classmethod
    def create(cls, size: int = DEFAULT_SIZE) -> Slab:
        """New memory of `size` bytes; who holds `fd` keeps the counts."""
        fd = os.memfd_create("stepdown-metrics")
        try:
            os.ftruncate(fd, size)
            return cls(fd, size)
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def attach(cls, fd: int, size: int) -> Slab:
        """The slab of a worker that is gone, to count on from where it was; or new, zeroed memory.

        Raises `SlabError` where the memory is too small.
        """
        return cls(fd, size)

    def counter(self, family: str, labels: tuple[str, ...]) -> int:
        """Index of the cell of a counter."""
        return self._index(family, "counter", labels)

    def histogram(self, family: str, labels: tuple[str, ...]) -> int:
        """Index of the first bucket; +Inf and the sum in microseconds follow the last one."""
        return self._index(family, "histogram", labels)

    def gauge(self, family: str, labels: tuple[str, ...]) -> int:
        """Index of the cell of a gauge, which is 0 when it is asked for the first time; `ABSENT` takes it back."""
        index = self._index(family, "gauge", labels)
        if self.cells[index] == ABSENT:
            self.cells[index] = 0
        return index

    def _index(self, name: str, kind: str, labels: tuple[str, ...]) -> int:
        family = FAMILIES[name]
        if family.kind != kind or len(labels) != len(family.labels):
            raise ValueError(f"{name} is a {family.kind} with the labels {family.labels}, not a {kind} with {labels}")
        index = self._find(family, tuple(map(_presentable, labels)))
        if index is None:
            self.cells[self._full] = 1
            index = self._first[name, (OTHER,) * len(labels)]
        return index

    def _find(self, family: Family, labels: tuple[str, ...]) -> int | None:
        """The first cell of a series, made where it is new; `None` where there is no room for it."""
        key = (family.name, labels)
        if key not in self._first:
            with self._making:  # a specification that is compiled in a thread makes series too
                if key not in self._first and not self._make(family, labels):
                    return None
        return self._first[key]

    def _make(self, family: Family, labels: tuple[str, ...]) -> bool:
        first = self._free
        text = "\0".join((family.name, *labels)).encode()
        body = struct.pack("<III", len(text), first, family.width) + text
        start = self._header[1]
        end = start + 4 + len(body)
        if end > self._room or first + family.width > len(self.cells):
            return False
        if family.kind == "gauge":
            self.cells[first] = ABSENT
        self._directory[start:end] = zlib.crc32(body).to_bytes(4, "little") + body
        self._free += family.width
        self._header[1] = end
        self._first[family.name, labels] = first
        return True


def _presentable(label: str) -> str:
    """The label as it is stored: cut, and without what separates names or is no Unicode text."""
    return label[:LABEL_LIMIT].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
