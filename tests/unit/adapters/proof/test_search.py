"""Schemas that refer to themselves: the smallest witness never needs to look into its own mirror."""

import copy
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


def test_an_answer_that_leaned_on_an_open_question_is_forgotten_with_it(decide: Decide) -> None:
    # `loop` has nothing as long as `start` is being searched; `start` has documents by its second way.
    definitions = {
        "start": {"anyOf": [{"$ref": "#/$defs/pair"}, {"const": 0}]},
        "pair": {"type": "array", "prefixItems": [{"$ref": "#/$defs/loop"}], "minItems": 1, "maxItems": 1},
        "loop": {"type": "object", "properties": {"a": {"$ref": "#/$defs/start"}}, "required": ["a"]},
    }
    both = {
        "type": "object",
        "properties": {"first": {"$ref": "#/$defs/start"}, "second": {"$ref": "#/$defs/loop"}},
        "required": ["first", "second"],
        "$defs": definitions,
    }
    answer = decide(both, False)
    assert isinstance(answer, Excluded)
    assert answer.witness == {"first": 0, "second": {"a": 0}}


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
    any_of = copy.deepcopy(schema)
    any_of["$defs"]["node"] = {"anyOf": node["oneOf"]}
    assert decide({"const": []}, schema) == Excluded([], "at the top: [] breaks oneOf")
    assert decide({"const": [[]]}, schema) == Included()  # the item breaks it, so that only the second way is left
    assert isinstance(decide(any_of, schema), Excluded)
