"""What conversions of single values do to a shape; each takes the conversion's options and gives its effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.bounds import Bounds, Number, bounds, fallen, risen, within
from stepdown_adapters.effects.unions import union
from stepdown_adapters.effects.values import Shape, constant

Effect = Callable[[Shape], Schema]
PROBABILITY: Shape = {"type": "number", "minimum": 0, "maximum": 1}
_NUMBERS = ("integer", "number")
_SIXTY_FOUR_BITS: Shape = {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1}


def of_numbers(effect: Effect) -> Effect:
    """The effect of a conversion that refuses everything but numbers."""
    return lambda shape: effect(shape) if shape["type"] in _NUMBERS else False


def probability(_shape: Shape) -> Schema:
    """Of sigmoid: from 0 to 1, and both are reached where the exponential runs out of floats."""
    return PROBABILITY


def any_number(_shape: Shape) -> Schema:
    """Of what may give any number."""
    return {"type": "number"}


def linear(scale: Number, offset: Number) -> Effect:
    """Bounds move along, and change places if the scale is negative."""
    whole = isinstance(scale, int) and isinstance(offset, int)

    def effect(shape: Shape) -> Schema:
        moved = (risen if scale > 0 else fallen)(bounds(shape), lambda x: x * scale + offset)
        return within("integer" if whole and shape["type"] == "integer" else "number", moved)

    return of_numbers(effect)


def clamp(low: Number | None, high: Number | None) -> Effect:
    """The tighter of the bounds that it has and the ones that it gets."""

    def held(x: Number) -> Number:
        if low is not None and x < low:
            return low
        return high if high is not None and x > high else x

    def effect(shape: Shape) -> Schema:
        given = bounds(shape)
        found = Bounds(
            low if given.low is None else held(given.low),
            high if given.high is None else held(given.high),
        )
        whole = shape["type"] == "integer" and all(bound is None or bound == int(bound) for bound in (low, high))
        return within("integer" if whole else "number", found)

    return of_numbers(effect)


def rounded(digits: int) -> Effect:
    """Rounding keeps the order of numbers, so bounds are rounded as well."""

    def one(x: Number) -> Number:
        return x if isinstance(x, int) else round(x) if digits == 0 else round(x, digits)

    def effect(shape: Shape) -> Schema:
        whole = digits == 0 or shape["type"] == "integer"
        return within("integer" if whole else "number", risen(bounds(shape), one))

    return of_numbers(effect)


def threshold(at: Number, above: Any, below: Any) -> Effect:
    """One of two constants, or the one that bounds allow."""

    def effect(shape: Shape) -> Schema:
        low, high = bounds(shape)
        if low is not None and low >= at:
            return constant(above)
        if high is not None and (high < at or shape.get("exclusiveMaximum", at + 1) <= at):
            return constant(below)
        return union([constant(above), constant(below)])

    return of_numbers(effect)


def cast(to: str) -> Effect:
    """Of cast: what a value reads as; casts that would lose something are refused, so bounds stay."""
    return {"string": _to_string, "integer": _to_integer, "number": _to_number, "boolean": _to_boolean}[to]


def _to_string(shape: Shape) -> Schema:
    if shape["type"] == "string":
        return shape
    return False if shape["type"] in ("null", "array", "object") else {"type": "string"}


def _to_number(shape: Shape) -> Schema:
    kind = shape["type"]
    if kind in _NUMBERS:
        return shape
    if kind == "boolean":
        return {"type": "integer", "minimum": 0, "maximum": 1}
    return False if kind in ("null", "array", "object") else {"type": "number"}


def _to_integer(shape: Shape) -> Schema:
    kind = shape["type"]
    if kind in _NUMBERS:
        return {**shape, "type": "integer"}
    if kind == "boolean":
        return _to_number(shape)
    return (
        False if kind in ("null", "array", "object") else _SIXTY_FOUR_BITS if kind == "string" else {"type": "integer"}
    )


def _to_boolean(shape: Shape) -> Schema:
    return False if shape["type"] in ("null", "array", "object") else {"type": "boolean"}


def mapped(table: Mapping[str, Any], others: Iterable[Any]) -> Effect:
    """Of map_values: what the table has for values of the type; `others` is what it gives for those it has not."""
    default = [constant(value) for value in others]

    def effect(shape: Shape) -> Schema:
        kind = shape["type"]
        if kind in ("array", "object"):
            return False
        found = [new for key, new in table.items() if kind not in _NUMBERS or _reads_as_number(key)]
        return union([*map(constant, found), *default])

    return effect


def _reads_as_number(key: str) -> bool:
    try:
        float(key)
    except ValueError:
        return False
    return True
