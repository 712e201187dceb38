"""Opens a schema: as a union of *shapes*, each of one type, without references and combinations at its top.

The shapes together have every value of the schema. They may have more: keywords that the effects cannot reason about
(`not`, `if`, `dependentSchemas`, `unevaluated...`, `oneOf` as an *exclusive* or) are left out here. That is why a
schema is only opened where a path leads through it; whatever no operation looks at is carried as it is written.

Below the top, a shape's members and items are schemas as they stand in the contract, references included. So a
recursive contract is unfolded exactly as deep as a path goes.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.effects import arrays, objects
from stepdown_adapters.effects.references import References
from stepdown_adapters.effects.unions import MAX_ALTERNATIVES, conjunction
from stepdown_adapters.effects.values import TYPES, Shape, enumerated, may_hold

MEANING = "x-semantic"
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
KEYWORDS: dict[str, tuple[str, ...]] = {
    "null": (),
    "boolean": (),
    "integer": _NUMBER,
    "number": _NUMBER,
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"),
    "array": ("prefixItems", "items", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
    "object": (
        "properties",
        "required",
        "patternProperties",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "dependentRequired",
    ),
}
_OWN = frozenset(chain.from_iterable(KEYWORDS.values())) | {"type", "const", "enum"}
_HIGHER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_LOWER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def opened(schema: Schema, references: References, seen: frozenset[str] = frozenset()) -> list[Shape]:
    """The shapes of a schema, not to be changed; none for `False`. `seen` are the references on the way here."""
    if not isinstance(schema, dict):
        return [{"type": name} for name in TYPES] if schema else []
    known = references.shapes.get(id(schema))
    if known is not None:
        return known[1]
    found = _opened(schema, references, seen)
    if not seen:
        references.shapes[id(schema)] = (schema, found)
    return found


def _opened(schema: dict[str, Any], references: References, seen: frozenset[str]) -> list[Shape]:
    found: list[Shape] | None = _own(schema) if not _OWN.isdisjoint(schema) else None
    if "$ref" in schema and schema["$ref"] not in seen:
        reference = schema["$ref"]
        found = _met(found, opened(references.target(reference), references, seen | {reference}))
    for conjunct in schema.get("allOf", ()):
        found = _met(found, opened(conjunct, references, seen))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            branches = [opened(branch, references, seen) for branch in schema[keyword]]
            found = _met(found, list(chain.from_iterable(branches)))
    if found is None:
        found = opened(True, references)
    if isinstance(schema.get(MEANING), dict):
        found = [_annotated(shape, schema[MEANING]) for shape in found]
    return _bounded(found)


def _bounded(shapes: list[Shape]) -> list[Shape]:
    if len(shapes) <= MAX_ALTERNATIVES:
        return shapes
    names = {shape["type"] for shape in shapes}
    return [
        {"type": name}
        for name in (*TYPES, "integer")
        if name in names and not (name == "integer" and "number" in names)
    ]


def is_possible(shape: Shape) -> bool:
    """Whether the shape has a value, as far as its own keywords tell."""
    if shape["type"] == "array":
        return arrays.is_possible(shape)
    return shape["type"] != "object" or objects.is_possible(shape)


def _annotated(shape: Shape, meaning: dict[str, Any]) -> Shape:
    """The shape with what the place says that its values mean; that adds to what a referenced schema says."""
    if shape["type"] == "null":
        return shape
    return {**shape, MEANING: {**shape.get(MEANING, {}), **meaning}}


def _own(schema: dict[str, Any]) -> list[Shape]:
    """The shapes of the schema's own keywords."""
    types = schema.get("type", TYPES)
    names = [types] if isinstance(types, str) else list(types)
    if "integer" in names and "number" in names:
        names.remove("integer")
    shapes = [_of_type(name, schema) for name in names]
    for values in ([schema["const"]] if "const" in schema else None, schema.get("enum")):
        if values is not None:
            shapes = _met(shapes, enumerated(values))
    return [shape for shape in shapes if is_possible(shape)]


def _of_type(name: str, schema: dict[str, Any]) -> Shape:
    shape = {"type": name, **{keyword: schema[keyword] for keyword in KEYWORDS[name] if keyword in schema}}
    if isinstance(shape.get("items"), list):  # a tuple of draft 7
        shape["prefixItems"] = shape["items"]
        shape["items"] = schema.get("additionalItems", True)
    return shape


def _met(ones: list[Shape] | None, others: list[Shape]) -> list[Shape]:
    """The shapes of what both unions have."""
    if ones is None:
        return others
    if len(ones) * len(others) > MAX_ALTERNATIVES * len(TYPES):
        return ones
    met = [both(one, other) for one in ones for other in others]
    return [shape for shape in met if shape is not None]


def both(one: Shape, other: Shape) -> Shape | None:
    """A shape of what two shapes share; `None` where they share nothing."""
    first, second = one["type"], other["type"]
    if first != second and {first, second} != {"integer", "number"}:
        return None
    if "enum" in one or "enum" in other:
        return _values_of_both(one, other)
    shape = {**other, **one, "type": "integer" if "integer" in (first, second) else first}
    for keyword in (*_HIGHER, *_LOWER):
        if keyword in one and keyword in other:
            shape[keyword] = (max if keyword in _HIGHER else min)(one[keyword], other[keyword])
    if first == "array":
        _share_items(shape, one, other)
    elif first == "object":
        _share_members(shape, one, other)
    if MEANING in one and MEANING in other:
        shape[MEANING] = {**other[MEANING], **one[MEANING]}
    return shape if is_possible(shape) else None


def _values_of_both(one: Shape, other: Shape) -> Shape | None:
    listed, judge = (one, other) if "enum" in one else (other, one)
    values = [value for value in listed["enum"] if may_hold(judge, value)]
    if not values:
        return None
    shape = enumerated(values)[0]
    meaning = {**other.get(MEANING, {}), **one.get(MEANING, {})}
    return {**shape, MEANING: meaning} if meaning else shape


def _share_items(shape: Shape, one: Shape, other: Shape) -> None:
    count = max(len(one.get("prefixItems", ())), len(other.get("prefixItems", ())))
    if count:
        pairs = zip(arrays.prefix(one, count), arrays.prefix(other, count), strict=True)
        shape["prefixItems"] = [conjunction(*pair) for pair in pairs]
    if "items" in one and "items" in other:
        shape["items"] = conjunction(one["items"], other["items"])
    for keyword in ("contains", "minContains", "maxContains"):
        shape.pop(keyword, None)
    source = one if "contains" in one else other
    shape.update({k: source[k] for k in ("contains", "minContains", "maxContains") if k in source})


def _share_members(shape: Shape, one: Shape, other: Shape) -> None:
    names = dict.fromkeys((*one.get("properties", {}), *other.get("properties", {})))
    if names:
        members = {name: conjunction(objects.member(one, name), objects.member(other, name)) for name in names}
        shape["properties"] = members
    if "patternProperties" in one or "patternProperties" in other:
        shape.pop("patternProperties")
        one, other = objects.without_patterns(one), objects.without_patterns(other)
    rest = conjunction(one.get("additionalProperties", True), other.get("additionalProperties", True))
    shape["additionalProperties"] = rest
    if rest is True:
        del shape["additionalProperties"]
    if "required" in one and "required" in other:
        shape["required"] = list(dict.fromkeys((*one["required"], *other["required"])))
