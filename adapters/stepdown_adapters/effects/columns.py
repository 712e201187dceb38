"""What becomes of schemas when parallel arrays turn into an array of objects, and back."""

from __future__ import annotations

from collections.abc import Mapping

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects, places
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.shapes import opened
from stepdown_adapters.effects.unions import union
from stepdown_adapters.paths import Path

_MAX_STATES = 64


def taken(schema: Schema, sources: Mapping[str, Path], references: References) -> list[tuple[Schema, Schema]]:
    """What is left after the arrays at the sources were taken, with the array of objects that they make."""
    states: list[tuple[Schema, dict[str, Schema]]] = [(schema, {})]
    for member, path in sources.items():
        states = [
            (one.rest, {**columns, member: one.value})
            for rest, columns in states
            for one in places.taken(rest, path.segments, references, fails=True, removes=True)
        ]
        if len(states) > _MAX_STATES:
            return [(True, True)]
    return [(rest, _zipped(columns, references)) for rest, columns in states]


def _zipped(columns: Mapping[str, Schema], references: References) -> Schema:
    """Objects of one item of each array; the arrays are of the same length, so each one's bounds hold for all."""
    low, high, members = 0, None, {}
    for name, column in columns.items():
        shapes = [shape for shape in opened(column, references) if shape["type"] == "array"]
        if not shapes:
            return False
        members[name] = union(arrays.any_item(shape) for shape in shapes)
        sizes = [arrays.sizes(shape) for shape in shapes]
        low = max(low, min(least for least, _ in sizes))
        most = [most for _, most in sizes if most is not None]
        if len(most) == len(sizes):
            high = max(most) if high is None else min(high, max(most))
    row: Schema = False if False in members.values() else objects.closed(members)
    return arrays.array(row, low, high)


def column(rows: Schema, member: str, references: References) -> Schema:
    """The array of one member of every object of the array `rows`; `False` where that is no array of objects."""
    found = []
    for shape in opened(rows, references):
        if shape["type"] == "array":
            inner = [row for row in opened(arrays.any_item(shape), references) if row["type"] == "object"]
            found.append(arrays.array(union(objects.member(row, member) for row in inner), *arrays.sizes(shape)))
    return union(found)
