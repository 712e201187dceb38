"""What conversions of whole arrays and objects do to a shape; each takes the options and gives the effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.scalars import PROBABILITY
from stepdown_adapters.effects.shapes import is_possible, opened
from stepdown_adapters.effects.study import Deep
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape, constant, values_of

Effect = Callable[[Shape], Schema]
DEPTH = 8
"""Arrays nested deeper are no longer looked into."""
_NAMED = 16
"""Members of a closed object that become one kind of entry each, with its own name and value."""


def _of(kind: str, effect: Effect) -> Deep:
    """The effect of a conversion that refuses all but one type."""

    def deep(schema: Schema, references: References) -> Schema:
        return union(effect(shape) for shape in opened(schema, references) if shape["type"] == kind)

    return Deep(deep)


def wrapped(name: str | None) -> Callable[[Schema], Schema]:
    """Of wrap."""
    if name is None:
        return lambda schema: False if schema is False else arrays.array(schema, 1, 1)
    return lambda schema: False if schema is False else objects.closed({name: schema})


def _head(shape: Shape) -> Schema:
    return arrays.item(shape, 0) if is_possible({**arrays.longer(shape, 1), "maxItems": 1}) else False


HEAD = _of("array", _head)


def projected(keep: frozenset[str]) -> Deep:
    """Of project: closed, with the members that are kept as they are."""

    def effect(shape: Shape) -> Schema:
        members = {name: objects.member(shape, name) for name in sorted(keep)}
        optional = frozenset(name for name in keep if not objects.is_required(shape, name))
        return objects.closed({name: inner for name, inner in members.items() if inner is not False}, optional)

    return _of("object", effect)


def sliced(start: int, end: int | None) -> Deep:
    """Of slice."""

    def effect(shape: Shape) -> Schema:
        low, high = arrays.sizes(shape)
        if end is not None:
            low, high = min(low, end), end if high is None else min(high, end)
        first = arrays.prefix(shape)[start:end]
        most = None if high is None else max(0, high - start)
        return arrays.rebuilt(shape, first[:most], shape.get("items", True), max(0, low - start), most)

    return _of("array", effect)


def reordered(count: int | None) -> Deep:
    """Of sort_by, and of top_k: the same items in any order, at most `count` of them."""

    def effect(shape: Shape) -> Schema:
        low, high = arrays.sizes(shape)
        if count is not None:
            low, high = min(low, count), count if high is None else min(high, count)
        return arrays.rebuilt(shape, (), arrays.any_item(shape), low, high)

    return _of("array", effect)


def fewer(low: int = 0) -> Deep:
    """Of what takes items away, but leaves at least `low` where there were as many."""

    def effect(shape: Shape) -> Schema:
        least, high = arrays.sizes(shape)
        return arrays.rebuilt(shape, (), arrays.any_item(shape), min(least, low), high)

    return _of("array", effect)


def each_item(change: Callable[[Schema, References], Schema]) -> Deep:
    """Of what changes items, and may take some away."""

    def deep(schema: Schema, references: References) -> Schema:
        shapes = [shape for shape in opened(schema, references) if shape["type"] == "array"]
        return union(
            arrays.rebuilt(shape, (), change(arrays.any_item(shape), references), 0, arrays.sizes(shape)[1])
            for shape in shapes
        )

    return Deep(deep)


def renamed(table: Mapping[str, str], policy: str) -> Deep:
    """Of map_keys: of objects whose names are known, each member under its new name."""

    def effect(shape: Shape) -> Schema:
        known = objects.names(shape)
        if known is None:
            names = {"enum": sorted(set(table.values()))}
            return {"type": "object"} if policy == "keep" else {"type": "object", "propertyNames": names}
        kept = [name for name in known if name in table or policy == "keep"]
        if policy == "fail" and any(name not in table and objects.is_required(shape, name) for name in known):
            return False
        found: dict[str, list[str]] = {}
        for name in kept:
            found.setdefault(table.get(name, name), []).append(name)
        members = {new: union(objects.member(shape, old) for old in olds) for new, olds in found.items()}
        required = {new for new, olds in found.items() if any(objects.is_required(shape, old) for old in olds)}
        return objects.closed(members, frozenset(members) - required)

    return _of("object", effect)


def to_entries(key: str, value: str) -> Deep:
    """Of to_entries: one kind of entry for each member of a closed object; else any name with any value."""

    def effect(shape: Shape) -> Schema:
        names = objects.names(shape)
        low = max(shape.get("minProperties", 0), len(set(shape.get("required", ()))))
        high = shape.get("maxProperties")
        if names is not None:
            high = len(names) if high is None else min(high, len(names))
        if names is not None and len(names) <= _NAMED:
            kinds = [objects.closed({key: constant(name), value: objects.member(shape, name)}) for name in names]
            return arrays.array(union(kinds), low, high)
        entry = objects.closed({key: {"type": "string"}, value: union(objects.every_member(shape))})
        return arrays.array(entry if objects.every_member(shape) else False, low, high)

    return _of("object", effect)


def from_entries(key: str, value: str) -> Deep:
    """Of from_entries: the names that keys list, each with what stands beside it; else any name."""

    def deep(schema: Schema, references: References) -> Schema:
        arrays_of = [shape for shape in opened(schema, references) if shape["type"] == "array"]
        return union(_collected(shape, key, value, references) for shape in arrays_of)

    return Deep(deep)


def _collected(shape: Shape, key: str, value: str, references: References) -> Schema:
    low, high = arrays.sizes(shape)
    members: dict[str, list[Schema]] = {}
    others: list[Schema] = []
    for entry in opened(arrays.any_item(shape), references):
        if entry["type"] != "object":
            continue
        inner = objects.member(entry, value)
        for name in opened(objects.member(entry, key), references) if inner is not False else ():
            if name["type"] == "string" and values_of(name) is not None:
                for text in values_of(name) or ():
                    members.setdefault(text, []).append(inner)
            elif name["type"] == "string":
                others.append(inner)
    properties: dict[str, Any] = {name: union([*found, *others]) for name, found in members.items()}
    result: Shape = {"type": "object", "properties": properties, "additionalProperties": union(others)}
    if low:
        result["minProperties"] = low
    return result if high is None else {**result, "maxProperties": high}


def innermost(effect: Effect) -> Deep:
    """Of a function of the innermost arrays, those of which not all items are arrays; it refuses all but numbers."""

    def deep(schema: Schema, references: References, depth: int = 0) -> Schema:
        if depth == DEPTH:
            return True
        found: list[Schema] = []
        for shape in opened(schema, references):
            if shape["type"] != "array":
                continue
            items = opened(arrays.any_item(shape), references)
            nested = union(item for item in items if item["type"] == "array")
            inner = deep(nested, references, depth + 1)
            low, high = arrays.sizes(shape)
            if inner is not False:
                found.append(arrays.array(inner, max(1, low), high))
            if any(item["type"] in ("integer", "number") for item in items):
                found.append(effect(shape))
        return union(found)

    return Deep(deep)


def _shares(shape: Shape) -> Schema:
    low, high = arrays.sizes(shape)
    return arrays.array(PROBABILITY, max(1, low), high) if high != 0 else False


SOFTMAX = innermost(_shares)


def highest(labels: list[Any] | None) -> Deep:
    """Of argmax: an index, or one of the labels."""

    def effect(shape: Shape) -> Schema:
        low, high = arrays.sizes(shape)
        if high == 0:
            return False
        if labels is None:
            last = {} if high is None else {"maximum": high - 1}
            return {"type": "integer", "minimum": 0, **last}
        fits = low <= len(labels) and (high is None or len(labels) <= high)
        return union(map(constant, labels)) if fits else False

    return innermost(effect)


def leaves(schema: Schema, references: References, depth: int = 0) -> tuple[Schema, int, int | None]:
    """What the items of nested arrays are that are no arrays, and how many there are in all of a value."""
    if depth == DEPTH:
        return True, 0, None
    found: list[tuple[Schema, int, int | None]] = []
    for shape in opened(schema, references):
        if shape["type"] != "array":
            found.append((shape, 1, 1))
            continue
        low, high = arrays.sizes(shape)
        inner, least, most = leaves(arrays.any_item(shape), references, depth + 1)
        if inner is False:
            most = 0
        found.append((inner, low * least, 0 if 0 in (high, most) else None if None in (high, most) else high * most))  # type: ignore[operator]
    if not found:
        return False, 0, 0
    most_each = [most for _, _, most in found]
    most = None if None in most_each else max(most_each)  # type: ignore[type-var]
    return union(leaf for leaf, _, _ in found), min(low for _, low, _ in found), most


def _flat(schema: Schema, references: References) -> Schema:
    found: list[Schema] = []
    for shape in opened(schema, references):
        if shape["type"] != "array":
            continue
        items = opened(arrays.any_item(shape), references)
        if all(item["type"] != "array" for item in items):
            found.append(shape)
            continue
        leaf, low, high = leaves(shape, references)
        found.append(arrays.array(leaf, low, high))
    return union(found)


FLATTENED = Deep(_flat)


def reshaped(shape: list[int]) -> Deep:
    """Of reshape: nested arrays of exactly these sizes, where none of them is open."""

    def deep(schema: Schema, references: References) -> Schema:
        given = [one for one in opened(schema, references) if one["type"] == "array"]
        leaf, low, high = leaves(union(given), references)
        known = 1
        for size in shape:
            known *= max(1, size) if size < 0 else size
        if not given or (-1 not in shape and (known < low or (high is not None and known > high))):
            return False
        return nested(leaf, shape)

    return Deep(deep)


def nested(leaf: Schema, shape: list[int]) -> Schema:
    """Arrays nested in these sizes; -1 is any. After a size of 0 there may be nothing at all."""
    result = leaf
    for size in reversed(shape):
        low, high = (size, size) if size >= 0 else (0, None)
        result = arrays.array(result if high != 0 else True, low, high)
    return result
