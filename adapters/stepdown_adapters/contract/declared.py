"""Makes the path of a value in a document one of few: only names that a contract declares stay in it.

A label of a metric or a line of a report must neither carry a client's data nor grow with it. So an item's index
becomes `*`, and so does the name of a member that no `properties` on the way to it declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at
from stepdown_adapters.paths import EVERY, Member

_BRANCHES = ("allOf", "anyOf", "oneOf")
_ONE_BRANCH = ("if", "then", "else", "not")
_ITEMS = ("items", "contains", "unevaluatedItems")
_MEMBERS = ("additionalProperties", "unevaluatedProperties")


def generic_path(schema: Schema, tokens: Iterable[str | int]) -> str:
    """`/outputs/*/data` for `["outputs", 0, "data"]`; `schema` is a contract's, in one piece."""
    here = list(_at_same_value([schema], schema))
    path = ""
    for token in tokens:
        if isinstance(token, int):
            path += f"/{EVERY}"
            below = list(_items(here))
        else:
            named = [one["properties"][token] for one in here if token in one.get("properties", {})]
            path += f"/{Member(token)}" if named else f"/{EVERY}"
            below = named or list(_undeclared(here))
        here = list(_at_same_value(below, schema))
    return path


def _items(schemas: list[dict[str, Any]]) -> Iterator[Any]:
    for schema in schemas:
        yield from schema.get("prefixItems", ())
        yield from (schema[keyword] for keyword in _ITEMS if keyword in schema)


def _undeclared(schemas: list[dict[str, Any]]) -> Iterator[Any]:
    for schema in schemas:
        yield from schema.get("patternProperties", {}).values()
        yield from (schema[keyword] for keyword in _MEMBERS if keyword in schema)


def _at_same_value(schemas: list[Any], document: Schema) -> Iterator[dict[str, Any]]:
    """The schemas with all that they refer to or combine, each once."""
    waiting = list(schemas)
    seen: set[int] = set()
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        if "$ref" in schema:
            waiting.append(at(document, schema["$ref"].removeprefix("#")))
        for keyword in _BRANCHES:
            waiting += schema.get(keyword, ())
        waiting += [schema[keyword] for keyword in _ONE_BRANCH if keyword in schema]
        waiting += schema.get("dependentSchemas", {}).values()
