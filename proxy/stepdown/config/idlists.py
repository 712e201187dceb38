"""Lists of ids in files, compiled to tables in anonymous memory that every process of the sidecar can map.

The memory is a sealed memfd: it is shared by whoever has its descriptor, it cannot change, and it is gone with the last
of them, so nothing has to be found, named or removed on a disk. A table is a copy: whatever happens to the file after
it was read, the list in force stays as it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stepdown.config.watched import Stamp
from stepdown.decide.keysets import KeySet, bytes_for, fill

MOST_IDS = 4_000_000
MOST_BYTES = 512 * 1024 * 1024
LONGEST_LINE = 1024

_PIECE = 1024 * 1024
_MARK = b"\xef\xbb\xbf"
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class IdListError(Exception):
    """The file is no list; `str()` says why in half a sentence that follows its name."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, eq=False)
class IdList:
    """One list as it was read."""

    digest: str
    """Of its table, in hexadecimal digits."""
    count: int
    """Different ids."""
    stamp: Stamp | None
    """How the file looked just before it was read."""
    fd: int
    """Descriptor of the table, until `release`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_close", weakref.finalize(self, os.close, self.fd))

    @property
    def is_held(self) -> bool:
        """Whether the table is still at hand."""
        return bool(self._close.alive)  # type: ignore[attr-defined]

    def release(self) -> None:
        """Let go of the table, because somebody else holds it."""
        self._close()  # type: ignore[attr-defined]

    def key_set(self) -> KeySet:
        """The table, mapped into this process."""
        return KeySet(memoryview(mmap.mmap(self.fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)))


def read_ids(path: Path, stamp: Stamp | None) -> IdList:
    """Compile a file.

    Raises:
        IdListError: it is no list, or too long.
        OSError: it cannot be read, or there is no memory for its table.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise IdListError(f"is longer than {MOST_BYTES} bytes")
        lines = _count_lines(file)
        if lines > MOST_IDS:
            raise IdListError(f"has {lines} lines, and at most {MOST_IDS} are allowed")
        file.seek(0)
        return _table(file, lines, stamp)


def _count_lines(file: BinaryIO) -> int:
    """At least as many as there are."""
    count = 1
    while piece := file.read(_PIECE):
        count += piece.count(b"\n")
    return count


def _table(file: BinaryIO, most: int, stamp: Stamp | None) -> IdList:
    fd = os.memfd_create("stepdown-ids", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        size = bytes_for(most)
        os.posix_fallocate(fd, 0, size)  # a lack of memory is an error here, and a signal when it shows later
        with mmap.mmap(fd, size) as memory, memoryview(memory) as view:
            try:
                count = fill(view, _ids(file))
            except ValueError:
                raise IdListError("changes while it is read") from None
            digest = hashlib.sha256(view).hexdigest()[:32]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return IdList(digest, count, stamp, fd)


def _ids(file: BinaryIO) -> Iterator[bytes]:
    """The ids of a file, without white space around them; empty lines and comments are none."""
    number = 0
    while line := file.readline(LONGEST_LINE + 2):
        number += 1
        if number == 1:
            line = line.removeprefix(_MARK)
        if len(line.rstrip(b"\r\n")) > LONGEST_LINE:
            raise IdListError(f"has more than {LONGEST_LINE} bytes in line {number}", number)
        one = line.strip(b" \t\r\n")
        if not one.isascii():
            try:
                one.decode()
            except UnicodeDecodeError:
                raise IdListError(f"is not UTF-8 in line {number}", number) from None
        if one and not one.startswith(b"#"):
            yield one
