"""Files as reports name them: relative to a folder, so that they are the same on every machine."""

from __future__ import annotations

import os
from pathlib import Path


def relative(file: str, root: Path) -> str:
    """`file` as seen from `root`, with slashes; as it is where it lies outside."""
    inside = os.path.relpath(os.path.realpath(file), os.path.realpath(root))
    return file if inside.startswith("..") else Path(inside).as_posix()
