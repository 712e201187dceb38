"""The alternatives of one side: what tells them apart, and which cannot both hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.values import EVERYTHING, listed, missing, types_of, with_types
from stepdown_adapters.json_values import equal
from stepdown_adapters.paths import Every, Path, where

Tags = dict[str, Any]
"""Members that are always there with one scalar value."""
STRUCTURAL = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})
"""Keywords that look at a value of any type."""
_COMMON_MEMBERS = 0.5
"""Share of member names from which on two objects are taken for one thing that changed."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What a side may be; one that is not made of alternatives is its only one."""

    keyword: str | None
    written: list[Any]
    """As the contract has them, for people."""
    schemas: list[Any]
    """With what stands beside them."""
    flats: list[Flat]
    tags: list[Tags]
    tag: str | None
    """The member whose constant is another one in each, as `name` of tensors."""
    flat_of: Callable[[Any], Flat]

    def where(self, index: int, path: Path) -> Path | None:
        """The path of this alternative alone, among items of an array."""
        if self.tag is None or not path.segments or not isinstance(path.last, Every):
            return None
        return path.parent + Path((where(self.tag, self.tags[index][self.tag]),))


def alternatives(flat: Flat, *, alone: bool, flat_of: Callable[[Any], Flat]) -> Alternatives:
    """The alternatives of a flat schema; `alone`: without what stands beside them, which is compared for itself."""
    keyword = next((word for word in ("anyOf", "oneOf") if word in flat), None)
    written: list[Any] = _without_null(flat)
    schemas = written
    if keyword is not None:
        beside = {word: value for word, value in flat.items() if word != keyword}
        schemas = written = list(flat[keyword])
        if beside and not alone:
            schemas = [{"allOf": [schema, beside]} for schema in schemas]
    flats = [flat_of(schema) for schema in schemas]
    tags = [_tags(one, flat_of) for one in flats]
    return Alternatives(keyword, written, schemas, flats, tags, _distinguishing(tags), flat_of)


def _without_null(flat: Flat) -> list[Any]:
    """What may be null is null or something else, as alternatives on the other side have it."""
    types = types_of(flat)
    if "null" not in types or len(types) == 1 or flat.keys() & STRUCTURAL or len(types) == len(EVERYTHING):
        return [flat]
    rest = {word: value for word, value in flat.items() if word != "const"}
    values = listed(flat)
    if values is not None:
        rest["enum"] = [value for value in values if value is not None]
    return [{**rest, "type": with_types(types - {"null"})}, {"type": "null"}]


def _tags(flat: Flat, flat_of: Callable[[Any], Flat]) -> Tags:
    found = {}
    for name in flat.get("required", ()):
        values = listed(flat_of(flat.get("properties", {}).get(name, True)))
        if values is not None and len(values) == 1 and not isinstance(values[0], dict | list):
            found[name] = values[0]
    return found


def _distinguishing(tags: list[Tags]) -> str | None:
    if len(tags) < 2:
        return None
    for name in tags[0]:
        values = [one[name] for one in tags if name in one]
        if len(values) == len(tags) and all(sum(equal(value, other) for other in values) == 1 for value in values):
            return name
    return None


def tag(tags: Tags, name: str) -> tuple[Any] | None:
    """The constant, in a tuple because it may be null."""
    return (tags[name],) if name in tags else None


def shape(one: Flat, other: Flat) -> bool:
    """Whether two alternatives look alike: the same types, and for objects some of the same members."""
    types = types_of(one), types_of(other)
    if types[0] != types[1]:
        return False
    if "object" not in types[0]:
        return True
    names, others = one.get("properties", {}).keys(), other.get("properties", {}).keys()
    return not (names or others) or len(names & others) >= _COMMON_MEMBERS * min(len(names), len(others))


def disjoint(one: Flat, other: Flat, flat_of: Callable[[Any], Flat]) -> bool:
    """Whether no value fits both; `False` where that is not seen at once."""
    common = types_of(one) & types_of(other)
    if not common:
        return True
    values, others = listed(one), listed(other)
    if values is not None and others is not None:
        return len(missing(values, others)) == len(values)
    if common != {"object"}:
        return False
    shared = set(one.get("required", ())) & set(other.get("required", ()))
    members = one.get("properties", {}), other.get("properties", {})
    return any(
        disjoint(flat_of(members[0].get(name, True)), flat_of(members[1].get(name, True)), flat_of)
        for name in sorted(shared)
        if name in members[0] and name in members[1] and _is_scalar(flat_of(members[0][name]))
    )


def _is_scalar(flat: Flat) -> bool:
    """Objects inside of objects are not looked into: references may lead back."""
    return "object" not in types_of(flat)
