"""What can be said about one schema being included in another; apart from the search, which is not always needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Included:
    """Every document valid under `inner` is valid under `outer`."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """A document valid under `inner` and not under `outer`."""

    witness: Any
    """The document, of plain JSON values."""
    reason: str
    """What it breaks of `outer`: `at /score: 1.5 breaks maximum 1`."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither proved nor refuted."""

    reason: str


Inclusion = Included | Excluded | Undecided
