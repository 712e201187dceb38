"""Leaves out of an OpenAPI schema what the other side alone sends: `writeOnly` of answers, `readOnly` of requests.

Such a property is neither declared nor required on this side; whether it is forbidden is for `additionalProperties`
to say, as with any undeclared member. The mark stands in the property's schema or in what that refers to, and takes
the name out of `required` in the same schema and in what an `allOf` combines it with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Side = Literal["output", "input"]
Peek = Callable[[Any], Any]
"""What a reference leads to, or `None`."""
_MARKS: dict[Side, str] = {"output": "writeOnly", "input": "readOnly"}
_MOST_STEPS = 8


def visible(
    schema: dict[str, Any], side: Side, hidden: frozenset[str], peek: Peek
) -> tuple[dict[str, Any], frozenset[str]]:
    """The schema without what `side` does not see, and the names that are hidden from it and its `allOf`.

    `hidden` are names that a surrounding `allOf` already hides.
    """
    hidden |= _hidden(schema, side, peek, _MOST_STEPS)
    if not hidden:
        return schema, hidden
    schema = dict(schema)
    properties, required = schema.get("properties"), schema.get("required")
    if isinstance(properties, dict):
        schema["properties"] = {name: inner for name, inner in properties.items() if name not in hidden}
    if isinstance(required, list):
        kept = [name for name in required if name not in hidden]
        schema["required"] = kept
        if not kept:
            del schema["required"]
    return schema, hidden


def _hidden(schema: Any, side: Side, peek: Peek, steps: int) -> frozenset[str]:
    """Names of marked properties of a schema, of what it refers to, and of its `allOf`."""
    if not isinstance(schema, dict) or steps == 0:
        return frozenset()
    properties = schema.get("properties")
    names = {
        name
        for name, inner in (properties.items() if isinstance(properties, dict) else ())
        if _marked(inner, _MARKS[side], peek, _MOST_STEPS)
    }
    conjuncts = schema.get("allOf")
    for inner in conjuncts if isinstance(conjuncts, list) else ():
        names |= _hidden(inner, side, peek, steps - 1)
    if "$ref" in schema:
        names |= _hidden(peek(schema["$ref"]), side, peek, steps - 1)
    return frozenset(names)


def _marked(schema: Any, mark: str, peek: Peek, steps: int) -> bool:
    if not isinstance(schema, dict) or steps == 0:
        return False
    if schema.get(mark) is True:
        return True
    return "$ref" in schema and _marked(peek(schema["$ref"]), mark, peek, steps - 1)
