"""The dialects of JSON Schema that contracts are written in, and how each becomes 2020-12.

A dialect converts one schema object at a time: the schemas inside it were converted by the same or, behind a `$ref`
to another file, by another dialect. What a dialect ignores is left out, so that it stays ignored:

    draft 7                            2020-12
    items: [A, B]                      prefixItems: [A, B]
    items: [A], additionalItems: B     prefixItems: [A], items: B
    additionalItems without a list     nothing: draft 7 ignores it
    dependencies: {a: [b]}             dependentRequired: {a: [b]}
    dependencies: {a: schema}          dependentSchemas: {a: schema}
    $ref with siblings                 $ref alone: draft 7 ignores the siblings
    definitions                        $defs of the root
    prefixItems, minContains, ...      nothing, and a warning: draft 7 ignores them

In 2020-12 too, `dependencies` is split (validators still know it), `additionalItems` goes, and every `$defs` moves to
the root. `$id`, `$anchor` and `$schema` have done their work when all is in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from stepdown_adapters.contract.keywords import Schema, children
from stepdown_adapters.errors import nearest

Inner = Callable[..., Schema]
"""Takes a schema inside the one at hand and its tokens from there; gives its converted form."""
Warn = Callable[[str], None]
GONE = frozenset(["$anchor", "$defs", "$id", "$schema", "definitions"])
_NOT_SUPPORTED = ("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")
_UNKNOWN_TO_DRAFT_7 = frozenset(
    [
        "dependentRequired",
        "dependentSchemas",
        "maxContains",
        "minContains",
        "prefixItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write schemas."""

    name: str
    metaschema: jsonschema_rs.Validator
    """What says whether a schema is well formed, before anything else looks at it."""
    convert: Callable[[dict[str, Any], Inner, Warn], dict[str, Any]]

    def mistakes(self, schema: Any) -> Iterator[tuple[list[str], str]]:
        """Where a schema is not well formed, as JSON Pointer tokens, and half a sentence why."""
        if not isinstance(schema, dict | bool):
            yield [], "a schema is an object, true or false"
            return
        for error in self.metaschema.iter_errors(schema):
            yield [str(token) for token in error.instance_path], f"is no valid schema: {_reason(schema, error)}"
        for tokens in _unsupported(schema):
            yield list(tokens[:-1]), f"{tokens[-1]} is not supported; write a plain $ref"


def rebuilt(schema: dict[str, Any], inner: Inner, without: frozenset[str] = GONE) -> dict[str, Any]:
    """A copy of a schema whose inner schemas are converted."""
    copy = {keyword: value for keyword, value in schema.items() if keyword not in without}
    for tokens, child in children(schema):
        keyword = tokens[0]
        if keyword in without:
            continue
        if len(tokens) == 1:
            copy[keyword] = inner(child, keyword)
            continue
        if copy[keyword] is schema[keyword]:
            copy[keyword] = schema[keyword].copy()
        key = int(tokens[1]) if isinstance(copy[keyword], list) else tokens[1]
        copy[keyword][key] = inner(child, *tokens)
    return copy


def _from_2020(schema: dict[str, Any], inner: Inner, warn: Warn) -> dict[str, Any]:
    if isinstance(schema.get("additionalItems", True), dict) or schema.get("additionalItems") is False:
        warn("2020-12 ignores 'additionalItems'; write 'items'")
    return _dependencies_split(rebuilt(schema, inner, GONE | {"additionalItems"}))


def _from_draft_7(schema: dict[str, Any], inner: Inner, warn: Warn) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    for keyword in sorted(schema.keys() & _UNKNOWN_TO_DRAFT_7):
        warn(f'draft 7 ignores {keyword!r}; declare "$schema": "{DRAFT_2020_URI}" to use it')
    without = GONE | _UNKNOWN_TO_DRAFT_7
    if not isinstance(schema.get("items"), list):
        return _dependencies_split(rebuilt(schema, inner, without | {"additionalItems"}))
    copy = rebuilt(schema, inner, without)
    copy["prefixItems"] = copy.pop("items")
    if "additionalItems" in copy:
        copy["items"] = copy.pop("additionalItems")
    return _dependencies_split(copy)


def _dependencies_split(schema: dict[str, Any]) -> dict[str, Any]:
    """A converted schema whose `dependencies` stand under their newer names."""
    dependencies = schema.pop("dependencies", {})
    parts: dict[str, dict[str, Any]] = {"dependentRequired": {}, "dependentSchemas": {}}
    for name, dependency in dependencies.items():
        parts["dependentRequired" if isinstance(dependency, list) else "dependentSchemas"][name] = dependency
    for keyword, part in parts.items():
        if part and keyword in schema:
            schema.setdefault("allOf", []).append({keyword: part})
        elif part:
            schema[keyword] = part
    return schema


def _unsupported(schema: Any) -> Iterator[tuple[str, ...]]:
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    while waiting:
        at, inner = waiting.pop()
        if isinstance(inner, dict):
            yield from ((*at, keyword) for keyword in _NOT_SUPPORTED if keyword in inner)
            waiting += [((*at, *tokens), child) for tokens, child in children(inner)]


def _reason(schema: Any, error: jsonschema_rs.ValidationError) -> str:
    value = schema
    for token in error.instance_path:
        value = value[token]
    if error.instance_path and error.instance_path[-1] == "type" and isinstance(value, str):
        close = nearest(value, _TYPES)
        return f"{value!r} is no type" + (f"; did you mean {close!r}?" if close else f"; types are {', '.join(_TYPES)}")
    if error.instance_path and error.instance_path[-1] == "items" and isinstance(value, list):
        return "a list of 'items' is draft 7's; write 'prefixItems'"
    return error.message


def metaschema(
    schema: Schema, draft: type[jsonschema_rs.Validator] = jsonschema_rs.Draft202012Validator
) -> jsonschema_rs.Validator:
    """The validator of a dialect's schemas; it refers to what jsonschema-rs carries, nothing is fetched."""
    return draft(schema, validate_formats=False, offline=True)


DRAFT_2020_URI = "https://json-schema.org/draft/2020-12/schema"
_DRAFT_7_URI = "http://json-schema.org/draft-07/schema"
DRAFT_2020 = Dialect("2020-12", metaschema({"$ref": DRAFT_2020_URI}), _from_2020)
DRAFT_7 = Dialect("draft-07", metaschema({"$ref": _DRAFT_7_URI + "#"}, jsonschema_rs.Draft7Validator), _from_draft_7)
BY_URI = {DRAFT_2020_URI: DRAFT_2020, _DRAFT_7_URI: DRAFT_7, _DRAFT_7_URI.replace("http:", "https:"): DRAFT_7}
"""By `$schema`, without an empty fragment."""
