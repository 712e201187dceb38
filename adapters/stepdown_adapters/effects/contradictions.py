"""Finds where what comes out of an adapter provably contradicts the contract that it is to fulfil.

One-sided, the other way round than a proof: a *contradiction* is only told where it is certain, and silence proves
nothing. Both schemas are opened together, place by place.

    whole    no value of one shape is one of the other: a type, a list of values, bounds or lengths that do not meet, a
             member that one requires and the other does not have, or a whole contradiction below what must be there
    partial  the same below an optional member, or in the items of an array that may be empty: whatever has it is wrong

A union contradicts a union if every pair of shapes does. Where a place has several shapes, which of them a document
has is not known, so nothing partial is told of them.

Meanings are compared where both say something: `x-semantic` with a different value for the same word is a
contradiction of its own kind, for no type will show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.bounds import bounds
from stepdown_adapters.effects.meaning import passed_down
from stepdown_adapters.effects.references import References, rooted
from stepdown_adapters.effects.shapes import MEANING, opened
from stepdown_adapters.effects.values import Shape, may_hold, values_of
from stepdown_adapters.paths import Every, Member, Path

_DEPTH = 24
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A place where nothing, or nothing of what is there, fulfils the contract."""

    path: Path
    sentence: str
    """What comes out, and what the contract has instead."""


def contradictions(made: Schema, contract: Schema) -> list[Contradiction]:
    """The certain contradictions of what is made to a contract; both are schemas in one piece."""
    (one, first), (other, second) = rooted(made), rooted(contract)
    search = _Search(first, second)
    whole = search.whole(one, other, Path(), 0)
    if whole is not None:
        return [whole]
    return list(search.partial(one, other, Path(), 0))


class _Search:
    def __init__(self, made: References, contract: References) -> None:
        self._made = made
        self._contract = contract
        self._fine: dict[tuple[int, int], tuple[Schema, Schema]] = {}
        """Pairs of schemas that were found not to contradict, kept for their identity."""

    def whole(self, made: Schema, contract: Schema, path: Path, depth: int) -> Contradiction | None:
        """Why no value of what is made fulfils the contract."""
        if depth == _DEPTH or made is True or contract is True or made is False:
            return None
        if contract is False:
            return Contradiction(path, "may be there, and the contract declares no such member")
        pair = (id(made), id(contract))
        if pair in self._fine:
            return None
        found = self._whole(made, contract, path, depth)
        if found is None:
            self._fine[pair] = (made, contract)
        return found

    def _whole(self, made: Schema, contract: Schema, path: Path, depth: int) -> Contradiction | None:
        shapes = opened(made, self._made)
        allowed = opened(contract, self._contract)
        if not shapes:
            return None
        found: list[Contradiction] = []
        for shape in shapes:
            reasons = [self._of_shapes(shape, other, path, depth) for other in allowed]
            if any(reason is None for reason in reasons):
                return None
            found += [reason for reason in reasons if reason is not None]
        types = {shape["type"] for shape in shapes}, {shape["type"] for shape in allowed}
        if not found or (len(found) > 1 and not types[0] & types[1]):
            return Contradiction(path, f"is {words(types[0])}, and the contract has {words(types[1])}")
        return max(found, key=lambda one: len(one.path.segments))

    def _of_shapes(self, made: Shape, contract: Shape, path: Path, depth: int) -> Contradiction | None:
        kinds = made["type"], contract["type"]
        if kinds[0] != kinds[1] and set(kinds) != {"integer", "number"}:
            return Contradiction(path, f"is {words({kinds[0]})}, and the contract has {words({kinds[1]})}")
        sentence = _of_values(made, contract)
        if sentence is not None:
            return Contradiction(path, sentence)
        if kinds[0] == "array":
            return self._of_arrays(made, contract, path, depth)
        return self._of_objects(made, contract, path, depth) if kinds[0] == "object" else None

    def _of_arrays(self, made: Shape, contract: Shape, path: Path, depth: int) -> Contradiction | None:
        (low, high), (least, most) = arrays.sizes(made), arrays.sizes(contract)
        if (most is not None and low > most) or (high is not None and high < least):
            count, allowed = _count(low, high), _count(least, most)
            return Contradiction(path, f"has {count} items, and the contract has {allowed}")
        for index in range(min(low, arrays.MAX_INDEX)):
            inside = path + Path((Member(str(index)),))
            found = self.whole(arrays.item(made, index), arrays.item(contract, index), inside, depth + 1)
            if found is not None:
                return found
        return None

    def _of_objects(self, made: Shape, contract: Shape, path: Path, depth: int) -> Contradiction | None:
        for name in contract.get("required", ()):
            if objects.member(made, name) is False:
                return Contradiction(path + Path((Member(name),)), "is never there, and the contract requires it")
        for name in made.get("required", ()):
            inside = path + Path((Member(name),))
            allowed = objects.member(contract, name)
            if allowed is False:
                return Contradiction(inside, "is always there, and the contract declares no such member")
            found = self.whole(objects.member(made, name), allowed, inside, depth + 1)
            if found is not None:
                return found
        return None

    def partial(self, made: Schema, contract: Schema, path: Path, depth: int) -> Iterator[Contradiction]:
        """What is wrong with some documents, though not with all."""
        if depth == _DEPTH or made is True or contract is True:
            return
        shapes, allowed = opened(made, self._made), opened(contract, self._contract)
        sentence = _of_meanings(shapes, allowed)
        if sentence is not None:
            yield Contradiction(path, sentence)
        if len(shapes) != 1 or len(allowed) != 1:
            return
        shape, other = shapes[0], allowed[0]
        for segment, inner, inside in _below(shape, other):
            there = path + Path((segment,))
            inner = passed_down(shape, inner, self._made)  # noqa: PLW2901
            inside = passed_down(other, inside, self._contract)  # noqa: PLW2901
            found = self.whole(inner, inside, there, depth + 1)
            if found is not None:
                yield found
            else:
                yield from self.partial(inner, inside, there, depth + 1)


def _below(made: Shape, contract: Shape) -> Iterator[tuple[Any, Schema, Schema]]:
    """Members that what is made declares, and items, with what the contract has for them."""
    if made["type"] == "object":
        for name, inner in made.get("properties", {}).items():
            if inner is not False:
                yield Member(name), objects.member(made, name), objects.member(contract, name)
        rest = made.get("additionalProperties", True)
        if isinstance(rest, dict) and "properties" not in contract and "patternProperties" not in contract:
            yield Every(), rest, contract.get("additionalProperties", True)
    elif made["type"] == "array":
        for index in range(len(arrays.prefix(made))):
            if arrays.item(made, index) is not False:
                yield Member(str(index)), arrays.item(made, index), arrays.item(contract, index)
        if arrays.rest(made) is not False and not arrays.prefix(made) and not arrays.prefix(contract):
            yield Every(), arrays.rest(made), arrays.rest(contract)


def _of_values(made: Shape, contract: Shape) -> str | None:
    """Why scalars of the same type do not meet."""
    values, allowed = values_of(made), values_of(contract)
    if values is not None and not any(may_hold(contract, value) for value in values):
        said = f"the contract has {_listed(allowed)}" if allowed else f"the contract has {_bounds(contract)}"
        return f"is {_listed(values)}, and {said}"
    if allowed is not None and not any(may_hold(made, value) for value in allowed):
        return f"is {_bounds(made)}, and the contract has {_listed(allowed)}"
    if made["type"] in ("integer", "number"):
        one, other = bounds(made), bounds(contract)
        apart = (one.low is not None and other.high is not None and one.low > other.high) or (
            one.high is not None and other.low is not None and one.high < other.low
        )
        if apart:
            return f"is {_bounds(made)}, and the contract has {_bounds(contract)}"
    return None


def _of_meanings(shapes: list[Shape], allowed: list[Shape]) -> str | None:
    """How the meanings differ, if all that say something say something else."""
    said = [shape[MEANING] for shape in shapes if MEANING in shape]
    wanted = [shape[MEANING] for shape in allowed if MEANING in shape]
    if not said or len(said) != len([shape for shape in shapes if shape["type"] != "null"]):
        return None
    for word in wanted[0] if wanted else ():
        known = all(word in one for one in (*wanted, *said))
        if known and all(one[word] != other[word] for one in said for other in wanted):
            return f"means {word} {said[0][word]!r}, and the contract declares {word} {wanted[0][word]!r}"
    return None


def words(types: set[str]) -> str:
    """Types for a sentence: `an array or null`."""
    article = {"array": "an array", "object": "an object", "integer": "an integer", "null": "null"}
    return " or ".join(article.get(name, f"a {name}") for name in sorted(types)) or "nothing"


def _listed(values: list[Any] | None) -> str:
    text = " or ".join(repr(value) for value in values or ())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _bounds(shape: Shape) -> str:
    low, high = bounds(shape)
    parts = [f"from {low}" if low is not None else "", f"to {high}" if high is not None else ""]
    return " ".join([words({shape["type"]}), *(part for part in parts if part)])


def _count(low: int, high: int | None) -> str:
    return str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
