"""The mistakes of one file, each at the line that the names and indices leading to it say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepdown_adapters.contract.mistakes import unknown
from stepdown_adapters.contract.reading import Lines
from stepdown_adapters.errors import ModelError
from stepdown_adapters.json_values import kind

At = tuple[str | int, ...]
"""Names and indices from the top of the file to a value."""


class Notes:
    """What is wrong with a file so far, each thing once."""

    __slots__ = ("_mistakes", "file")

    def __init__(self, file: Path) -> None:
        self.file = file
        self._mistakes: dict[tuple[At, str], None] = {}

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._mistakes)

    def wrong(self, at: At, sentence: str) -> None:
        """Note a mistake."""
        self._mistakes[at, sentence] = None

    def refuse(self) -> None:
        """Raise `ModelError` with all mistakes in the order of their lines, if there is one."""
        if not self._mistakes:
            return
        lines = Lines(self.file)
        placed = sorted(((lines.of(at) or 0, sentence) for at, sentence in self._mistakes), key=lambda one: one[0])
        first, *rest = [ModelError(place(self.file, line), sentence) for line, sentence in placed]
        raise ModelError(first.place, first.sentence, rest)

    def members(self, value: Any, at: At, what: str) -> dict[str, Any] | None:
        """The value, if it is a mapping; `None` after noting that it is not."""
        if isinstance(value, dict):
            return value
        self.wrong(at, f"{what} is a mapping, not {kind(value)}")
        return None

    def keys(self, section: Mapping[str, Any], at: At, known: frozenset[str]) -> None:
        """Note every key that nothing knows."""
        for key in section:
            if key not in known:
                self.wrong((*at, key), unknown("key", key, sorted(known)))


def place(file: Path, line: int | None) -> str:
    """`file:line` for people."""
    return f"{file}:{line}" if line else str(file)
