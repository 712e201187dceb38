"""What the files of a configuration looked like when they were read, so that a change is seen whoever made it.

Kubernetes replaces a mounted ConfigMap by renaming a symlink two levels up, editors rename a new file over the old one:
so a stamp holds where a path leads as well as what is there.
"""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 1000
"""Most files that one `include` pattern contributes."""

Stamp = tuple[str, int, int, int]


def stamp(path: Path) -> Stamp | None:
    """`(real path, inode, size, modification time in ns)`; `None` for what cannot be looked at."""
    try:
        state = path.stat()
        return os.path.realpath(path), state.st_ino, state.st_size, state.st_mtime_ns
    except (OSError, ValueError):
        return None


def matching(pattern: str) -> tuple[Path, ...]:
    """Files that a shell pattern names, in order."""
    found = itertools.islice(glob.iglob(pattern), MOST_FILES)
    return tuple(sorted(Path(name) for name in found))


@dataclass(frozen=True, slots=True)
class Watched:
    """Files with their stamps, and patterns with what they matched."""

    stamps: Mapping[Path, Stamp | None]
    globs: Mapping[str, tuple[Path, ...]]

    def again(self) -> Watched:
        """The same files and patterns as they are now; unequal to `self` when something changed."""
        return Watched(
            {path: stamp(path) for path in self.stamps}, {pattern: matching(pattern) for pattern in self.globs}
        )


NOTHING = Watched({}, {})
