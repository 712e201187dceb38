"""The shapes of arrays: what an item may be, how many there are, and the shape after items changed, came or went.

`uniqueItems` and `contains` look at all items together, so they are left out as soon as one item changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape

MAX_INDEX = 64
"""Items beyond this index are not told apart."""
_TOGETHER = ("uniqueItems", "contains", "minContains", "maxContains")


def sizes(shape: Shape) -> tuple[int, int | None]:
    """The least and the greatest number of items; `None` without a bound."""
    low, high = shape.get("minItems", 0), shape.get("maxItems")
    if shape.get("items", True) is False:
        prefix = len(shape.get("prefixItems", ()))
        high = prefix if high is None else min(high, prefix)
    return low, high


def item(shape: Shape, index: int) -> Schema:
    """What the item is where it is there; `False` where no array of the shape is that long."""
    high, prefix = shape.get("maxItems"), shape.get("prefixItems", ())
    if high is not None and index >= high:
        return False
    found: Schema = prefix[index] if index < len(prefix) else shape.get("items", True)
    return found


def prefix(shape: Shape, count: int = 0) -> list[Schema]:
    """The schemas of the first items, at least `count` of them."""
    found = list(shape.get("prefixItems", ()))
    return found + [shape.get("items", True)] * (count - len(found))


def rest(shape: Shape) -> Schema:
    """What the items after the prefix are; `False` where there cannot be any."""
    high = shape.get("maxItems")
    if high is not None and high <= len(shape.get("prefixItems", ())):
        return False
    items: Schema = shape.get("items", True)
    return items


def left(shape: Shape, stays: Sequence[bool], goes: Sequence[bool]) -> tuple[int, int | None]:
    """The least and the greatest number of items after some were taken out.

    For each item of the prefix, and last for all further ones: whether it certainly stays, whether it certainly goes.
    """
    low, high = sizes(shape)
    count = len(stays) - 1
    least = sum(stays[:count][:low]) + (max(0, low - count) if stays[-1] else 0)
    most = sum(not one for one in goes[:count][:high])
    if goes[-1] or (high is not None and high <= count):
        return least, most
    return least, None if high is None else most + high - count


def any_item(shape: Shape) -> Schema:
    """What an item may be, whatever its index."""
    high = shape.get("maxItems")
    return union([*shape.get("prefixItems", ())[:high], rest(shape)])


def array(items: Schema, low: int = 0, high: int | None = None, first: Sequence[Schema] = ()) -> Shape:
    """Arrays with `first` for their first items and `items` for the others."""
    shape: Shape = {"type": "array"}
    if first:
        shape["prefixItems"] = list(first)
    if items is not True:
        shape["items"] = items
    if low > 0:
        shape["minItems"] = low
    if high is not None:
        shape["maxItems"] = high
    return shape


def rebuilt(shape: Shape, first: Sequence[Schema], items: Schema, low: int, high: int | None) -> Shape:
    """The shape with other items, and with what it says besides of the array."""
    gone = (*_TOGETHER, "prefixItems", "items", "minItems", "maxItems")
    kept: dict[str, Any] = {keyword: value for keyword, value in shape.items() if keyword not in gone}
    return {**kept, **array(items, low, high, first)}


def with_items(shape: Shape, first: Sequence[Schema], items: Schema) -> Shape:
    """The shape with as many items, of other schemas."""
    return rebuilt(shape, first, items, shape.get("minItems", 0), shape.get("maxItems"))


def longer(shape: Shape, low: int) -> Shape:
    """Those arrays of the shape that have `low` items or more."""
    return {**shape, "minItems": max(low, shape.get("minItems", 0))}


def is_possible(shape: Shape) -> bool:
    """Whether the shape has an array, as far as its own keywords tell."""
    low, high = sizes(shape)
    if high is not None and low > high:
        return False
    return all(schema is not False for schema in shape.get("prefixItems", ())[:low])
