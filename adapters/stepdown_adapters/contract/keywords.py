"""Where schemas stand inside a schema (JSON Schema 2020-12 and draft 7), so that data is never taken for a schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ONE = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
"""Keywords whose value is one schema (`items` may be a list in draft 7)."""
LIST = frozenset(["allOf", "anyOf", "items", "oneOf", "prefixItems"])
"""Keywords whose value is a list of schemas."""
NAMED = frozenset(["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"])
"""Keywords whose value is an object of schemas by name (`dependencies` may also hold lists of names)."""
ANNOTATIONS = frozenset(
    [
        "$comment",
        "$defs",
        "$schema",
        "definitions",
        "default",
        "deprecated",
        "description",
        "examples",
        "title",
        "x-protobuf",
    ]
)
"""Keywords that decide nothing about which documents are valid, nor about what they mean."""

Schema = dict[str, Any] | bool


def children(schema: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every schema directly inside `schema`, with its place as JSON Pointer tokens."""
    for keyword, value in schema.items():
        if keyword in NAMED and isinstance(value, dict):
            for name, member in value.items():
                if isinstance(member, dict | bool):
                    yield (keyword, name), member
        elif keyword in LIST and isinstance(value, list):
            for index, item in enumerate(value):
                yield (keyword, str(index)), item
        elif keyword in ONE and isinstance(value, dict | bool):
            yield (keyword,), value


def resolve(schema: Schema, document: Schema) -> Schema | None:
    """The schema behind a chain of plain `$ref`s; `None` when siblings add to one or it goes in a circle.

    `document` is as `json_schema.load_schema` gives it: every reference is a JSON Pointer into it.
    """
    seen: set[str] = set()
    while isinstance(schema, dict) and "$ref" in schema:
        reference = schema["$ref"]
        if reference in seen or not schema.keys() - {"$ref"} <= ANNOTATIONS:
            return None
        seen.add(reference)
        schema = at(document, reference.removeprefix("#"))
    return schema


def at(document: Any, pointer: str) -> Any:
    """The value at a JSON Pointer (RFC 6901); raises `LookupError` where there is none."""
    value = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) and name.isdecimal() else _member(value, name)
    return value


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise KeyError(name)
    return value[name]


def pointer(*tokens: str) -> str:
    """JSON Pointer text of tokens."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)
