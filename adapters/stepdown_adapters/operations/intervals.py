"""Bounds of the numbers that a schema allows, and schemas of numbers within bounds: what numeric effects are made of.

The bounds are floats, rounded outward, so that an allowed number lies between them, and so does its float. A function
of the C library errs by less than one unit in the last place, and need not keep order by more than that; `widened`
makes room for it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, nextafter
from typing import Any, NamedTuple

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal

_ROOM = 4e-15
"""Relative: about 18 units in the last place, for formulas of a few steps."""


class Interval(NamedTuple):
    """From `low` to `high`, both included; infinite where there is no bound."""

    low: float = -inf
    high: float = inf


def interval(schema: Schema) -> Interval:
    """Bounds of the numbers that are valid under a schema."""
    if not isinstance(schema, dict):
        return Interval()
    low = max(_bound(schema, name, -inf) for name in ("minimum", "exclusiveMinimum"))
    high = min(_bound(schema, name, inf) for name in ("maximum", "exclusiveMaximum"))
    return Interval(low, high)


def _bound(schema: dict[str, Any], keyword: str, absent: float) -> float:
    value = schema.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return absent
    outward = -inf if absent < 0 else inf
    try:
        bound = float(value)
    except OverflowError:
        return inf if value > 0 else -inf
    return bound if bound == value else nextafter(bound, outward)


def within(low: float, high: float, kind: str = "number") -> dict[str, Any]:
    """The schema of numbers (or integers) between bounds, where these are finite."""
    schema: dict[str, Any] = {"type": kind}
    if isfinite(low):
        schema["minimum"] = low
    if isfinite(high):
        schema["maximum"] = high
    return schema


def widened(bounds: Interval, exact: tuple[float, ...] = ()) -> Interval:
    """Bounds with room for the errors of a formula, but for the values that it gives exactly and never passes."""
    low, high = bounds
    low = low if low in exact else nextafter(low - abs(low) * _ROOM, -inf)
    high = high if high in exact else nextafter(high + abs(high) * _ROOM, inf)
    return Interval(low, high)


def monotone(function: Callable[[float], float], bounds: Interval, at_low: float, at_high: float) -> Interval:
    """Bounds of a rising function's values; `at_low` and `at_high` stand where there is no bound or it has no value."""
    return Interval(_at(function, bounds.low, at_low), _at(function, bounds.high, at_high))


def _at(function: Callable[[float], float], x: float, limit: float) -> float:
    if not isfinite(x):
        return limit
    try:
        return function(x)
    except (ArithmeticError, Refusal, ValueError):
        return limit
