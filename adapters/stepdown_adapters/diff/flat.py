"""Writes a schema so that what it says of a value stands in one object: references followed, `allOf` merged.

Conditions that stand apart are merged where that changes nothing: types are intersected, the tighter bound counts,
properties of both count. What cannot be merged (`additionalProperties` of one part looks only at that part's own
properties) stays in `allOf`. The three ways to write "or null" become one, and so do the ways to write an enum, so that
the way in which a contract is written is no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepdown_adapters.contract.keywords import ANNOTATIONS, Schema, at
from stepdown_adapters.diff.alternatives import STRUCTURAL
from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.merging import merged
from stepdown_adapters.diff.values import NOTHING, listed, types_of
from stepdown_adapters.json_values import equal


class Flattener:
    """Flattens the schemas of one document, each once."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._known: dict[int, tuple[Any, Flat]] = {}
        self._by_text: dict[str, Flat] = {}
        """Schemas that are made on the way are other objects each time; equal ones have one flat form, so that the walk
        notices when it goes in a circle."""

    def flat(self, schema: Any) -> Flat:
        """One object that says what `schema` says; `false` allows no type."""
        found = self._known.get(id(schema))
        if found is None:
            said = (
                {word: value for word, value in schema.items() if word != "$defs"}
                if isinstance(schema, dict)
                else schema
            )
            text = json.dumps(said, sort_keys=True)
            flat = self._by_text.get(text)
            if flat is None:
                flat = _normal(self, self._joined(schema))
                flat = self._by_text.setdefault(json.dumps(flat, sort_keys=True), flat)
                self._by_text[text] = flat
            found = self._known[id(schema)] = schema, flat  # holds the schema, so that its id stays its own
        return found[1]

    def _joined(self, schema: Any) -> Flat:
        whole: Flat = {}
        apart: list[Any] = []
        for part in self._conjuncts(schema, frozenset()):
            if not isinstance(part, dict):
                part = {} if part else NOTHING  # noqa: PLW2901 - a boolean is one of these
            together = merged(whole, part)
            if together is None:
                apart.append(part)
            else:
                whole = together
        if apart:
            whole["allOf"] = apart
        return whole

    def _conjuncts(self, schema: Any, seen: frozenset[str]) -> Iterator[Any]:
        """The parts that all have to hold, none of them with a `$ref` or an `allOf`."""
        if not isinstance(schema, dict):
            yield schema
            return
        own = {keyword: value for keyword, value in schema.items() if keyword not in ("$ref", "allOf", "$defs")}
        single = [keyword for keyword in ("anyOf", "oneOf") if len(own.get(keyword, ())) == 1]
        inner = [own.pop(keyword)[0] for keyword in single]
        yield own
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:  # a circle of references says nothing
            yield from self._conjuncts(at(self._document, reference.removeprefix("#")), seen | {reference})
        for part in [*schema.get("allOf", ()), *inner]:
            yield from self._conjuncts(part, seen)


def _normal(flattener: Flattener, flat: Flat) -> Flat:
    """The same with alternatives that are only null, or only constants, written as types and enums."""
    for keyword in ("anyOf", "oneOf"):
        branches = flat.get(keyword)
        if not branches:
            continue
        views = [flattener.flat(branch) for branch in branches]
        values = [view.get("const", _NONE) for view in views]
        if all(value is not _NONE and len(bare(view)) == 1 for value, view in zip(values, views, strict=True)):
            distinct = all(sum(equal(value, other) for other in values) == 1 for value in values)
            if distinct and listed(flat) is None:
                rest = {name: value for name, value in flat.items() if name != keyword}
                return {**rest, "enum": values}
        nulls = [view for view in views if types_of(view) == {"null"} and bare(view).keys() <= {"type", "const"}]
        others = [view for view in views if view not in nulls]
        if len(nulls) == 1 and len(others) == 1 and not bare(flat).keys() - {keyword}:
            together = _or_null(others[0])
            if together is not None:
                noted = {name: value for name, value in flat.items() if name != keyword}
                return {**together, **noted}
    return flat


_NONE = object()


def bare(flat: Flat) -> Flat:
    """What decides which values are valid."""
    return {name: value for name, value in flat.items() if name not in ANNOTATIONS and not name.startswith("x-")}


def _or_null(view: Flat) -> Flat | None:
    """The schema that allows null besides, where its keywords say nothing of null."""
    if view.keys() & STRUCTURAL or "null" in types_of(view):
        return None
    result = dict(view)
    if "const" in view:
        result["enum"] = [result.pop("const"), None]
    elif "enum" in view:
        result["enum"] = [*view["enum"], None]
    if "type" in view:
        given = view["type"]
        result["type"] = [*([given] if isinstance(given, str) else given), "null"]
    return result
