"""Counts what of a contract the drawn documents have shown: the goals that were met, and those that never were.

A goal is one fact about one place of the schema that an adapter may stumble over: the place is there at all, an
optional member is there and is not there, a branch or a value was taken, a number lies on its bound, an open object has
a member whose name the older contract gives a meaning to. A goal is known as soon as its place was looked at. It counts
as met when a document that shows it was found to be valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["place", "absent", "present", "branch", "type", "value", "boundary", "collision"]
KINDS: tuple[Kind, ...] = ("place", "present", "absent", "branch", "type", "value", "boundary", "collision")
WORDS: Mapping[Kind, str] = {
    "place": "places",
    "present": "optional members present",
    "absent": "optional members absent",
    "branch": "branches",
    "type": "types",
    "value": "listed values",
    "boundary": "boundary values",
    "collision": "name collisions",
}
Goal = tuple[Kind, str]
"""What it is about, and where: a JSON Pointer into the schema, sometimes with a word behind it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many goals there were, and how many were met."""

    goals: Mapping[Kind, int]
    met: Mapping[Kind, int]
    missed: tuple[Goal, ...] = ()

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where there was nothing to show."""
        total = sum(self.goals.values())
        return sum(self.met.values()) / total if total else 1.0

    def __str__(self) -> str:
        """`96 % (12 of 12 places, 3 of 4 branches)`."""
        parts = [f"{self.met.get(kind, 0)} of {count} {WORDS[kind]}" for kind, count in self.goals.items() if count]
        return f"{int(self.share * 100)} % ({', '.join(parts)})" if parts else "all of it"


class Ledger:
    """The goals of one contract while documents are drawn."""

    __slots__ = ("_met", "_numbers", "names")

    def __init__(self) -> None:
        self._numbers: dict[Goal, int] = {}
        self.names: list[Goal] = []
        self._met: set[int] = set()

    def goal(self, kind: Kind, place: str) -> int:
        """The number of a goal, which is known from now on."""
        number = self._numbers.setdefault((kind, place), len(self.names))
        if number == len(self.names):
            self.names.append((kind, place))
        return number

    def meet(self, numbers: Iterable[int]) -> None:
        """A valid document showed these."""
        self._met.update(numbers)

    def coverage(self) -> Coverage:
        """The figures so far."""
        counts = Counter(kind for kind, _ in self.names)
        met = Counter(self.names[number][0] for number in self._met)
        missed = tuple(sorted(goal for number, goal in enumerate(self.names) if number not in self._met))
        return Coverage(
            {kind: counts[kind] for kind in KINDS if counts[kind]},
            {kind: met[kind] for kind in KINDS if counts[kind]},
            missed,
        )
