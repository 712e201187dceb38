"""What is drawn is mostly valid, and shows all that a contract allows."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.proof.drawing.coverage import Coverage
from stepdown_adapters.proof.drawing.dice import Dice
from stepdown_adapters.proof.drawing.documents import Documents

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "required": ["label", "children"],
            "properties": {
                "label": {"enum": ["a", "b"]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "parent": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]},
            },
        }
    },
}
SCHEMAS: dict[str, Any] = {
    "anything": True,
    "nothing said": {},
    "bounds": {"type": "integer", "minimum": 3, "maximum": 7},
    "open bounds": {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "type": "number"},
    "multiples": {"type": "number", "multipleOf": 0.25, "minimum": -1, "maximum": 1},
    "whole multiples": {"type": "integer", "multipleOf": 7, "minimum": 1},
    "lengths": {"type": "string", "minLength": 2, "maxLength": 4},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,3}(x|yz)?$"},
    "two patterns": {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
    "types": {"type": ["null", "boolean", "string"]},
    "enum among types": {"enum": [1, "a", None], "type": ["string", "null"]},
    "array": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
    "tuple": {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": False},
    "unique": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True},
    "contains": {"type": "array", "items": {"type": ["integer", "string"]}, "contains": {"const": 5}},
    "closed": {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False},
    "names": {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
    "required and undeclared": {"type": "object", "required": ["a"], "minProperties": 3},
    "few": {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "maxProperties": 1},
    "all of": {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer"}}}]},
    "one of": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "beside a branch": {"type": "object", "required": ["k"], "anyOf": [
        {"properties": {"k": {"const": 1}, "a": {"type": "string"}}, "required": ["a"]},
        {"properties": {"k": {"const": 2}, "b": {"type": "null"}}, "required": ["b"]}]},
    "condition": {"type": "object", "properties": {"k": {"enum": [1, 2]}}, "required": ["k"],
        "if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["a"]}, "else": {"required": ["b"]}},
    "tree": TREE,
}  # fmt: skip


def drawn(schema: Any, count: int = 300, **clues: Any) -> tuple[list[Any], Coverage]:
    """The valid ones of `count` documents, and the coverage."""
    validator = jsonschema_rs.validator_for(schema)
    documents = Documents(schema, Dice(7), **clues)
    found = []
    for _ in range(count):
        one = documents.draw()
        if one is not None and validator.is_valid(one[0]):
            found.append(one[0])
            documents.ledger.meet(one[1])
    return found, documents.ledger.coverage()


@pytest.mark.parametrize("name", SCHEMAS)
def test_most_of_what_is_drawn_is_valid(name: str) -> None:
    found, coverage = drawn(SCHEMAS[name])
    assert len(found) > 150
    assert coverage.share == 1, coverage.missed


def test_a_seed_draws_the_same_documents() -> None:
    assert drawn(TREE)[0] == drawn(TREE)[0]


def test_bounds_and_what_lies_beside_them_are_drawn() -> None:
    found, coverage = drawn({"type": "integer", "minimum": -5, "maximum": 10**6})
    assert {-5, -4, 10**6, 10**6 - 1, 0} <= set(found)
    assert coverage.met["boundary"] == coverage.goals["boundary"] == 2


def test_optional_members_are_seen_together_alone_and_not_at_all() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "additionalProperties": False}
    found, coverage = drawn(schema)
    assert {tuple(sorted(one)) for one in found} == {(), ("a",), ("b",), ("a", "b")}
    assert coverage.met["present"] == coverage.met["absent"] == 2


def test_an_open_object_gets_members_of_the_older_contract_with_any_values() -> None:
    found, coverage = drawn({"type": "object", "properties": {"a": {"const": 1}}}, names=["note", "a"])
    assert {type(one["note"]).__name__ for one in found if "note" in one} >= {"NoneType", "str", "int", "dict", "list"}
    assert (coverage.goals["collision"], coverage.met["collision"]) == (1, 1)


def test_a_collision_that_was_not_drawn_is_told_by_its_place() -> None:
    documents = Documents({"type": "object"}, Dice(1), ["a/b"])
    while documents.draw() is None:
        pass
    assert [place for kind, place in documents.ledger.coverage().missed if kind == "collision"] == ["/properties/a~1b"]


def test_a_closed_object_gets_none() -> None:
    _, coverage = drawn(SCHEMAS["closed"], names=["note"])
    assert "collision" not in coverage.goals


def test_words_and_numbers_that_matter_are_drawn() -> None:
    schema = {"type": "array", "items": {"type": ["string", "number"]}}
    found = [item for one in drawn(schema, words=["score"], numbers=[0.73])[0] for item in one]
    assert {"score", 0.73} <= {item for item in found if isinstance(item, str | float)}


def test_what_no_document_can_be_is_not_drawn() -> None:
    assert drawn(False)[0] == []
    assert drawn({"type": "array", "minItems": 2, "maxItems": 1})[0] == []
    assert (
        drawn({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "minItems": 1, "items": {"$ref": "#"}}}})[0] == []
    )


def test_coverage_tells_what_was_never_shown() -> None:
    _, coverage = drawn({"anyOf": [{"type": "null"}, False]})
    assert coverage.missed == (("branch", "/anyOf/1"),)
    assert str(coverage) == "75 % (2 of 2 places, 1 of 2 branches)"
