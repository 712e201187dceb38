"""Schemas that refer to themselves: the smallest witness never needs to look into its own mirror."""

from collections.abc import Callable
from typing import Any

from stepdown_adapters.proof.inclusion import Excluded, Included, Inclusion

Decide = Callable[[Any, Any], Inclusion]


def tree(value: dict[str, Any], kids: dict[str, Any] | None = None) -> dict[str, Any]:
    node = {
        "type": "object",
        "properties": {"value": value, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}, **(kids or {})}},
        "required": ["value"],
    }
    return {"$defs": {"node": node}, "$ref": "#/$defs/node"}


def test_a_tree_of_integers_is_a_tree_of_numbers(decide: Decide) -> None:
    assert decide(tree({"type": "integer"}), tree({"type": "number"})) == Included()
    assert isinstance(decide(tree({"type": "number"}), tree({"type": "integer"})), Excluded)


def test_a_difference_deep_inside_of_a_recursion_is_found(decide: Decide) -> None:
    answer = decide(tree({"type": "integer"}), tree({"type": "integer"}, {"maxItems": 1}))
    assert isinstance(answer, Excluded)
    assert len(answer.witness["kids"]) == 2


def test_a_recursion_without_an_end_has_no_documents(decide: Decide) -> None:
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert decide(endless, False) == Included()
    assert decide({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, False) == Included()


def test_two_recursions_that_only_lead_to_each_other_have_no_documents(decide: Decide) -> None:
    even = {"type": "array", "prefixItems": [{"$ref": "#/$defs/odd"}], "minItems": 1}
    odd = {"type": "object", "properties": {"even": {"$ref": "#/$defs/even"}}, "required": ["even"]}
    definitions = {"even": even, "odd": odd}
    assert decide({"$ref": "#/$defs/even", "$defs": definitions}, False) == Included()
    ending = {**definitions, "odd": {"anyOf": [odd, {"const": "end"}]}}
    assert decide({"$ref": "#/$defs/even", "$defs": ending}, False) == Excluded(
        ["end"], "at the top: nothing is allowed"
    )


def only(reference: str) -> dict[str, Any]:
    return {"type": "array", "prefixItems": [{"$ref": f"#/$defs/{reference}"}], "minItems": 1, "maxItems": 1}


def test_an_answer_that_leaned_on_an_open_question_is_forgotten_with_it(decide: Decide) -> None:
    # As long as `start` is being searched, `loop` has nothing. Then `start` turns out to have documents after all.
    definitions = {
        "start": {"anyOf": [only("loop"), {"type": "object", "maxProperties": 0}]},
        "loop": {"type": "object", "properties": {"a": {"$ref": "#/$defs/start"}}, "required": ["a"]},
    }
    answer = decide({**pair("start", "loop"), "$defs": definitions}, False)
    assert isinstance(answer, Excluded)
    assert answer.witness == {"first": {}, "second": {"a": {}}}


def test_an_answer_that_leaned_on_a_remembered_one_is_forgotten_too(decide: Decide) -> None:
    definitions = {
        "start": {"anyOf": [only("loop"), only("around"), {"type": "object", "maxProperties": 0}]},
        "loop": {"type": "object", "properties": {"a": {"$ref": "#/$defs/start"}}, "required": ["a"]},
        "around": {"type": "object", "properties": {"b": {"$ref": "#/$defs/loop"}}, "required": ["b"]},
    }
    answer = decide({**pair("start", "around"), "$defs": definitions}, False)
    assert isinstance(answer, Excluded)
    assert answer.witness == {"first": {}, "second": {"b": {"a": {}}}}


def pair(first: str, second: str) -> dict[str, Any]:
    members = {"first": {"$ref": f"#/$defs/{first}"}, "second": {"$ref": f"#/$defs/{second}"}}
    return {"type": "object", "properties": members, "required": ["first", "second"]}


def test_items_that_must_differ_may_need_the_recursion_that_one_item_does_not(decide: Decide) -> None:
    nested = {"type": "array", "items": {"$ref": "#"}}
    assert isinstance(decide({**nested, "minItems": 3, "uniqueItems": True}, False), Included)
    assert isinstance(
        decide(
            {
                "type": "array",
                "items": {"$ref": "#/$defs/n"},
                "minItems": 3,
                "uniqueItems": True,
                "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
            },
            False,
        ),
        Excluded,
    )


def test_a_recursion_through_names_of_members_ends(decide: Decide) -> None:
    assert decide({"propertyNames": {"$ref": "#"}, "minProperties": 1, "type": "object"}, False) == Included()
    assert isinstance(decide({"propertyNames": {"$ref": "#"}, "minProperties": 1}, False), Excluded)


def test_a_one_of_whose_members_share_something_only_by_recursion_keeps_its_exclusion(decide: Decide) -> None:
    node = {
        "oneOf": [
            {"type": "array", "items": {"$ref": "#/$defs/node"}},
            {"type": "array", "maxItems": 1},
            {"const": 0},
        ]
    }
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    any_of = {"$ref": "#/$defs/node", "$defs": {"node": {"anyOf": node["oneOf"]}}}
    assert decide({"const": []}, schema) == Excluded([], "at the top: [] breaks oneOf")
    assert decide({"const": [[]]}, schema) == Included()  # the item breaks it, so that only the second way is left
    assert isinstance(decide(any_of, schema), Excluded)


def test_that_two_schemas_share_nothing_is_not_believed_while_it_leans_on_an_open_question(decide: Decide) -> None:
    # While `node` is being searched its first two ways seem to share nothing, and yet they share `[{}]`.
    ways = [
        {"type": "array", "items": {"$ref": "#/$defs/node"}, "minItems": 1},
        {"type": "array", "maxItems": 1},
        {"type": "object", "maxProperties": 0},
    ]
    shared = {"type": "array", "items": {"type": "object", "maxProperties": 0}, "minItems": 1, "maxItems": 1}
    definitions = {"node": {"oneOf": ways}, "both": {"allOf": [{"$ref": "#/$defs/node"}, shared]}}
    assert decide({**pair("node", "both"), "$defs": definitions}, False) == Included()
