"""Finds references that go in a circle without ever reaching a member or an item.

`{"$ref": "#"}` says nothing: to decide about a value it asks itself about the same value. So do longer circles through
`$ref`, `allOf`, `anyOf`, `oneOf`, `not`, `if`, and `dependentSchemas`, which all look at the value itself. A circle
through `properties` or `items` is recursion, and fine: the value gets smaller with every turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepdown_adapters.contract.keywords import Schema, at, children

_IN_PLACE = frozenset(["allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"])


def circle(schema: Schema) -> list[dict[str, Any]]:
    """The schemas with a `$ref` on one such circle, in its order; empty when there is none.

    `schema` is a contract's, in one piece; its references lead somewhere.
    """
    done: set[int] = set()
    for start in _every(schema):
        if id(start) in done:
            continue
        path: list[dict[str, Any]] = [start]
        open_at = {id(start): 0}
        ways = [_in_place(start, schema)]
        while ways:
            following = next(ways[-1], None)
            if following is None:
                ways.pop()
                left = path.pop()
                del open_at[id(left)]
                done.add(id(left))
            elif id(following) in open_at:
                return [one for one in path[open_at[id(following)] :] if "$ref" in one]
            elif id(following) not in done:
                open_at[id(following)] = len(path)
                path.append(following)
                ways.append(_in_place(following, schema))
    return []


def _in_place(schema: dict[str, Any], document: Schema) -> Iterator[dict[str, Any]]:
    """The schemas that are asked about the same value."""
    if "$ref" in schema:
        target = at(document, schema["$ref"].removeprefix("#"))
        if isinstance(target, dict):
            yield target
    for tokens, child in children(schema):
        if tokens[0] in _IN_PLACE and isinstance(child, dict):
            yield child


def _every(schema: Schema) -> Iterator[dict[str, Any]]:
    waiting: list[Any] = [schema]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            yield inner
            waiting += reversed([child for _, child in children(inner)])
