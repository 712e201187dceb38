"""Files of a recording: how they are called, which of them are the oldest, and how a new one is begun.

    <route>-<time>-<process>-<number>.jsonl.zst        churn-20261126T093000.250Z-4711-0.jsonl.zst

The time is that at which the file was begun, so names of one route sort by age. A name is never used twice: a process
that comes after another one may have its id, as in a container, and the clock may have been set back.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote

from stepdown.telemetry.text import timestamp

SUFFIX = ".jsonl.zst"
_NAME = re.compile(r"(.+)-([0-9]{8}T[0-9]{6}\.[0-9]{3}Z)-([0-9]+)-([0-9]+)\.jsonl(?:\.zst)?").fullmatch
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE = 0o600
_LONGEST = 100
"""Characters of a route in a name: with all that follows, file systems take 255."""

Age = tuple[str, int, int]


def age(name: str) -> Age | None:
    """What sorts files by the time at which they were begun; `None` for a name that is none of ours."""
    match = _NAME(name)
    return (match[2], int(match[3]), int(match[4])) if match else None


def stamp(seconds: float) -> str:
    """Unix seconds as they stand in names."""
    return timestamp(seconds).replace("-", "").replace(":", "")


class Folder:
    """The files of one route in a folder, in which others may have theirs as well."""

    def __init__(self, path: str, route: str, keep: int) -> None:
        """At most `keep` files."""
        name = quote(route, safe="")
        if len(name) > _LONGEST:
            name = f"{name[: _LONGEST - 20]}~{hashlib.sha256(route.encode()).hexdigest()[:16]}"
        self._path = Path(path)
        self._route = name
        self._keep = max(1, keep)

    def begin(self, seconds: float) -> tuple[Path, int]:
        """A new, empty file and its descriptor, after room was made for it; raises `OSError`."""
        self._remove_oldest(self._keep - 1)
        number = 0
        while True:
            path = self._path / f"{self._route}-{stamp(seconds)}-{os.getpid()}-{number}{SUFFIX}"
            try:
                return path, os.open(path, _FLAGS, _MODE)
            except FileExistsError:
                number += 1

    def files(self) -> list[Path]:
        """The route's files, oldest first; raises `OSError`."""
        ours = (name for name in os.listdir(self._path) if name.endswith(SUFFIX))
        found = [(age(name), name) for name in ours if (match := _NAME(name)) and match[1] == self._route]
        return [self._path / name for _, name in sorted(found)]

    def _remove_oldest(self, keep: int) -> None:
        files = self.files()
        for path in files[: max(0, len(files) - keep)]:
            path.unlink(missing_ok=True)
