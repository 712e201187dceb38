"""The shapes of objects: what a member may be, and the shape after a member was changed, set or taken away.

A keyword that looks at the object as a whole is kept where the change cannot matter to it, and else left out. The name
of a changed member must not be judged by a pattern any longer: patterns are then folded into `additionalProperties`,
which every member that is not declared by name has to fit anyway.
"""

from __future__ import annotations

import re
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects.unions import conjunction, union
from stepdown_adapters.effects.values import Shape

EMPTY: Shape = {"type": "object", "additionalProperties": False}
"""`{}` itself."""
_PLAIN_PATTERN = re.compile(r"[\w\-.*+?^$|()\[\]/ :]*", re.ASCII)
_NESTED_CLASS = re.compile(r"\[\^?(?:\]|[^\]]*(?:\[|--|\|\|))")
"""A class that is empty, or has another or an operator in it: to some engines a set of sets, to others characters."""
_PLAIN_NAME = re.compile(r"[ -~]*")


def is_required(shape: Shape, name: str) -> bool:
    """Whether every object of the shape has the member."""
    return name in shape.get("required", ())


def member(shape: Shape, name: str) -> Schema:
    """What the member is where it is there; `False` where no object of the shape has it."""
    found: Schema = shape.get("properties", {}).get(name, True)
    declared = name in shape.get("properties", {})
    for pattern, schema in shape.get("patternProperties", {}).items():
        fits = _fits(pattern, name)
        if fits:
            found = conjunction(found, schema)
        declared = declared or fits is not False
    return found if declared else shape.get("additionalProperties", True)


def _fits(pattern: str, name: str) -> bool | None:
    """Whether a name fits; `None` where Python might answer differently from ECMA-262."""
    strange = "(?" in pattern or _NESTED_CLASS.search(pattern)
    if strange or not _PLAIN_PATTERN.fullmatch(pattern) or not _PLAIN_NAME.fullmatch(name):
        return None
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return None


def every_member(shape: Shape) -> list[Schema]:
    """The schemas that a member may have, whatever its name."""
    rest = shape.get("additionalProperties", True)
    found = [*shape.get("properties", {}).values(), *shape.get("patternProperties", {}).values(), rest]
    return [schema for schema in found if schema is not False]


def names(shape: Shape) -> list[str] | None:
    """All names that a member may have, where they are known."""
    if shape.get("additionalProperties", True) is not False or shape.get("patternProperties"):
        return None
    return [name for name, schema in shape.get("properties", {}).items() if schema is not False]


def without_patterns(shape: Shape) -> Shape:
    """A wider shape that judges members by their names alone."""
    patterns = shape.get("patternProperties")
    if not patterns:
        return shape
    copy = {keyword: value for keyword, value in shape.items() if keyword != "patternProperties"}
    return {**copy, "additionalProperties": union([shape.get("additionalProperties", True), *patterns.values()])}


def changed(shape: Shape, name: str, schema: Schema, *, present: bool) -> Shape:
    """After the member, where it was there, became one of `schema`; `present` if objects without it are refused."""
    copy = _opened(shape, name, schema)
    if present and not is_required(shape, name):
        copy["required"] = [*shape.get("required", ()), name]
    return copy


def with_member(shape: Shape, name: str, schema: Schema) -> Shape:
    """After the member was set to one of `schema`, wherever it was there or not."""
    if is_required(shape, name):
        return _opened(shape, name, schema)
    copy = changed(shape, name, schema, present=True)
    for keyword in ("dependentRequired", "propertyNames"):
        copy.pop(keyword, None)
    if "maxProperties" in copy:
        copy["maxProperties"] += 1
    return copy


def without_member(shape: Shape, name: str) -> Shape:
    """After the member, where it was there, was taken away."""
    copy = _opened(shape, name, False)
    copy.pop("dependentRequired", None)
    if "required" in copy:
        copy["required"] = [other for other in copy["required"] if other != name]
    if "minProperties" in copy:
        copy["minProperties"] = max(0, copy["minProperties"] - 1)
    return copy


def lacking(shape: Shape, name: str) -> Shape:
    """Those objects of the shape that do not have the member, which is not required."""
    return _opened(shape, name, False)


def _opened(shape: Shape, name: str, schema: Schema) -> Shape:
    copy = dict(without_patterns(shape))
    properties = copy["properties"] = dict(copy.get("properties", {}))
    if schema is False and copy.get("additionalProperties", True) is False:
        properties.pop(name, None)
    else:
        properties[name] = schema
    return copy


def is_possible(shape: Shape) -> bool:
    """Whether the shape has an object, as far as its own keywords tell."""
    required = shape.get("required", ())
    if any(member(shape, name) is False for name in required):
        return False
    highest = shape.get("maxProperties")
    return highest is None or (len(set(required)) <= highest and shape.get("minProperties", 0) <= highest)


def closed(members: dict[str, Schema], optional: frozenset[str] = frozenset()) -> Shape:
    """Objects of exactly these members."""
    properties: dict[str, Any] = {name: schema for name, schema in members.items() if schema is not False}
    required = [name for name in members if name not in optional]
    if any(name not in properties for name in required):
        return {"type": "object", "properties": {}, "required": required, "additionalProperties": False}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
