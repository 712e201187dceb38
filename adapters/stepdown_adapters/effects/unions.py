"""Schemas joined by *or* and by *and*, kept small where that is free."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.values import TYPES, enumerated
from stepdown_adapters.json_values import equal

MAX_ALTERNATIVES = 24
"""A union of more is widened to its types: it costs time at every step, and nobody declares such contracts by hand."""


def same(one: Any, other: Any) -> bool:
    """Whether two schemas are written alike; in Python `1 == True == 1.0`, so `==` alone does not tell."""
    return one is other or (one == other and repr(one) == repr(other))


def union(schemas: Iterable[Schema]) -> Schema:
    """A schema with every value of each; `False` for none, and one of those given only if it was the only one."""
    found: list[dict[str, Any]] = []
    several = False
    for schema in schemas:
        if schema is True or schema == {}:
            return True
        if isinstance(schema, dict):
            branches = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
            for branch in branches:
                if branch is True:
                    return True
                if isinstance(branch, dict):
                    several = several or (bool(found) and branch is not found[0])
                    if not any(same(branch, other) for other in found):
                        found.append(branch)
    if len(found) == 1:
        return dict(found[0]) if several else found[0]
    if not found:
        return False
    return _joined(found)


def _joined(found: list[dict[str, Any]]) -> Schema:
    """Whole types and lists of values become one branch each; a branch inside of a whole type goes."""
    whole = {name for branch in found if branch.keys() == {"type"} for name in _names(branch["type"])}
    if whole.issuperset(TYPES):
        return True
    values: list[Any] = []
    rest = []
    for branch in found:
        if branch.keys() <= {"type", "enum"} and "enum" in branch:
            values += [value for value in branch["enum"] if not isinstance(value, list | dict)]
            rest += [value for value in enumerated(branch["enum"]) if value["type"] in ("array", "object")]
        elif branch.keys() == {"const"} and not isinstance(branch["const"], list | dict):
            values.append(branch["const"])
        elif branch.keys() != {"type"}:
            rest.append(branch)
    parts = [shape for shape in [*enumerated(values), *rest] if not _inside(shape, whole)]
    whole |= {shape["type"] for shape in parts if shape.keys() == {"type"}}
    parts = [shape for shape in parts if shape.keys() != {"type"}]
    if "number" in whole:
        whole.discard("integer")
    if len(parts) > MAX_ALTERNATIVES:
        return _types_of(parts, whole)
    plain: list[dict[str, Any]] = []
    if whole:
        names = sorted(whole)
        plain = [{"type": names[0] if len(names) == 1 else names}]
    branches = [*plain, *parts]
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


def _inside(shape: dict[str, Any], whole: set[str]) -> bool:
    """Whether whole types have all of the shape; an annotation of what it means is not worth another branch."""
    names = _names(shape["type"]) if "type" in shape else []
    return bool(names) and all(name in whole or (name == "integer" and "number" in whole) for name in names)


def _types_of(parts: list[dict[str, Any]], whole: set[str]) -> Schema:
    for part in parts:
        if "type" not in part:
            return True
        whole |= set(_names(part["type"]))
    names = sorted(whole - {"integer"} if "number" in whole else whole)
    return {"type": names[0] if len(names) == 1 else names}


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def conjunction(one: Schema, other: Schema) -> Schema:
    """A schema of what both have."""
    if one is False or other is False:
        return False
    if one is True or one == {} or same(one, other):
        return other
    if other is True or other == {}:
        return one
    if _differ(_listed(one), _listed(other)):
        return False
    return {"allOf": [one, other]}


def _listed(schema: dict[str, Any]) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _differ(ones: list[Any] | None, others: list[Any] | None) -> bool:
    """Whether two lists of values have none in common."""
    return ones is not None and others is not None and not any(equal(one, other) for one in ones for other in others)
