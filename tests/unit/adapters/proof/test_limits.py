"""The edges of the search: excluded values, questions that are too large, and conditions that nobody can judge."""

from collections.abc import Callable
from typing import Any

import pytest

from stepdown_adapters.proof.inclusion import Excluded, Included, Inclusion, Undecided, included

Decide = Callable[[Any, Any], Inclusion]

ARRAY, OBJECT, STRING = {"type": "array"}, {"type": "object"}, {"type": "string"}
ONLY_A = {**OBJECT, "properties": {"a": {"type": "boolean"}}, "required": ["a"], "additionalProperties": False}

EMPTY: list[dict[str, Any]] = [
    {**ARRAY, "maxItems": 0, "not": {"const": []}},
    {**ARRAY, "items": False, "not": {"const": []}},
    {**ARRAY, "minItems": 2, "maxItems": 1},
    {**ARRAY, "minItems": 300, "items": False},
    {**ARRAY, "minItems": 3, "uniqueItems": True, "prefixItems": [{"const": 1}, {"enum": [1, 2]}, {"enum": [1, 2]}]},
    {**ARRAY, "contains": {"const": 1}, "minContains": 2, "maxItems": 1},
    {**ARRAY, "minItems": 1, "items": {"const": 1}, "contains": True, "maxContains": 0},
    {**OBJECT, "maxProperties": 0, "not": {"const": {}}},
    {**OBJECT, "additionalProperties": False, "not": {"const": {}}},
    {**OBJECT, "required": ["a", "b"], "maxProperties": 1},
    {**OBJECT, "required": ["abc"], "propertyNames": {"maxLength": 2}},
    {**OBJECT, "minProperties": 3, "propertyNames": {"enum": ["a", "b"]}},
    {**STRING, "maxLength": 0, "not": {"const": ""}},
    {**STRING, "pattern": "^.{4}$", "maxLength": 3},
    {"type": "number", "minimum": 1, "maximum": 1, "not": {"const": 1.0}},
    {"type": "number", "minimum": 1, "maximum": 1, "not": {"multipleOf": 0.5}},
    {"type": "integer", "not": {"multipleOf": 0.5}},
]
INHABITED: list[dict[str, Any]] = [
    {**ARRAY, "not": {"enum": [[], [None]]}},
    {**ARRAY, "minItems": 1, "items": {"type": "boolean"}, "not": {"const": [True]}},
    {**ARRAY, "items": {"enum": [1]}, "not": {"enum": [[], [1], [1, 1]]}},
    {**ARRAY, "uniqueItems": True, "not": {"enum": [[], [1]]}},
    {**ARRAY, "contains": {"const": 1}, "minContains": 2, "maxContains": 2, "minItems": 4},
    {**ONLY_A, "not": {"const": {"a": True}}},
    {**OBJECT, "not": {"enum": [{}, {"x": None}]}},
    {**OBJECT, "minProperties": 4, "properties": {"a": {"const": 1}, "b": False}, "required": ["c"]},
    {**OBJECT, "minProperties": 2, "propertyNames": {"enum": ["a", "b"]}},
    {**STRING, "minLength": 1, "not": {"enum": ["a", "b", "c"]}},
    {**STRING, "pattern": "^a+$", "not": {"enum": ["a", "aa", "a" * 500]}},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "not": {"multipleOf": 0.1}},
    {"type": "number", "maximum": -0.5, "not": {"type": "integer"}},
    {"type": "integer", "maximum": 10**30, "minimum": 10**30},
]
UNDECIDED: list[dict[str, Any]] = [
    {**ARRAY, "minItems": 300},
    {**ARRAY, "contains": STRING, "minContains": 20},
    {**ARRAY, "minItems": 30, "uniqueItems": True},
    {**ARRAY, "minItems": 1, "items": {"unevaluatedItems": False, "type": "array"}},
    {**OBJECT, "minProperties": 300},
    {**ONLY_A, "not": {"enum": [{"a": True}, {"a": False}]}},
    {**OBJECT, "required": ["a"], "propertyNames": {"pattern": "(?=a)"}},
    {**OBJECT, "minProperties": 1, "propertyNames": {"pattern": "(?=a)b"}},
    {**OBJECT, "minProperties": 1, "patternProperties": {f"^{letter}": True for letter in "abcdef"}}
    | {"allOf": [{"patternProperties": {f"^{letter}": False for letter in "abcdef"}}]},
    {**STRING, "minLength": 5000},
    {"type": "number", "exclusiveMinimum": 1e305},
    {"type": "number", "minimum": 0, "maximum": 0, "multipleOf": 1, "$ref": "#elsewhere"},
]


@pytest.mark.parametrize("index", range(len(EMPTY)))
def test_a_schema_without_documents_is_known(decide: Decide, index: int) -> None:
    assert decide(EMPTY[index], False) == Included()


@pytest.mark.parametrize("index", range(len(INHABITED)))
def test_a_document_is_found_beside_what_is_excluded(decide: Decide, index: int) -> None:
    assert isinstance(decide(INHABITED[index], False), Excluded)


@pytest.mark.parametrize("index", range(len(UNDECIDED)))
def test_what_is_too_large_or_strange_is_undecided(index: int) -> None:
    answer = included(UNDECIDED[index], False)
    assert isinstance(answer, Undecided)
    assert answer.reason
