import math
from typing import Any

import pytest

from stepdown_adapters.contract.validator import Validator, Violation

OUTPUTS = {
    "type": "object",
    "required": ["outputs"],
    "additionalProperties": False,
    "properties": {
        "outputs": {
            "type": "array",
            "items": {
                "$ref": "#/$defs/output",
            },
        },
        "by_user": {
            "additionalProperties": {"properties": {"score": {"maximum": 1}}},
            "patternProperties": {"^u": {"type": "object"}},
        },
        "tuple": {"prefixItems": [{"const": 1}, {"properties": {"deep": {"type": "null"}}}]},
    },
    "$defs": {
        "output": {
            "anyOf": [{"properties": {"name": {"enum": ["a"]}}}],
            "allOf": [{"properties": {"data": {"items": {"type": "number"}}}}],
            "properties": {"a/b": {"$ref": "#/$defs/output"}},
        }
    },
}


def found(schema: Any, document: Any, limit: int = 20) -> list[tuple[str, str]]:
    return [(one.path, one.keyword) for one in Validator(schema).violations(document, limit)]


@pytest.mark.parametrize(
    ("document", "violations"),
    [
        ({"outputs": []}, []),
        ({}, [("", "required")]),
        ({"outputs": [], "secret name": 1}, [("", "additionalProperties")]),
        ({"outputs": [{"data": [1, "x"]}, {"data": [None]}]}, [("/outputs/*/data/*", "type")] * 2),
        ({"outputs": [{"name": "b"}]}, [("/outputs/*", "anyOf")]),
        ({"outputs": [{"a/b": {"data": ["x"]}}]}, [("/outputs/*/a~1b/data/*", "type")]),
        ({"outputs": [], "by_user": {"someone-1234": {"score": 2}}}, [("/by_user/*/score", "maximum")]),
        ({"outputs": [], "by_user": {"outputs": {"score": 2}}}, [("/by_user/*/score", "maximum")]),
        ({"outputs": [], "by_user": {"u1": []}}, [("/by_user/*", "type")]),
        ({"outputs": [], "tuple": [2, {"deep": 1}]}, [("/tuple/*", "const"), ("/tuple/*/deep", "type")]),
    ],
)
def test_a_path_has_only_names_that_the_contract_declares(document: Any, violations: list[tuple[str, str]]) -> None:
    assert found(OUTPUTS, document) == violations


STRAY = "has members that the contract does not declare"
CASES: dict[str, tuple[Any, Any, str]] = {
    "type": ({"type": ["string", "null"]}, [731], "is an array, not of type null or string"),
    "required": ({"required": ["n"]}, {"731": 1}, "lacks the member 'n'"),
    "dependentRequired": (
        {"dependentRequired": {"a": ["b"]}},
        {"a": 731},
        "lacks the member 'b', which another one asks for",
    ),
    "enum": ({"enum": [1]}, 731, "is none of the values that are listed"),
    "const": ({"const": 1}, 731, "is not the one value that is allowed"),
    "minimum": ({"minimum": 1000}, 731, "is below 1000"),
    "maximum": ({"maximum": 10}, 731, "is above 10"),
    "exclusiveMinimum": ({"exclusiveMinimum": 1000}, 731, "is not above 1000"),
    "exclusiveMaximum": ({"exclusiveMaximum": 1}, 731, "is not below 1"),
    "multipleOf": ({"multipleOf": 2}, 731, "is no multiple of 2"),
    "minLength": ({"minLength": 5}, "731", "is shorter than 5 characters"),
    "maxLength": ({"maxLength": 1}, "731", "is longer than 1 characters"),
    "pattern": ({"pattern": "^a"}, "731", "does not match '^a'"),
    "minItems": ({"minItems": 2}, [731], "has fewer than 2 items"),
    "maxItems": ({"maxItems": 0}, [731], "has more than 0 items"),
    "uniqueItems": ({"uniqueItems": True}, [731, 731], "has equal items"),
    "contains": ({"contains": {"const": 1}}, [731], "has too few or too many of the items that it has to have"),
    "minProperties": ({"minProperties": 2}, {"731": 1}, "has fewer than 2 members"),
    "maxProperties": ({"maxProperties": 0}, {"731": 1}, "has more than 0 members"),
    "propertyNames": ({"propertyNames": {"maxLength": 1}}, {"731": 1}, "has a member whose name is not allowed"),
    "additionalProperties": (
        {"additionalProperties": False},
        {"731": 1},
        "has members that the contract does not declare",
    ),
    "unevaluatedProperties": (
        {"unevaluatedProperties": False},
        {"731": 1},
        "has members that the contract does not declare",
    ),
    "unevaluatedItems": ({"unevaluatedItems": False}, [731], "has more items than the contract declares"),
    "falseSchema": (False, 731, "is not allowed here"),
    "not": ({"not": {"type": "number"}}, 731, "is what is ruled out"),
    "anyOf": ({"anyOf": [{"const": 1}, {"const": 2}]}, 731, "fits none of the alternatives"),
    "oneOf": ({"oneOf": [{}, {}]}, 731, "fits none, or more than one, of the alternatives"),
}


@pytest.mark.parametrize("keyword", list(CASES))
def test_a_breach_is_said_in_the_contract_s_words_and_never_in_the_document_s(keyword: str) -> None:
    schema, document, message = CASES[keyword]
    assert Validator(schema).violations(document) == [Violation("", keyword, message)]
    assert "731" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is no JSON: "),
        (b'{"a": 1', "is no JSON: "),
        (b'{"a": NaN}', "is no JSON: "),
        (b"\xff\xfe", "the body is not UTF-8 at byte 0"),
        (b'"\xe9"', "the body is not UTF-8 at byte 1"),
        (b"[1] secret", "is no JSON: "),
        (b"[" * 300 + b"]" * 300, "the body is nested deeper than 200 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "the body is nested deeper than 200 levels"),
        (b'"\\ud800"', "is no JSON: "),
    ],
)
def test_bytes_that_are_no_document_are_one_violation(text: bytes, message: str) -> None:
    (violation,) = Validator(True).violations(text)
    assert (violation.path, violation.keyword) == ("", "json")
    assert violation.message.startswith(message)
    assert "secret" not in violation.message


@pytest.mark.parametrize("document", [math.nan, [math.inf], {1: 2}, "\ud800", object()], ids=range(5))
def test_values_that_have_no_json_are_one_violation(document: Any) -> None:
    assert found(True, document) == [("", "json")]


def test_bytes_are_read_as_what_they_say() -> None:
    validator = Validator({"type": "integer"})
    assert validator.is_valid(b" 5 ")
    assert validator.is_valid(memoryview(b"1.0"))
    assert not validator.is_valid(b"5.5")
    assert validator.is_valid(10**30)


def test_no_more_violations_are_looked_for_than_asked() -> None:
    schema = {"items": {"type": "null"}}
    assert len(found(schema, [1] * 100, 3)) == 3
    assert len(found(schema, [1] * 100)) == 20


def test_formats_are_annotations_unless_asked_for() -> None:
    schema = {"format": "date"}
    assert Validator(schema).is_valid("secret")
    assert Validator(schema, formats=True).violations("secret") == [Violation("", "format", "is not written as a date")]
