"""What a place of a document has to satisfy: several schemas at once, taken apart as far as drawing can use them.

References and `allOf` are followed here, once. `anyOf`, `oneOf` and `if` are *choices*: whoever draws decides on a
branch, which gives another need with fewer choices. `not` and the like are not drawn for; the documents that break them
are thrown away by whoever judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stepdown_adapters.contract.keywords import Schema, pointer
from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.drawing.coverage import Ledger
from stepdown_adapters.proof.drawing.numbers import Numbers
from stepdown_adapters.proof.drawing.texts import Texts
from stepdown_adapters.proof.evaluate import valid
from stepdown_adapters.proof.schemas import Document

Item = tuple[Schema, str]
"""A schema, and its place in the contract as a JSON Pointer."""
KINDS = ("null", "boolean", "number", "string", "array", "object")
_HINTS = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
}
_MOST_VALUES = 32


@dataclass(slots=True)
class Choice:
    """One decision that a document has to make."""

    schema: int
    """Identity of the schema that asks for it."""
    branches: tuple[tuple[tuple[Item, ...], int], ...]
    """For each branch its schemas, and the goal that it meets."""


@dataclass(slots=True)
class Need:
    """Several schemas that one value has to satisfy."""

    parts: tuple[tuple[dict[str, Any], str], ...]
    choices: tuple[Choice, ...]
    decided: frozenset[int]
    goals: tuple[int, ...] = ()
    dead: bool = False
    """Whether no value can satisfy it."""
    values: tuple[tuple[Any, tuple[int, ...]], ...] | None = None
    """The values that `enum` and `const` leave, each with its goals."""
    kinds: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()
    """The kinds that the schemas talk about, where they leave it open."""
    integral: bool = False
    types: dict[str, int] = field(default_factory=dict)
    """The goal of each kind, where there are several."""
    numbers: Numbers | None = None
    texts: Texts | None = None
    marks: dict[Any, tuple[int, ...]] = field(default_factory=dict)
    """Goals of numbers and of lengths that lie on a bound."""
    rows: Any = None
    members: Any = None
    after: dict[tuple[int, ...], Need] = field(default_factory=dict)
    """By the branches taken, what is left to satisfy."""


class Needs:
    """The needs of one contract, each made once."""

    def __init__(
        self, root: Document, ledger: Ledger, words: tuple[str, ...], numbers: tuple[int | float, ...]
    ) -> None:
        self.root = root
        self._numbers = numbers
        self._ledger = ledger
        self._words = words
        self._known: dict[tuple[tuple[int, ...], frozenset[int]], Need] = {}

    def need(self, items: Iterable[Item], decided: frozenset[int] = frozenset()) -> Need:
        """The need of some schemas, of which those in `decided` have had their choices made."""
        items = tuple(items)
        key = (tuple(id(schema) for schema, _ in items), decided)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._made(items, decided)
        return known

    def _made(self, items: tuple[Item, ...], decided: frozenset[int]) -> Need:
        parts: dict[int, tuple[dict[str, Any], str]] = {}
        waiting, dead = list(items), False
        while waiting:
            schema, place = waiting.pop(0)
            if schema is False:
                dead = True
            if not isinstance(schema, dict) or id(schema) in parts:
                continue
            parts[id(schema)] = (schema, place)
            if "$ref" in schema:
                target = self.root.target(schema["$ref"])
                waiting += [] if target is None else [(target, schema["$ref"].removeprefix("#"))]
            waiting += [
                (one, place + pointer("allOf", str(index))) for index, one in enumerate(schema.get("allOf", ()))
            ]
        found = tuple(parts.values())
        choices = [one for schema, place in found if id(schema) not in decided for one in self._choices(schema, place)]
        goals = tuple(self._ledger.goal("place", place) for _, place in found)
        need = Need(found, tuple(choices), decided, goals, dead)
        if not choices and not dead:
            self._finish(need)
        return need

    def _choices(self, schema: dict[str, Any], place: str) -> Iterable[Choice]:
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                found = []
                for index, branch in enumerate(schema[keyword]):
                    at = place + pointer(keyword, str(index))
                    found.append((((branch, at),), self._ledger.goal("branch", at)))
                yield Choice(id(schema), tuple(found))
        if "if" in schema and ("then" in schema or "else" in schema):
            then: tuple[Item, ...] = (
                (schema["if"], place + "/if"),
                (schema.get("then", True), place + "/then"),
            )
            otherwise: tuple[Item, ...] = ((schema.get("else", True), place + "/else"),)
            goals = [self._ledger.goal("branch", f"{place}/{keyword}") for keyword in ("then", "else")]
            yield Choice(id(schema), ((then, goals[0]), (otherwise, goals[1])))

    def _finish(self, need: Need) -> None:
        """What a need without choices says of values, kinds, numbers and strings."""
        need.kinds, need.integral = _kinds(schema for schema, _ in need.parts)
        said = {word for schema, _ in need.parts for word in schema}
        need.likely = tuple(kind for kind in need.kinds if not said.isdisjoint(_HINTS.get(kind, ())))
        need.values = self._values(need)
        need.dead = need.values == () or not need.kinds
        if need.values is not None:
            return
        for schema, place in need.parts:
            if isinstance(schema.get("type"), list) and len(need.kinds) > 1:
                for kind in need.kinds:
                    need.types[kind] = self._ledger.goal("type", f"{place} {kind}")
        schemas = [schema for schema, _ in need.parts]
        if "number" in need.kinds:
            need.numbers = Numbers(schemas, integral=need.integral, hints=self._numbers)
            self._mark(need, need.numbers.marks)
        if "string" in need.kinds:
            need.texts = Texts(schemas, self._words)
            self._mark(need, need.texts.marks)

    def _mark(self, need: Need, marks: dict[Any, list[str]]) -> None:
        for bound, keywords in marks.items():
            kind = "length" if {"minLength", "maxLength"} & {*keywords} else "value"
            places = [(word, place) for word in keywords for schema, place in need.parts if schema.get(word) == bound]
            found = tuple(self._ledger.goal("boundary", f"{place}/{word}") for word, place in places)
            need.marks[kind, bound] = need.marks.get((kind, bound), ()) + found

    def _values(self, need: Need) -> tuple[tuple[Any, tuple[int, ...]], ...] | None:
        lists = [
            ([schema["const"]] if "const" in schema else schema["enum"], place)
            for schema, place in need.parts
            if "const" in schema or "enum" in schema
        ]
        if not lists:
            return None
        fewest, _ = min(lists, key=lambda one: len(one[0]))
        # Choices are decided elsewhere, and looking into them here would ask for the very same thing once more.
        plain = [{word: schema[word] for word in schema if word != "$ref"} for schema, _ in need.parts]
        fitting = [
            value
            for value in fewest[:_MOST_VALUES]
            if all(valid(schema, value, self.root) is not False for schema in plain)
        ]
        return tuple((value, tuple(self._listed(value, lists))) for value in fitting)

    def _listed(self, value: Any, lists: list[tuple[list[Any], str]]) -> Iterable[int]:
        """The goals of a value in all lists that have several."""
        for values, place in lists:
            for index, one in enumerate(values[:_MOST_VALUES] if len(values) > 1 else ()):
                if equal(one, value):
                    yield self._ledger.goal("value", f"{place}/enum/{index}")


def _kinds(schemas: Iterable[dict[str, Any]]) -> tuple[tuple[str, ...], bool]:
    """The kinds that all schemas allow, and whether a number has to be whole."""
    left, integral = set(KINDS), False
    for schema in schemas:
        if "type" not in schema:
            continue
        named = {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}
        integral = integral or ("integer" in named and "number" not in named)
        left &= named | ({"number"} if "integer" in named else set())
    return tuple(kind for kind in KINDS if kind in left), integral
