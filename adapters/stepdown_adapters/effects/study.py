"""What is known and noted while operations are run over schemas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.references import References


@dataclass(frozen=True)
class Deep:
    """An effect that looks further into its value than one level, and so has to know what references lead to."""

    function: Callable[[Schema, References], Schema]

    def __call__(self, schema: Schema) -> Schema:
        """The effect where references cannot be followed."""
        return self.function(schema, References())


class Step(Protocol):
    """What is known here of an operation."""

    @property
    def where(self) -> str:
        """Its index path."""
        ...

    def effect(self, schema: Schema, study: Study) -> Schema:
        """What it does to a schema."""
        ...


@dataclass(slots=True)
class Visits:
    """How an operation fared in all the places, and with all kinds of values, that it came to."""

    refused: list[Schema] = field(default_factory=list)
    """What it always refuses."""
    passed: int = 0
    contradictions: list[str] = field(default_factory=list)
    """Why it is wrong for what a value means, for each value that it is wrong for."""
    meaningful: int = 0
    """Values that mean something that it is for."""

    @property
    def refuses_all(self) -> bool:
        """Whether it came to something and refuses all of that."""
        return bool(self.refused) and not self.passed


@dataclass(slots=True)
class Study:
    """One run of operations over a contract; notes are kept by an operation's index path."""

    references: References
    steps: dict[str, Visits] = field(default_factory=dict)
    """What came of each operation as a whole."""
    values: dict[str, Visits] = field(default_factory=dict)
    """What came of the values that conversions were given."""

    def step(self, operation: Step, schema: Schema) -> Schema:
        """The schema after one operation; of what is refused already, no operation is asked."""
        if schema is False:
            return False
        after = operation.effect(schema, self)
        _note(self.steps, operation.where, schema, after)
        return after

    def value(self, where: str, before: Schema, after: Schema) -> Visits:
        """Notes what came of one value."""
        return _note(self.values, where, before, after)


def _note(notes: dict[str, Visits], where: str, before: Schema, after: Schema) -> Visits:
    visits = notes.setdefault(where, Visits())
    if after is False:
        visits.refused.append(before)
    else:
        visits.passed += 1
    return visits
