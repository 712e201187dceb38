"""A file that several processes append to, that may be renamed under them, and that does not grow for ever.

Before each piece that is written, whoever writes asks for the descriptor. Where the path has come to lead elsewhere (it
was renamed or removed, by `logrotate` for one) the file is opened, or begun, anew; nobody has to be told by a signal.
Where it has reached its limit it is renamed to `PATH.1`, over the one before. Of several processes that want to do that
at once one may: the lock is on the file itself, and who gets it looks again whether the path still leads there.

It may be a named pipe or a device as well, which has no size to speak of. A pipe without a reader cannot be opened.
"""

from __future__ import annotations

import fcntl
import os
import stat

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
_MODE = 0o640


class GrowingFile:
    """One process's hold on the file; used by one thread."""

    def __init__(self, path: str, limit: int) -> None:
        """Append to `path`; rename it at `limit` bytes."""
        self.path = path
        self._limit = limit
        self._fd = -1

    def descriptor(self) -> int:
        """Where to write now; raises `OSError` where the file cannot be opened."""
        if self._fd >= 0:
            mine = os.fstat(self._fd)
            if not self._is_there(mine):
                self.close()
            elif mine.st_size >= self._limit and stat.S_ISREG(mine.st_mode):
                self._set_aside()
        if self._fd < 0:
            self._fd = os.open(self.path, _FLAGS, _MODE)
        return self._fd

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _is_there(self, mine: os.stat_result) -> bool:
        """Whether the path leads to what is open."""
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def _set_aside(self) -> None:
        """Rename a file that is full, unless somebody else is about to, or has."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # it grows by a line or two until the other one has renamed it
        if self._is_there(os.fstat(self._fd)):
            os.replace(self.path, f"{self.path}.1")
        self.close()  # and with it the lock
