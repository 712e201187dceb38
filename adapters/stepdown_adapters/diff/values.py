"""What a flat schema says of values as such: their types, the values it lists, and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepdown_adapters.json_values import equal

Types = frozenset[str]
"""`number` is `integer` and `fraction`, so that sets of types can be compared."""
EVERYTHING: Types = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
NUMBERS: Types = frozenset({"integer", "fraction"})
NOTHING: dict[str, Any] = {"type": []}
"""`false`, as an object."""
ABSENT: Any = object()


def types_of(flat: dict[str, Any]) -> Types:
    """The types that values of a schema may have."""
    given = flat.get("type", ABSENT)
    types = EVERYTHING if given is ABSENT else _atoms([given] if isinstance(given, str) else given)
    values = listed(flat)
    return types if values is None else types & {type_of(value) for value in values}


def _atoms(names: list[str]) -> Types:
    return frozenset(atom for name in names for atom in (NUMBERS if name == "number" else (name,)))


def type_names(types: Types) -> list[str]:
    """As `type` writes them."""
    names = types - {"fraction"} if "integer" in types else types
    return sorted(
        "number" if name == "fraction" or (name == "integer" and "fraction" in types) else name for name in names
    )


def type_of(value: Any) -> str:
    """The type of one JSON value; `1.0` is an integer."""
    for python, name in ((type(None), "null"), (bool, "boolean"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, python):
            return name
    return "integer" if value == int(value) else "fraction"


def listed(flat: dict[str, Any]) -> list[Any] | None:
    """The only values that a schema allows, where it lists them."""
    values = flat.get("enum")
    if "const" in flat:
        return [value for value in [flat["const"]] if values is None or any(equal(value, other) for other in values)]
    return list(values) if isinstance(values, list) else None


def missing(values: list[Any], others: list[Any]) -> list[Any]:
    """Those of `values` that are not among `others`."""
    return [value for value in values if not any(equal(value, other) for other in others)]


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower or an upper bound of numbers; the value itself may be excluded."""

    keyword: str
    value: Any
    excluded: bool


def lower(flat: dict[str, Any]) -> Bound | None:
    """The greater of `minimum` and `exclusiveMinimum`."""
    return _tighter(flat, "minimum", "exclusiveMinimum", 1)


def upper(flat: dict[str, Any]) -> Bound | None:
    """The smaller of `maximum` and `exclusiveMaximum`."""
    return _tighter(flat, "maximum", "exclusiveMaximum", -1)


def _tighter(flat: dict[str, Any], plain: str, exclusive: str, sign: int) -> Bound | None:
    bounds = [Bound(keyword, flat[keyword], keyword == exclusive) for keyword in (plain, exclusive) if keyword in flat]
    return max(bounds, key=lambda bound: (sign * bound.value, bound.excluded), default=None)


def with_types(types: Types) -> list[str] | str:
    """The value of `type` for these."""
    names = type_names(types)
    return names[0] if len(names) == 1 else names
