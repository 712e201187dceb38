"""What is decided, keyword by keyword: proved, refuted by a document, or left undecided."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stepdown_adapters.proof.inclusion import Excluded, Included, Inclusion, Undecided, included, inhabited

Decide = Callable[[Any, Any], Inclusion]

INCLUDED = [
    # types
    ({"type": "integer"}, {"type": "number"}),
    ({"type": "integer"}, {"type": ["integer", "string"]}),
    ({"type": "number", "multipleOf": 1}, {"type": "integer"}),
    ({"const": 1.0}, {"type": "integer"}),
    ({"enum": ["a", None]}, {"type": ["string", "null"]}),
    ({"type": "boolean"}, {"enum": [True, False, 1]}),
    (True, {"anyOf": [{"type": "number"}, {"not": {"type": "number"}}]}),
    # numbers
    ({"minimum": 1, "maximum": 2}, {"exclusiveMinimum": 0.5, "maximum": 2}),
    ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2}, {"const": 1}),
    ({"type": "number", "multipleOf": 6}, {"multipleOf": 3}),
    ({"type": "number", "multipleOf": 0.3}, {"multipleOf": 0.1}),
    ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}]}, {"multipleOf": 12}),
    ({"type": "integer", "minimum": 1.5, "maximum": 1.9}, False),
    ({"type": "number", "minimum": 0, "maximum": 10}, {"anyOf": [{"maximum": 5}, {"minimum": 5}]}),
    # strings
    ({"type": "string", "minLength": 2, "maxLength": 3}, {"minLength": 1, "maxLength": 3}),
    ({"type": "string", "pattern": "^a{2,3}$"}, {"pattern": "^a+$", "minLength": 2, "maxLength": 3}),
    ({"type": "string", "pattern": "^(cat|dog)$"}, {"enum": ["dog", "cat", "cow"]}),
    ({"type": "string", "maxLength": 0}, {"const": ""}),
    ({"type": "string", "pattern": "(?=x)y"}, {"type": "string", "pattern": "(?=x)y", "title": "same, not understood"}),
    ({"type": "string", "pattern": "(?=x)y", "minLength": 2}, {"pattern": "(?=x)y"}),
    ({"type": "string", "pattern": "^a*$"}, {"pattern": "^(aa|a)*$"}),
    # arrays
    ({"type": "array", "items": {"type": "integer"}}, {"items": {"type": "number"}}),
    ({"type": "array", "prefixItems": [{"const": 1}], "minItems": 1}, {"contains": {"type": "number"}}),
    ({"type": "array", "items": {"type": "boolean"}, "uniqueItems": True}, {"maxItems": 2}),
    ({"type": "array", "items": {"enum": [1, 2]}, "minItems": 3}, {"not": {"uniqueItems": True}}),
    ({"type": "array", "items": False}, {"const": []}),
    ({"type": "array", "contains": {"const": 1}, "minContains": 3}, {"minItems": 3}),
    ({"type": "array", "items": {"const": 1}, "minItems": 3}, {"not": {"contains": {"const": 1}, "maxContains": 2}}),
    # objects
    ({"type": "object", "required": ["a", "b"]}, {"minProperties": 2, "required": ["a"]}),
    ({"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"type": "number"}}}),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"maxProperties": 1}),
    ({"additionalProperties": {"type": "integer"}}, {"properties": {"a": {"type": "number"}}}),
    ({"patternProperties": {"^a": {"const": 1}}}, {"properties": {"abc": {"type": "integer"}}}),
    ({"propertyNames": {"enum": ["a", "b"]}}, {"maxProperties": 2}),
    ({"propertyNames": {"pattern": "^a"}, "patternProperties": {"^a": False}}, {"maxProperties": 0}),
    ({"required": ["a"], "dependentRequired": {"a": ["b"]}, "type": "object"}, {"required": ["b"]}),
    ({"required": ["a"], "dependentSchemas": {"a": {"required": ["b"]}}, "type": "object"}, {"required": ["b"]}),
    ({"properties": {"a": False}, "required": ["a"], "type": "object"}, False),
    # combinations
    ({"oneOf": [{"const": 1}, {"const": 2}]}, {"enum": [2, 1]}),
    ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, {"not": {"type": "integer"}}),
    ({"not": {"anyOf": [{"type": "string"}, {"minimum": 1}]}}, {"allOf": [{"not": {"type": "string"}}]}),
    ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": False}, {"type": "string", "minLength": 1}),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}, {"type": "number"}),
    (False, {"type": "string"}),
    # annotations
    ({"type": "string"}, {"type": "string", "format": "email", "title": "Mail", "x-semantic": {"kind": "mail"}}),
]

EXCLUDED = [
    ({"type": "number"}, {"type": "integer"}),
    ({"type": ["string", "null"]}, {"type": "string"}),
    (True, {"type": "string"}),
    ({"const": 0}, {"const": False}),
    ({"maximum": 2}, {"exclusiveMaximum": 2}),
    ({"type": "number", "multipleOf": 3}, {"multipleOf": 6}),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}, False),
    ({"type": "string"}, {"pattern": "^[a-z]*$"}),
    ({"type": "string", "pattern": "^[a-z]+$"}, {"enum": ["a", "b"]}),
    ({"type": "array"}, {"uniqueItems": True}),
    ({"type": "array", "items": {"type": "number"}}, {"items": {"type": "integer"}}),
    ({"type": "array", "uniqueItems": True, "items": {"enum": [1, 2, 3]}, "minItems": 3}, {"maxItems": 2}),
    ({"type": "array", "contains": {"type": "string"}}, {"contains": {"type": "string"}, "maxContains": 2}),
    (
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}],
            "items": {"enum": [0, 1]},
            "minItems": 3,
            "uniqueItems": True,
        },
        False,
    ),
    ({"type": "array", "contains": {"type": "null"}, "maxContains": 1, "minContains": 0}, {"uniqueItems": True}),
    ({"properties": {"a": {}}}, {"properties": {"a": {}}, "additionalProperties": False}),
    ({"type": "object"}, {"patternProperties": {"^x": {"type": "string"}}}),
    ({"type": "object"}, {"propertyNames": {"maxLength": 3}}),
    ({"type": "object", "patternProperties": {"^x": {"type": "string"}}}, {"additionalProperties": {"type": "string"}}),
    ({"type": "object"}, {"dependentRequired": {"a": ["b"]}}),
    ({"anyOf": [{"const": 1}, {"const": 2}]}, {"oneOf": [{"const": 1}, {"enum": [1, 2]}]}),
    ({"type": "object", "not": {"const": {}}}, {"required": ["a"]}),
]


@pytest.mark.parametrize("index", range(len(INCLUDED)))
def test_what_is_included_is_proved(decide: Decide, index: int) -> None:
    assert decide(*INCLUDED[index]) == Included()


@pytest.mark.parametrize("index", range(len(EXCLUDED)))
def test_what_is_not_included_is_refuted_by_a_document(decide: Decide, index: int) -> None:
    assert isinstance(decide(*EXCLUDED[index]), Excluded)


# References start at the root, so that a schema with one cannot be wrapped.
@pytest.mark.parametrize("index", [at for at, (inner, _) in enumerate(INCLUDED) if "$ref" not in str(inner)])
def test_an_inclusion_survives_a_detour_through_double_negation_and_wrapping(decide: Decide, index: int) -> None:
    inner, outer = copy.deepcopy(INCLUDED[index])
    assert decide({"not": {"not": inner}}, {"anyOf": [{"allOf": [outer]}, False]}) == Included()
    wrapped = {"type": "object", "properties": {"it": {"type": "array", "items": inner}}, "required": ["it"]}
    assert decide(wrapped, {"properties": {"it": {"items": outer}}}) == Included()


def test_the_reason_names_the_place_the_value_and_the_keyword() -> None:
    inner = {"properties": {"scores": {"type": "array", "items": {"type": "number"}, "minItems": 1}}}
    outer = {"properties": {"scores": {"items": {"maximum": 1}}}}
    answer = included({**inner, "required": ["scores"], "type": "object"}, outer)
    assert isinstance(answer, Excluded)
    assert answer.reason == "at /scores/0: 2 breaks maximum 1"


def test_inhabited_tells_an_empty_schema_from_one_with_documents() -> None:
    assert inhabited({"type": "string", "minLength": 2, "maxLength": 1}) == Included()
    assert inhabited({"type": "string", "minLength": 2}) == Excluded("aa", "at the top: nothing is allowed")


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"$dynamicRef": "#a"}, "dynamic"),
        ({"$ref": "https://elsewhere.test/schema"}, "reference"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "leads back"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}, "dialect"),
    ],
)
def test_what_is_not_understood_is_undecided_and_named(schema: Any, word: str) -> None:
    answer = included({"type": "object"}, schema)
    assert isinstance(answer, Undecided)
    assert word in answer.reason


def test_what_is_not_understood_does_not_hide_what_is(decide: Decide) -> None:
    strange = {"type": "object", "properties": {"a": {"type": "integer"}}, "unevaluatedProperties": False}
    assert decide(strange, {"type": "object", "properties": {"a": {"type": "number"}}}) == Included()
    assert decide({"const": {"a": 0.5}}, strange) == Excluded({"a": 0.5}, 'at /a: 0.5 breaks type "integer"')


def test_a_guess_that_nobody_can_judge_does_not_end_the_search(decide: Decide) -> None:
    strings = {"type": "string", "anyOf": [{"pattern": "(?=a)b"}, {"pattern": "^b+$"}]}
    assert isinstance(decide(strings, {"maxLength": 1}), Excluded)
    one, other = {"patternProperties": {"(?=a)": False}, "required": ["ab"]}, {"required": ["c"]}
    assert isinstance(decide({"type": "object", "anyOf": [one, other]}, False), Excluded)


def test_two_conditions_on_names_may_be_met_by_one_name(decide: Decide) -> None:
    long, other = {"not": {"propertyNames": {"maxLength": 2}}}, {"not": {"propertyNames": {"pattern": "^a"}}}
    assert isinstance(decide({"type": "object", "maxProperties": 1, "allOf": [long, other]}, False), Excluded)


def test_a_schema_is_included_in_itself_whatever_it_says() -> None:
    schema = {"$dynamicRef": "#x", "unevaluatedItems": False, "pattern": "(?<=a)b"}
    assert included(schema, copy.deepcopy(schema)) == Included()
    assert included({"const": 0}, {"const": False}) != Included()


def test_a_search_over_its_budget_is_undecided() -> None:
    inner = {"type": "string", "pattern": "^.*a.{20}$"}
    assert included(inner, {"pattern": "^[a-z]*$"}, budget=500) == Undecided("the search was given up after 500 steps")


def test_depth_is_bounded(decide: Decide) -> None:
    inner: Any = {"type": "integer"}
    outer: Any = {"type": "number"}
    for _ in range(20):
        inner, outer = ({"type": "array", "items": one, "minItems": 1} for one in (inner, outer))
    assert decide(inner, outer) == Included()
    for _ in range(2000):
        inner = {"items": inner}
    assert isinstance(included(inner, outer), Undecided)


def test_two_contracts_that_share_python_objects_keep_their_own_references() -> None:
    shared = {"properties": {"p": {"$ref": "#/$defs/x"}}, "required": ["p"], "type": "object"}
    text = {"allOf": [shared], "$defs": {"x": {"type": "string"}}}
    number = {"allOf": [shared], "$defs": {"x": {"type": "integer"}}}
    assert isinstance(included(text, number), Excluded)


def test_a_discriminated_union_of_twenty_is_decided_within_a_modest_budget() -> None:
    def union(keyword: str, bound: dict[str, int]) -> dict[str, Any]:
        def one(number: int) -> dict[str, Any]:
            properties = {"kind": {"const": f"k{number}"}, "v": {"type": "number", **(bound if number == 7 else {})}}
            return {"type": "object", "properties": properties, "required": ["kind", "v"]}

        return {keyword: [one(number) for number in range(20)]}

    for keyword in ("anyOf", "oneOf"):
        narrow, wide = union(keyword, {"minimum": 0}), union(keyword, {})
        assert included(narrow, wide, budget=20_000) == Included()
        answer = included(wide, narrow, budget=20_000)
        assert isinstance(answer, Excluded)
        assert answer.witness["kind"] == "k7"


def test_a_contract_of_twenty_properties_takes_few_steps() -> None:
    def contract(bound: int, closed: bool) -> dict[str, Any]:
        kinds = [{"type": "number", "maximum": bound}, {"enum": ["a", "b"]}, {"items": {"type": "string"}}]
        properties = {f"field{number}": kinds[number % 3] for number in range(20)}
        rest = {"additionalProperties": False} if closed else {}
        return {"type": "object", "properties": properties, "required": list(properties)[::2], **rest}

    assert included(contract(1, closed=True), contract(2, closed=False), budget=1_000) == Included()
    assert isinstance(included(contract(1, closed=False), contract(1, closed=True), budget=1_000), Excluded)


DATE = {"type": "string", "format": "date"}


@pytest.mark.parametrize(
    ("inner", "outer", "answer"),
    [
        (DATE, DATE, Included),
        ({**DATE, "maxLength": 10}, DATE, Included),
        ({"anyOf": [DATE, {"type": "null"}]}, {"anyOf": [{"type": ["null", "number"]}, {"format": "date"}]}, Included),
        ({"type": "number", "format": "date"}, {"type": "number"}, Included),
        ({"type": "object", "properties": {"d": DATE}}, {"properties": {"d": {**DATE, "title": "day"}}}, Included),
        ({"type": "string"}, DATE, Undecided),
        ({**DATE, "format": "time"}, DATE, Undecided),
        ({"const": "2026-01-31"}, DATE, Undecided),
        ({"type": "string"}, {"not": {"format": "date"}}, Undecided),
        ({"type": "number"}, DATE, Excluded),
        (DATE, {"format": "date", "maxLength": 5}, Undecided),
    ],
)
def test_a_format_that_is_checked_is_only_known_to_be_what_it_is(inner: Any, outer: Any, answer: Any) -> None:
    assert isinstance(included(inner, outer, formats=True), answer)


def test_a_format_that_is_not_checked_says_nothing() -> None:
    assert isinstance(included({"type": "string"}, DATE), Included)
