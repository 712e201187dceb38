"""Functions of an array of numbers, done to each innermost array of nested ones, and what that does to the schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.json_values import require_array
from stepdown_adapters.operations.scalars import as_float, number

Vector = Callable[[list[Any]], Any]
ARRAY: Schema = {"type": "array"}
_SIZES = ("minItems", "maxItems")


def innermost(value: Any, function: Vector) -> Any:
    """The function of the array, or of each array inside of it where all of its items are arrays; and so on inward."""
    array = require_array(value)
    if array and all(isinstance(item, list) for item in array):
        return [innermost(item, function) for item in array]
    return function(array)


def floats(array: list[Any]) -> list[float]:
    """The numbers of an array as floats; raises `Refusal` on anything else."""
    if set(map(type, array)) <= {float}:  # none of them is infinite, but for strict ones, which are of another type
        return array
    return [as_float(item) for item in array]


def numbers(array: list[Any]) -> list[int | float]:
    """The array, if all of its items are numbers; raises `Refusal` otherwise."""
    if not set(map(type, array)) <= {float, int}:
        for item in array:
            number(item)
    return array


def innermost_effect(schema: Schema, effect: Callable[[dict[str, Any]], Schema], unknown: Schema = ARRAY) -> Schema:
    """The schema after `innermost`, where `effect` is what the function does to the schema of its array.

    How deep the arrays are nested must show in the schema; where it does not, all that is known is `unknown`. An empty
    outer array is taken for an innermost one, so `effect` must allow `[]` to stay `[]` where the function does not
    refuse it.
    """
    if not isinstance(schema, dict):
        return unknown
    depth = _holds_arrays(schema)
    if depth is None:
        return unknown
    if not depth:
        return effect(schema)
    inner = innermost_effect(schema["items"], effect, unknown)
    return {"type": "array", "items": inner, **{name: schema[name] for name in _SIZES if name in schema}}


def _holds_arrays(schema: dict[str, Any]) -> bool | None:
    """Whether the array's items are arrays; `None` where the schema leaves that open."""
    first = schema.get("prefixItems", [])
    rest = schema.get("items", schema.get("maxItems", len(first) + 1) > len(first))
    found = {_is_array(item) for item in (*first, rest) if item is not False}
    if found == {False}:
        return False
    return True if found == {True} and not first else None


def _is_array(schema: Schema) -> bool | None:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if kinds in ("array", ["array"]):
        return True
    if isinstance(kinds, str) or (isinstance(kinds, list) and "array" not in kinds):
        return False
    return None


def items_of(array: dict[str, Any]) -> Schema:
    """A schema that every item of an innermost array is valid under."""
    first = array.get("prefixItems", [])
    rest = array.get("items", False)
    if not first:
        return rest if isinstance(rest, dict | bool) else True
    return {"anyOf": [*first, rest]}


def resized(schema: dict[str, Any], items: Schema, size: Callable[[int], int] | None = None) -> dict[str, Any]:
    """An array of other items, whose count is `size` of the old one (or the same)."""
    result: dict[str, Any] = {"type": "array", "items": items}
    for name in _SIZES:
        count = schema.get(name)
        if isinstance(count, int):
            result[name] = count if size is None else size(count)
    return result
