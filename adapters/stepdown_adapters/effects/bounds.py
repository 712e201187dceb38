"""Bounds of numbers, and where a rising function takes them.

A JSON number is an `int` or a `float` in Python, and the two are rounded differently: `x * 3` is exact for one and not
for the other. A bound has to hold for both, so a function is asked for each way to write the bound, and the widest
answer counts. Bounds that exclude their own value come out including it: rounding may take a number up to it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

from stepdown_adapters.effects.values import Shape

Number = int | float


class Bounds(NamedTuple):
    """From `low` to `high`, both included; `None` where there is no bound."""

    low: Number | None
    high: Number | None


def bounds(shape: Shape) -> Bounds:
    """The bounds of the numbers of a shape."""
    low = [shape[keyword] for keyword in ("minimum", "exclusiveMinimum") if keyword in shape]
    high = [shape[keyword] for keyword in ("maximum", "exclusiveMaximum") if keyword in shape]
    return Bounds(max(low, default=None), min(high, default=None))


def within(kind: str, given: Bounds) -> Shape:
    """The shape of numbers between bounds."""
    shape: dict[str, Any] = {"type": kind}
    if given.low is not None:
        shape["minimum"] = given.low
    if given.high is not None:
        shape["maximum"] = given.high
    return shape


def risen(given: Bounds, function: Callable[[Number], Number]) -> Bounds:
    """The bounds of a function's values, if it never falls while its argument rises."""
    return Bounds(_least(given.low, function), _greatest(given.high, function))


def fallen(given: Bounds, function: Callable[[Number], Number]) -> Bounds:
    """The bounds of a function's values, if it never rises while its argument rises."""
    return Bounds(_least(given.high, function), _greatest(given.low, function))


def _least(bound: Number | None, function: Callable[[Number], Number]) -> Number | None:
    found = _at(bound, function)
    return min(found) if found else None


def _greatest(bound: Number | None, function: Callable[[Number], Number]) -> Number | None:
    found = _at(bound, function)
    return max(found) if found else None


def _at(bound: Number | None, function: Callable[[Number], Number]) -> list[Number]:
    """The values at every way to write the bound; none where one of them is not finite."""
    if bound is None:
        return []
    try:
        found = [function(argument) for argument in {repr(x): x for x in _written(bound)}.values()]
    except (ArithmeticError, ValueError):
        return []
    return found if all(map(isfinite, found)) else []


def _written(bound: Number) -> list[Number]:
    if isinstance(bound, int):
        return [bound, float(bound)]
    return [bound, int(bound)] if bound == int(bound) else [bound]
