"""Lines of recorded files, plain or compressed, without ever holding more than one line and a piece of the file.

What recording leaves behind when it is interrupted is no mistake: a last line, or a last frame, that is cut is passed
over and counted. All else that cannot be read is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from stepdown.recordings import compression
from stepdown.recordings.entry import LONGEST
from stepdown.recordings.files import age

_PIECE = 64 * 1024
_SUFFIXES = (".jsonl", ".jsonl.zst", ".ndjson", ".ndjson.zst")


class RecordingError(Exception):
    """A recording cannot be read; the message names the file, and the line where it is one line's fault."""


class BrokenError(RecordingError):
    """A part of one cannot be read; who is lenient passes over it."""


class Line(NamedTuple):
    """One line that is whole, or that is too long to be read."""

    file: Path
    number: int
    text: bytes
    """Without its end; empty where it is too long."""
    ends: bool
    """Whether it has an end: a last line that has none may be cut."""
    too_long: bool = False

    @property
    def place(self) -> str:
        """Where it is, as `FILE:LINE`."""
        return f"{self.file}:{self.number}"


def found(paths: Sequence[Path]) -> list[Path]:
    """All files that are meant, each once, in the order of the times in their names; others come first, as named.

    A folder stands for the recordings in it. Raises `RecordingError` where there is none.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        try:
            inside = sorted(one for one in path.iterdir() if one.name.endswith(_SUFFIXES) and one.is_file())
        except OSError as error:
            raise _unreadable(path, error) from None
        if not inside:
            names = " or ".join(_SUFFIXES[:2])
            raise RecordingError(f"{path}: has no recording; the names of recordings end with {names}")
        files |= dict.fromkeys(inside)
    return sorted(files, key=lambda file: age(file.name) or ("", 0, 0))


class Lines:
    """The lines of several files, one after the other."""

    def __init__(self, paths: Sequence[Path], *, lenient: bool = False) -> None:
        """With `lenient`, what follows damaged compression in a file is passed over; raises `RecordingError`."""
        self.files = found(paths)
        self.cut: set[Path] = set()
        """Files that end in the middle of a frame; whoever finds that a last line is half of one adds its file."""
        self.gone = 0
        """Files that were removed before their turn came, to make room for new ones."""
        self.damaged: list[str] = []
        """Files with damaged compression, with what is wrong."""
        self.done = 0
        """Bytes of the files that were read."""
        self.total = sum(map(_size, self.files))
        """Bytes of all files, as they were in the beginning; some may grow."""
        self._lenient = lenient

    def __iter__(self) -> Iterator[Line]:
        """Every line that is not empty; raises `RecordingError`."""
        for file in self.files:
            try:
                with file.open("rb") as source:
                    yield from self._lines(file, source)
            except FileNotFoundError:
                self.gone += 1
            except OSError as error:
                raise _unreadable(file, error) from None

    def _lines(self, file: Path, source: BufferedReader) -> Iterator[Line]:
        number, start, passing = 1, bytearray(), False
        for piece in self._plain(file, source):
            *ended, rest = piece.split(b"\n")
            for text in ended:
                start += text
                if passing or len(start) > LONGEST:
                    yield Line(file, number, b"", ends=True, too_long=True)
                elif start.strip():
                    yield Line(file, number, bytes(start), ends=True)
                number, passing = number + 1, False
                start.clear()
            start += rest
            if len(start) > LONGEST:
                passing = True
                start.clear()
        if passing or start.strip():
            yield Line(file, number, bytes(start), ends=False, too_long=passing)

    def _plain(self, file: Path, source: BufferedReader) -> Iterator[bytes]:
        """The file's content, in pieces, decompressed where it is compressed."""
        if not source.peek(len(compression.MAGIC)).startswith(compression.MAGIC):
            yield from self._pieces(source)
            return
        try:
            whole = yield from compression.decompressed(self._pieces(source))
        except compression.CompressionError as error:
            if not self._lenient:
                raise BrokenError(f"{file}: cannot be decompressed: {error}") from None
            self.damaged.append(f"{file}: {error}")
            return
        if not whole:
            self.cut.add(file)

    def _pieces(self, source: BufferedReader) -> Iterator[bytes]:
        while piece := source.read(_PIECE):
            self.done += len(piece)
            yield piece


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"{path}: cannot be read: {error.strerror}")
