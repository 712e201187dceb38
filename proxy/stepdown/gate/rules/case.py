"""What a rule gets to judge, and what it says."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stepdown.gate.facts import Facts, ModelFacts, Place, VersionFacts
from stepdown.gate.lock import Entry, Lock
from stepdown.gate.policy import Policy
from stepdown.gate.steps import Edited, Step
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.proof.grading import Grading

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that a rule says, before waivers."""

    place: Place
    sentence: str
    model: str = ""
    version: str = ""
    severity: Severity = "error"
    fix: str = ""
    """More to the point than the rule's own."""


@dataclass(frozen=True, slots=True)
class Case:
    """A change: the state that would be published, the one that is, and what was agreed on."""

    head: Facts
    base: Facts
    policy: Policy
    today: datetime.date
    lock: Lock | None = None
    base_lock: Lock | None = None
    lock_file: str = "stepdown.lock"
    steps: Mapping[tuple[str, str], Step] = field(default_factory=dict)
    edits: Mapping[tuple[str, str], tuple[Edited, ...]] = field(default_factory=dict)
    grades: Mapping[tuple[str, str, str], tuple[Grading, ...]] = field(default_factory=dict)
    """Of chains by model, newer and older version, where the policy asks for proofs."""

    def entry(self, model: str, version: str) -> Entry | None:
        """The lock's line of a version."""
        return self.lock.entries.get((model, version)) if self.lock else None

    def base_entry(self, model: str, version: str) -> Entry | None:
        """The line that it had in the base."""
        return self.base_lock.entries.get((model, version)) if self.base_lock else None

    def lock_place(self, model: str = "", version: str = "") -> Place:
        """Where a version's line is."""
        lines = self.lock.lines if self.lock else {}
        return Place(self.lock_file, lines.get((model, version), 1))

    def edit(self, model: str, version: str, side: Side) -> Edited | None:
        """How one side of a version differs from the base."""
        return next((one for one in self.edits.get((model, version), ()) if one.side == side), None)

    def releases(self) -> Iterator[tuple[ModelFacts, VersionFacts]]:
        """Every release that is declared now, with its model."""
        for model in self.head.models.values():
            yield from ((model, one) for one in model.versions.values() if one.is_release)


def listed(names: Sequence[str]) -> str:
    """`1.0.0`, `1.0.0 and 1.1.0`, `1.0.0, 1.1.0 and 2.0.0`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def counted(number: int, what: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
