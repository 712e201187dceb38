"""What a search for a document can come to, and the face of the search that the rooms of the types see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

State = frozenset[int]
"""What one value has to satisfy: a positive number names a schema that must hold, a negative one a schema that must not
hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value that satisfies everything asked."""

    value: Any


@dataclass(frozen=True, slots=True)
class Guess:
    """A value that satisfies what was understood; whether it satisfies the rest is for the evaluator to say."""

    value: Any


@dataclass(frozen=True, slots=True)
class Nothing:
    """Proof that no value satisfies what was asked."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Neither a value nor a proof."""

    reason: str


Outcome = Found | Nothing | Unclear
Attempt = Outcome | Guess
NOTHING = Nothing()


class Exhausted(Exception):  # noqa: N818 - a result that ends the search
    """The question took more steps than it may."""


class Search(Protocol):
    """What the rooms of the types may ask about the values inside of theirs."""

    def inhabit(self, state: State) -> Outcome:
        """A value that satisfies `state`, which stands strictly inside the value now being built."""
        ...

    def valid(self, demand: int, value: Any) -> bool | None:
        """Whether one value satisfies one demand; `None` where the evaluator does not know."""
        ...

    def demand(self, schema: dict[str, Any]) -> int:
        """The demand that a schema, which has no references, holds; its negative: that it does not."""
        ...

    def step(self, size: int = 1) -> None:
        """Counts a step, or one as long as `size` of them; raises `Exhausted` when there were too many."""
        ...
