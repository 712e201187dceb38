"""Decides whether any document valid under a schema can have something at a path.

One-sided: `Impossible` is only said where the schema rules the path out; everything that is not understood (`not`,
`if`, patterns, dynamic parts) counts as possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at
from stepdown_adapters.errors import nearest
from stepdown_adapters.paths import LAST, Every, Member, Path, Segment, Where


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why no valid document has the path."""

    sentence: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class _Holding:
    """A step that stays at an item and asks whether it can have the member that a `[member=value]` looks for."""

    where: Where


_Step = Segment | _Holding


def impossible(schema: Schema, path: Path) -> Impossible | None:
    """Why `path` cannot be there; `None` where it can, or where that is not decided."""
    return _Search(schema).refuted(schema, path.segments, Path(), frozenset())


class _Search:
    """A walk through one document of schemas."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    def refuted(self, schema: Any, steps: tuple[_Step, ...], here: Path, seen: frozenset[int]) -> Impossible | None:
        """Why no value of `schema`, at `here`, can be followed along `steps`."""
        if schema is False:
            return Impossible(f"the contract allows nothing at {_named(here)}")
        if not isinstance(schema, dict) or not steps or id(schema) in seen:
            return None
        seen |= {id(schema)}
        for conjunct in self._conjuncts(schema):
            found = self.refuted(conjunct, steps, here, seen)
            if found:
                return found
        for keyword in ("anyOf", "oneOf"):
            branches = [self.refuted(branch, steps, here, seen) for branch in schema.get(keyword, ())]
            if branches and all(branches):
                return _best([branch for branch in branches if branch])
        return self._refuted_here(schema, steps, here)

    def _conjuncts(self, schema: dict[str, Any]) -> Iterator[Any]:
        if "$ref" in schema:
            yield at(self._document, schema["$ref"].removeprefix("#"))
        yield from schema.get("allOf", ())

    def _refuted_here(self, schema: dict[str, Any], steps: tuple[_Step, ...], here: Path) -> Impossible | None:
        step, rest = steps[0], steps[1:]
        types = _types(schema)
        if isinstance(step, _Holding):
            return self._holding(schema, step.where, rest, here)
        if isinstance(step, Where):
            if "array" not in types:
                return Impossible(f"{_named(here)} is {_words(types)}, not an array")
            inside = here + Path((step,))
            return _all(self.refuted(item, (_Holding(step), *rest), inside, frozenset()) for item in _items(schema))
        below = here + Path((step,))
        answers: list[Impossible | None] = []
        if "object" in types:
            members = _every_member(schema) if isinstance(step, Every) else None
            if members is not None:
                answers += [self.refuted(member, rest, below, frozenset()) for member in members]
            elif isinstance(step, Member):
                answers.append(self._member(schema, step.name, rest, here))
        if "array" in types and (isinstance(step, Every) or step.index is not None or step.name == LAST):
            answers += [self.refuted(item, rest, below, frozenset()) for item in _items(schema)]
        if not answers and not types & {"object", "array"}:
            return Impossible(f"{_named(here)} is {_words(types)}: it has no {step}")
        if not answers and isinstance(step, Member):
            return Impossible(f"{_named(here)} is {_words(types)}, not an object")
        return _all(answers)

    def _member(self, schema: dict[str, Any], name: str, rest: tuple[_Step, ...], here: Path) -> Impossible | None:
        properties = schema.get("properties", {})
        below = here + Path((Member(name),))
        if name in properties:
            return self.refuted(properties[name], rest, below, frozenset())
        if schema.get("patternProperties"):
            return None
        if schema.get("additionalProperties", True) is False:
            return Impossible(f"the contract declares no member {name!r} at {_named(here)}", nearest(name, properties))
        return self.refuted(schema.get("additionalProperties", True), rest, below, frozenset())

    def _holding(self, schema: dict[str, Any], where: Where, rest: tuple[_Step, ...], here: Path) -> Impossible | None:
        if "object" not in _types(schema):
            return Impossible(f"the items of {_named(here.parent)} are no objects")
        found = self._member(schema, where.name, (), here.parent + Path((Every(),)))
        if found:
            return found
        values = self._values(schema.get("properties", {}).get(where.name, True))
        if values is not None and not any(where.accepts(value) for value in values):
            texts = [str(value) for value in values]
            sentence = f"no item of {_named(here.parent)} has {where.name} = {where.text!r}"
            return Impossible(sentence, nearest(where.text, texts))
        return self.refuted(schema, rest, here, frozenset())

    def _values(self, schema: Any) -> list[Any] | None:
        """All values that a schema allows, where it lists them."""
        for _ in range(32):  # a chain of references may be a circle
            if not isinstance(schema, dict):
                return None
            if "const" in schema:
                return [schema["const"]]
            if "enum" in schema:
                return list(schema["enum"])
            if "$ref" not in schema:
                return None
            schema = at(self._document, schema["$ref"].removeprefix("#"))
        return None


_ALL_TYPES = frozenset({"null", "boolean", "number", "string", "array", "object"})


def _types(schema: dict[str, Any]) -> frozenset[str]:
    given = schema.get("type", _ALL_TYPES)
    if "type" not in schema and ("const" in schema or "enum" in schema):
        given = {_type_of(value) for value in schema.get("enum", [schema.get("const")])}
    return frozenset({given} if isinstance(given, str) else given)


def _type_of(value: Any) -> str:
    for types, name in ((type(None), "null"), (bool, "boolean"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, types):
            return name
    return "number"


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "nothing"


def _items(schema: dict[str, Any]) -> list[Any]:
    """The schemas that an item may have, whatever its index."""
    items = schema.get("items", True)
    rest = items if isinstance(items, list) else [items]
    tail = [schema.get("additionalItems", True)] if isinstance(items, list) else []
    return [*schema.get("prefixItems", ()), *rest, *tail]


def _every_member(schema: dict[str, Any]) -> list[Any]:
    patterns = schema.get("patternProperties", {})
    return [*schema.get("properties", {}).values(), *patterns.values(), schema.get("additionalProperties", True)]


def _all(answers: Any) -> Impossible | None:
    """Impossible if every way is."""
    found = list(answers)
    return _best(found) if found and all(found) else None


def _best(found: list[Impossible]) -> Impossible:
    """The one that knows a better name, else the first."""
    return next((one for one in found if one.nearest is not None), found[0])


def _named(path: Path) -> str:
    return str(path) or "the top"
