"""Where in the file a mistake in a list of operations stands."""

from __future__ import annotations

import re

from stepdown.config.tree import Key

_INDEX_PATH = re.compile(r"\[(\d+)\]|/([^/\[\]]+)")


def steps_to(where: str) -> tuple[Key, ...]:
    """`[1]/do/0/sigmoid` as a path below the list of operations."""
    steps = ((found[1] or found[2]) for found in _INDEX_PATH.finditer(where))
    return tuple(int(step) if step.isdigit() else step for step in steps)
