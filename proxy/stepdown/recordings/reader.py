"""Recorded exchanges read again, from a file, a folder, or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stepdown.recordings import entry
from stepdown.recordings.lines import BrokenError, Line, Lines

_NAMED = 5


class Reader:
    """The entries of recordings, in the order of their files."""

    def __init__(self, paths: Sequence[Path], *, lenient: bool = False) -> None:
        """With `lenient`, what cannot be read is passed over and counted; raises `RecordingError`."""
        self._lines = Lines(paths, lenient=lenient)
        self._lenient = lenient
        self.entries = 0
        """Entries that were given."""
        self.broken = 0
        """Lines that were passed over; only where that is allowed."""
        self.named: list[str] = []
        """The first of them, with what is wrong."""

    @property
    def files(self) -> Sequence[Path]:
        """The files in their order."""
        return self._lines.files

    @property
    def done(self) -> int:
        """Bytes of the files that were read."""
        return self._lines.done

    @property
    def total(self) -> int:
        """Bytes of all files, as they were in the beginning."""
        return self._lines.total

    @property
    def cut(self) -> int:
        """Files that end in the middle of an entry, as those of a process that was killed do."""
        return len(self._lines.cut)

    @property
    def gone(self) -> int:
        """Files that were removed before their turn came."""
        return self._lines.gone

    def __iter__(self) -> Iterator[entry.Entry]:
        """The entries; raises `BrokenError` where it is not lenient."""
        for line in self._lines:
            found = self._read(line)
            if found is not None:
                self.entries += 1
                yield found
        for damage in self._lines.damaged:
            self._pass_over(damage)

    def _read(self, line: Line) -> entry.Entry | None:
        if line.too_long:
            self._pass_over(f"{line.place}: is longer than {entry.LONGEST:,} bytes")
            return None
        try:
            return entry.read(line.text)
        except ValueError as error:
            if line.ends:
                self._pass_over(f"{line.place}: is no recorded exchange: {error}")
            else:
                self._lines.cut.add(line.file)
            return None

    def _pass_over(self, what: str) -> None:
        if not self._lenient:
            raise BrokenError(what)
        self.broken += 1
        if len(self.named) < _NAMED:
            self.named.append(what)
