"""Appends lines to files that are begun anew when they are large, a Zstandard frame at a time.

Each flush is a frame of its own, written at once: a file that is being written, or whose process was killed, can be
read up to the last one. A frame that could not be written as a whole is taken back, so that a full disk leaves no half
of one. All files of a route together hold at most `keep` times `max_size` bytes (or, where that is more, one frame).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from stepdown.decide.shadow_spec import Recording
from stepdown.recordings import compression
from stepdown.recordings.files import Folder


class Writer:
    """One process's files of one route."""

    def __init__(self, recording: Recording, route: str) -> None:
        self._folder = Folder(recording.folder, route, recording.keep)
        self._max_size = recording.max_size
        self._fd = -1
        self._size = 0
        self.path: Path | None = None
        """The file that is being written, or was last."""

    def append(self, lines: bytes, seconds: float) -> None:
        """Write lines as a frame; `seconds` (Unix) name the file where a new one is begun.

        Raises `OSError`, or `CompressionError` where nothing can be compressed; then the next call begins a new file.
        """
        frame = compression.compressed(lines)
        if self._fd >= 0 and (self._size + len(frame) > self._max_size or not self._is_there()):
            self.close()
        if self._fd < 0:
            self.path, self._fd = self._folder.begin(seconds)
            self._size = 0
        try:
            self._write(frame)
        except OSError:
            self._take_back()
            raise
        self._size += len(frame)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):  # what could not be written would have been said by `write`, but for network disks
                os.close(fd)

    def _write(self, frame: bytes) -> None:
        left = memoryview(frame)
        while left:
            left = left[os.write(self._fd, left) :]

    def _take_back(self) -> None:
        """Leave the file as it was, and no file where nothing is in it."""
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
        if not self._size and self.path is not None and self._is_there():
            with suppress(OSError):
                self.path.unlink()
        self.close()

    def _is_there(self) -> bool:
        """Whether the path still leads to what is open: somebody may have moved or removed it."""
        assert self.path is not None
        try:
            there, mine = os.stat(self.path), os.fstat(self._fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
