"""Lines of text to a file descriptor that may be slow, stuck or closed, without anybody waiting for it.

Standard output and standard error are pipes that others own and share: making them non-blocking would change them for
every process that holds them, and a pipe that nobody empties blocks whoever writes. So one thread of its own writes,
and what finds no room in its bounded queue is dropped and counted.

Pieces are whole lines of at most `PIPE_BUF` bytes together, which a pipe takes in one go: the lines of several
workers that write to the same pipe never mix.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue

from stepdown.telemetry.growing import GrowingFile

LINE_LIMIT = select.PIPE_BUF
"""Bytes of a line, its line feed included."""

logger = logging.getLogger(__name__)


class LineWriter:
    """Writes lines in the background; `put` and `close` belong to one thread."""

    def __init__(self, fd: int, *, bound: int = 1024 * 1024) -> None:
        """Write to `fd`, which stays the caller's, and keep at most `bound` bytes of lines waiting."""
        self._fd = fd
        self._bound = bound
        self._queue: SimpleQueue[tuple[bytes, int] | threading.Event | None] = SimpleQueue()
        self._taken = 0
        self._thread: threading.Thread | None = None
        # Written by the thread only:
        self._done = 0
        self._torn = False
        """The last thing that was written is a part of a line."""
        self.lost = 0
        """Lines that were taken and could not be written: nobody reads any more, or the disk is full."""

    @property
    def full(self) -> bool:
        """Whether as much waits as may; what is put now is refused but for a lucky line."""
        return self._taken - self._done + LINE_LIMIT > self._bound

    def put(self, lines: Iterable[bytes]) -> int:
        """Take lines, each with its line feed and at most `LINE_LIMIT` long; how many found no room."""
        refused = 0
        for piece, count in _pieces(lines):
            if self._taken - self._done + len(piece) > self._bound:
                refused += count
            else:
                self._taken += len(piece)
                self._queue.put((piece, count))
        if self._thread is None and self._taken:
            self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
            self._thread.start()
        return refused

    def drain(self, timeout: float) -> bool:
        """Wait until all that was taken is written or lost; `False` when `timeout` seconds were not enough."""
        if self._thread is None or not self._thread.is_alive():
            return True
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(timeout)

    def close(self, timeout: float) -> None:
        """Write what is left, for at most `timeout` seconds, and stop."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            piece, count = item
            if not self._written(piece):
                self.lost += count
            self._done += len(piece)

    def _written(self, piece: bytes) -> bool:
        """Write a piece; where only a part of the one before was written, on a line of its own."""
        left = b"\n" + piece if self._torn else piece
        before = len(left)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:  # another holder of the pipe has made it non-blocking
                select.select((), (self._fd,), ())
            except (OSError, ValueError):
                self._torn = self._torn or len(left) < before
                return False
        self._torn = False
        return True


class FileWriter(LineWriter):
    """Writes lines to a file that is opened when the first of them is there, and again whenever it was moved."""

    def __init__(self, file: GrowingFile, *, bound: int = 1024 * 1024) -> None:
        """Append to `file`, which becomes the writer's, and keep at most `bound` bytes of lines waiting."""
        super().__init__(-1, bound=bound)
        self._file = file
        self._failing = False

    def _run(self) -> None:
        super()._run()
        self._file.close()

    def _written(self, piece: bytes) -> bool:
        try:
            self._fd = self._file.descriptor()
        except OSError as error:
            written = False
            self._note(error)
        else:
            written = super()._written(piece)
            if not written:
                self._note(None)
        if written and self._failing:
            self._failing = False
            logger.info("%s is written again", self._file.path)
        return written

    def _note(self, error: OSError | None) -> None:
        """Say once that nothing can be written, however many lines are lost to it."""
        if not self._failing:
            self._failing = True
            why = error.strerror if error is not None else "the disk is full, or nobody reads"
            logger.warning("%s cannot be written: %s; lines are dropped and counted", self._file.path, why)


def _pieces(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines joined while they fit into one atomic write, and how many they are."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > LINE_LIMIT and waiting:
            yield b"".join(waiting), len(waiting)
            waiting, size = [], 0
        waiting.append(line)
        size += len(line)
    if waiting:
        yield b"".join(waiting), len(waiting)
