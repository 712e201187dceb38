"""Single JSON values as schemas: their types, the shapes that stand for exactly them, and whether a shape has them."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.json_values import equal

Shape = dict[str, Any]
"""A schema of one `type`, with only the keywords that the effects understand; see `shapes`."""

TYPES = ("null", "boolean", "number", "string", "array", "object")
MAX_CONSTANTS = 64
"""Values beyond this number are no longer told apart."""


def type_of(value: Any) -> str:
    """The JSON Schema type, `integer` for a number without a fraction."""
    for types, name in ((type(None), "null"), (bool, "boolean"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, types):
            return name
    return "integer" if isinstance(value, int) or (isfinite(value) and value == int(value)) else "number"


def constant(value: Any) -> Schema:
    """The schema of exactly this value."""
    return {"const": value}


def enumerated(values: Iterable[Any]) -> list[Shape]:
    """Shapes that together have these values; objects and arrays become shapes of constant members and items."""
    scalars: dict[str, list[Any]] = {}
    found: list[Shape] = []
    for value in values:
        name = type_of(value)
        if name == "object":
            members = {key: constant(member) for key, member in value.items()}
            closed = {"properties": members, "required": sorted(members), "additionalProperties": False}
            found.append({"type": "object", **closed})
        elif name == "array":
            first = {"prefixItems": [constant(item) for item in value]} if value else {}
            found.append({"type": "array", **first, "minItems": len(value), "maxItems": len(value)})
        else:
            known = scalars.setdefault("number" if name == "integer" else name, [])
            if not any(equal(value, other) for other in known):
                known.append(value)
    return [_scalars(name, known) for name, known in scalars.items()] + found


def _scalars(name: str, values: list[Any]) -> Shape:
    if name == "null" or (name == "boolean" and len(values) == 2):
        return {"type": name}
    if name == "number" and all(type_of(value) == "integer" for value in values):
        name = "integer"
    return {"type": name, "enum": values} if len(values) <= MAX_CONSTANTS else {"type": name}


def values_of(shape: Shape) -> list[Any] | None:
    """Every value of a scalar shape, where they are listed."""
    if shape["type"] == "null":
        return [None]
    if shape["type"] == "boolean":
        return list(shape.get("enum", (True, False)))
    return shape.get("enum")


def spellings(value: Any) -> list[Any]:
    """The Python values that JSON Schema does not tell from `value`: `1` and `1.0` are equal, `0.0` and `-0.0` too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [value]
    if value == 0:
        return [0, 0.0, -0.0]
    try:
        return [
            value,
            *(other for other in (float(value), int(value)) if other == value and type(other) is not type(value)),
        ]
    except OverflowError:
        return [value]


def may_hold(shape: Shape, value: Any) -> bool:
    """Whether the value may be one of the shape; `False` is certain, and members and items are not looked at."""
    kind = type_of(value)
    if kind != shape["type"] and not (kind == "integer" and shape["type"] == "number"):
        return False
    if "enum" in shape:
        return any(equal(value, other) for other in shape["enum"])
    if kind in ("integer", "number"):
        return _within(shape, value)
    if kind == "string":
        return _between(len(value), shape.get("minLength"), shape.get("maxLength"))
    if kind == "array":
        return _between(len(value), shape.get("minItems"), shape.get("maxItems"))
    if kind == "object":
        return all(name in value for name in shape.get("required", ()))
    return True


def _within(shape: Shape, value: int | float) -> bool:
    low, high = shape.get("exclusiveMinimum"), shape.get("exclusiveMaximum")
    if (low is not None and value <= low) or (high is not None and value >= high):
        return False
    return _between(value, shape.get("minimum"), shape.get("maximum"))


def _between(value: int | float, low: int | float | None, high: int | float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
