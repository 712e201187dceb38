"""The judge of witnesses: three-valued, and of one opinion with another validator wherever it has one."""

from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.proof.evaluate import valid
from stepdown_adapters.proof.schemas import Document

VALUES: list[Any] = [None, True, False, 0, 1, 1.0, 2.5, -3, 10**20, "", "a", "ab", "1"]
VALUES += [[], [1], [1, 1.0], [True, 1], ["a", 2, None], [[1], [1]], [{"a": 1}, {"a": True}]]
VALUES += [{}, {"a": 1}, {"a": "x", "b": 2}, {"b": 1}, {"ab": 1, "c": None}, {"a": {"a": 1}}]

SCHEMAS: list[Any] = [
    True,
    False,
    {},
    {"type": "integer"},
    {"type": ["integer", "string"]},
    {"enum": [1, "a", [1, 1], {"a": True}]},
    {"const": {"a": 1}},
    {"minimum": 1},
    {"maximum": 1},
    {"exclusiveMinimum": 1},
    {"exclusiveMaximum": 1},
    {"multipleOf": 0.5},
    {"minLength": 1},
    {"maxLength": 1},
    {"pattern": "^a"},
    {"minItems": 1},
    {"maxItems": 1},
    {"uniqueItems": True},
    {"uniqueItems": False},
    {"items": {"type": "number"}},
    {"prefixItems": [{"const": 1}], "items": {"type": "number"}},
    {"contains": {"type": "number"}},
    {"contains": {"type": "number"}, "minContains": 2},
    {"contains": {"type": "number"}, "minContains": 0, "maxContains": 1},
    {"minProperties": 1},
    {"maxProperties": 1},
    {"required": ["a"]},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "integer"}},
    {"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": False},
    {"propertyNames": {"maxLength": 1}},
    {"dependentRequired": {"a": ["b"]}},
    {"dependentSchemas": {"a": {"required": ["b"]}}},
    {"allOf": [{"type": "number"}, {"minimum": 1}]},
    {"anyOf": [{"type": "string"}, {"minimum": 1}]},
    {"oneOf": [{"type": "number"}, {"minimum": 1}]},
    {"not": {"type": "object"}},
    {"if": {"type": "number"}, "then": {"minimum": 1}, "else": {"type": "string"}},
    {"then": False, "else": False},
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}, "minimum": 1},
    {"$defs": {"a~b/c": {"type": "integer"}}, "items": {"$ref": "#/$defs/a~0b~1c"}},
    {"properties": {"a": {"anyOf": [{"$ref": "#"}, {"const": 1}]}}, "type": "object"},
    {"format": "email", "contentEncoding": "base64", "x-own": False, "$comment": "none of these asks anything"},
]


@pytest.mark.parametrize("index", range(len(SCHEMAS)))
def test_a_verdict_is_that_of_another_validator(index: int) -> None:
    schema = SCHEMAS[index]
    other = jsonschema_rs.validator_for(schema)
    for value in VALUES:
        assert valid(schema, value, Document(schema, 1)) is other.is_valid(value), value


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"unevaluatedProperties": False}, None),
        ({"unevaluatedProperties": False, "minProperties": 9}, False),
        ({"unevaluatedItems": False}, True),  # has nothing to say of an object
        ({"anyOf": [{"unevaluatedProperties": False}, {"type": "object"}]}, True),
        ({"anyOf": [{"unevaluatedProperties": False}, {"type": "string"}]}, None),
        ({"not": {"unevaluatedProperties": False}}, None),
        ({"oneOf": [{"unevaluatedProperties": False}, True, True]}, False),
        ({"oneOf": [{"unevaluatedProperties": False}, True]}, None),
        ({"if": {"unevaluatedProperties": False}, "then": False, "else": False}, False),
        ({"if": {"unevaluatedProperties": False}, "then": True, "else": False}, None),
        ({"patternProperties": {"(?=a)": False}}, None),
        ({"patternProperties": {"(?=a)": True}, "additionalProperties": True}, True),
        ({"patternProperties": {"(?=a)": True}, "additionalProperties": False}, None),
        ({"$ref": "#nowhere"}, None),
        ({"$ref": "#/$defs/missing"}, None),
    ],
)
def test_what_is_not_understood_spreads_as_in_the_logic_of_kleene(schema: Any, expected: bool | None) -> None:
    assert valid(schema, {"a": 1}, Document(schema, 1)) is expected


def test_references_below_another_identifier_are_not_followed() -> None:
    schema = {"properties": {"a": {"$id": "https://other.test/", "$ref": "#/$defs/b"}}, "$defs": {"b": False}}
    assert valid(schema, {"a": 1}, Document(schema, 1)) is None


def test_a_reference_into_data_makes_the_document_unreadable() -> None:
    schema = {"const": {"type": "string"}, "$ref": "#/const"}
    assert "no schema" in str(Document(schema, 1).opaque)
