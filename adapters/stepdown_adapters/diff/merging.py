"""Joins two schemas that both have to hold into one object, or says that this cannot be done."""

from __future__ import annotations

from typing import Any

from stepdown_adapters.diff.values import listed, missing, types_of, with_types
from stepdown_adapters.json_values import equal

_GREATER = frozenset(
    ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"],
)
_SMALLER = frozenset(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"])
_BOTH = frozenset(["items", "additionalProperties", "propertyNames"])
"""Keywords of one schema, both of which have to hold."""
_BY_NAME = frozenset(["properties", "patternProperties", "dependentSchemas"])
_ALONE = frozenset(
    [
        *(
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "pattern",
            "multipleOf",
            "contains",
            "minContains",
            "maxContains",
        ),
        *(
            "unevaluatedProperties",
            "unevaluatedItems",
            "prefixItems",
            "allOf",
            "format",
            "contentEncoding",
            "contentMediaType",
            "dependencies",
            "additionalItems",
        ),
    ]
)
"""Keywords that two parts can only share when they say the same."""


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """One object for both; where both have an annotation, the first one's counts. `None`: not without a loss."""
    if not first or not second:
        return {**second, **first}
    if _unequal(first, second) or not (_scopes(first, second) and _scopes(second, first)):
        return None
    result = {**second, **first}
    for keyword in first.keys() & second.keys():
        result[keyword] = _value(keyword, first[keyword], second[keyword])
    if "type" in first and "type" in second:
        result["type"] = with_types(types_of({"type": first["type"]}) & types_of({"type": second["type"]}))
    values, others = listed(first), listed(second)
    if values is not None and others is not None:
        result.pop("const", None)
        result["enum"] = missing(values, missing(values, others))
        if "const" in first and "const" in second and result["enum"]:
            result["const"] = first["const"]
            del result["enum"]
    return result


def _unequal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    shared = first.keys() & second.keys() & _ALONE
    if any(not equal(first[keyword], second[keyword]) for keyword in shared):
        return True
    groups = (("if", "then", "else"), ("contains", "minContains", "maxContains"), ("prefixItems", "items"))
    for group in groups:
        mine, theirs = first.keys() & set(group), second.keys() & set(group)
        if mine and theirs and mine != theirs:
            return True
    tuples = "prefixItems" in first and "items" in first and not equal(first["items"], second.get("items", True))
    return bool(tuples) and "prefixItems" in second


def _scopes(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether what `first` says of undeclared members still holds for the same members beside `second`."""
    if {"unevaluatedProperties", "unevaluatedItems"} & second.keys():
        return False
    if first.get("additionalProperties", True) in (True, {}):
        return True
    return all(
        set(second.get(keyword, {})) <= set(first.get(keyword, {})) for keyword in ("properties", "patternProperties")
    )


def _value(keyword: str, one: Any, other: Any) -> Any:
    if keyword in _GREATER:
        return max(one, other)
    if keyword in _SMALLER:
        return min(one, other)
    if keyword == "required":
        return list(dict.fromkeys([*one, *other]))
    if keyword == "uniqueItems":
        return one or other
    if keyword in _BOTH:
        if one is True or other is False:
            return other
        return one if other is True or one is False or equal(one, other) else {"allOf": [one, other]}
    if keyword in _BY_NAME:
        return {**other, **one} | {name: _value("items", one[name], other[name]) for name in one.keys() & other.keys()}
    if keyword == "dependentRequired":
        return {**other, **one} | {
            name: _value("required", one[name], other[name]) for name in one.keys() & other.keys()
        }
    return one
