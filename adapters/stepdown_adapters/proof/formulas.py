"""What can be asked of a value of one kind: literals, and formulas that are put together of them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from stepdown_adapters.proof.patterns import matches


class Literal(NamedTuple):
    """One condition, or its opposite."""

    word: str
    about: Hashable
    holds: bool = True


class Every(NamedTuple):
    """All parts hold."""

    parts: tuple[Any, ...]


class Some(NamedTuple):
    """At least one part holds."""

    parts: tuple[Any, ...]


Formula = int | Literal | Every | Some
YES = Every(())
NO = Some(())


class Scope(NamedTuple):
    """The members with these names or names that match a pattern, or, `outside`, all others."""

    names: frozenset[str]
    patterns: tuple[str, ...] = ()
    outside: bool = False

    def only_name(self) -> str | None:
        """The name, if the scope is one member."""
        return next(iter(self.names)) if len(self.names) == 1 and not self.patterns and not self.outside else None

    def covers(self, name: str) -> bool | None:
        """Whether a member of that name is meant; `None` when a pattern is not understood."""
        if name in self.names:
            return not self.outside
        found = [matches(pattern, name) for pattern in self.patterns]
        if True in found:
            return not self.outside
        return None if None in found else self.outside


class Values:
    """The values of an `enum`; equal to those of another that is written the same."""

    __slots__ = ("text", "values")

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.text = repr(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def opposite(formula: Formula) -> Formula:
    """What holds exactly when the formula does not."""
    if isinstance(formula, int):
        return -formula
    if isinstance(formula, Literal):
        return Literal(formula.word, formula.about, not formula.holds)
    parts = tuple(opposite(part) for part in formula.parts)
    return Some(parts) if isinstance(formula, Every) else Every(parts)
