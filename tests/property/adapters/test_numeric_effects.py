"""Each numeric operation's effect holds: what comes of a value is valid under what comes of its schema.

A schema is made for each value, from the value itself, so that it is valid; how much the schema says is drawn.
"""

from math import isfinite
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from stepdown_adapters.codec import PLAIN
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations import parse
from stepdown_adapters.operations.convert import Convert, Scalar
from stepdown_adapters.paths import parse as parse_path
from stepdown_adapters.places import select
from stepdown_adapters.runtime import copied
from tests.property.adapters import numeric_operations


@st.composite
def schemas(draw: st.DrawFn, value: Any, depth: int = 0) -> Any:
    """A schema that the value is valid under."""
    if draw(st.integers(0, 9 if depth < 2 else 4)) == 0:
        return draw(st.sampled_from([True, {}, {"type": KINDS[type(value)]}, {"const": value}]))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return draw(of_number(value))
    if isinstance(value, list):
        return draw(of_array(value, depth))
    if isinstance(value, dict):
        return draw(of_object(value, depth))
    return {"type": KINDS[type(value)]}


KINDS = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    type(None): "null",
    list: "array",
    dict: "object",
}


@st.composite
def of_number(draw: st.DrawFn, value: int | float) -> Any:
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["number", ["number", "null"]]))}
    below, above = draw(st.sampled_from([0, 0, 1, 0.5, 1e300])), draw(st.sampled_from([0, 0, 1, 0.5, 1e300]))
    limits = {
        "minimum": value - below,
        "maximum": value + above,
        "exclusiveMinimum": value - 1e-3 * abs(value) - 1e-300,
    }
    if value >= 0:
        limits["minimum"] = draw(st.sampled_from([0, value]))
    for keyword in draw(st.sets(st.sampled_from(sorted(limits)))):
        found = {keyword: limits[keyword]}
        if isfinite(limits[keyword]) and valid(value, found):
            schema |= found
    return schema


@st.composite
def of_array(draw: st.DrawFn, value: list[Any], depth: int) -> Any:
    schema: dict[str, Any] = {"type": "array"}
    form = draw(st.sampled_from(["items", "items", "items", "prefix", "open"]))
    if form == "items" and value:
        schema["items"] = shared([draw(schemas(item, depth + 1)) for item in value])
    elif form == "items":
        schema["items"] = draw(st.sampled_from([{"type": "number"}, {"type": "array", "items": {"type": "number"}}]))
    elif form == "prefix" and value:
        schema["prefixItems"] = [draw(schemas(item, depth + 1)) for item in value]
        schema["items"] = draw(st.sampled_from([False, {"type": "number"}]))
    sizes = {"minItems": draw(st.integers(0, len(value))), "maxItems": len(value)}
    return schema | {keyword: size for keyword, size in sizes.items() if draw(st.booleans())}


@st.composite
def of_object(draw: st.DrawFn, value: dict[str, Any], depth: int) -> Any:
    names = [name for name in value if draw(st.integers(0, 4))]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: draw(schemas(value[name], depth + 1)) for name in names},
        "required": [name for name in value if draw(st.booleans())],
    }
    if len(names) == len(value) and draw(st.booleans()):
        schema["additionalProperties"] = False
    return schema


def shared(found: list[Any]) -> Any:
    """One schema for items each of which is valid under its own; the common keywords where all are numbers."""
    numbers = [schema for schema in found if isinstance(schema, dict) and schema.get("type") == "number"]
    if len(numbers) == len(found):
        merged: dict[str, Any] = {"type": "number"}
        for keyword, pick in (("minimum", min), ("maximum", max)):
            if all(keyword in schema for schema in numbers):
                merged[keyword] = pick(schema[keyword] for schema in numbers)
        return merged
    kinds = [schema.get("type") if isinstance(schema, dict) else None for schema in found]
    inner = [schema.get("items") for schema in found if isinstance(schema, dict) and "prefixItems" not in schema]
    if set(map(str, kinds)) == {"array"} and len(inner) == len(found) and all(isinstance(i, dict) for i in inner):
        sizes = [schema.get("minItems", 0) for schema in found]
        return {"type": "array", "items": shared(inner), "minItems": min(sizes)}
    return {"anyOf": found}


def valid(value: Any, schema: Any) -> bool:
    return jsonschema_rs.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("name", numeric_operations.OPERATIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_comes_of_a_value_is_valid_under_what_comes_of_its_schema(name: str, data: st.DataObject) -> None:
    raw = data.draw(numeric_operations.OPERATIONS[name], label="options")
    (operation,) = parse([{name: raw}])
    assert isinstance(operation, Convert)
    if operation.late is not None:
        return
    document = data.draw(numeric_operations.MEMBERS, label="document")
    for holder, key in select([document], 0, parse_path(raw["path"]), fails=False)[:2]:
        value, conversion = holder[key], operation.conversion
        schema = data.draw(schemas(value), label="schema")
        if not valid(value, schema):
            continue  # a float's bound that rounding has moved
        try:
            function: Any = conversion.function
            result = function(copied(value)) if isinstance(conversion, Scalar) else function(copied(value), PLAIN)
        except Refusal:
            event("refused")
            continue
        event("converted")
        effect = conversion.effect(schema)
        assert valid(result, effect), f"{result!r} of {value!r} is not valid under {effect!r}"
