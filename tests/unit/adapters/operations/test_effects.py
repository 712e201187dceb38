"""What comes out of an operation, told from a contract alone."""

from typing import Any

import pytest

from stepdown_adapters.operations import parse
from stepdown_adapters.operations.effects import after
from stepdown_adapters.proof.inclusion import Excluded, Included, included

PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def closed(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def made(schema: Any, *operations: Any) -> Any:
    return after(parse(operations), schema)


NUMBER = {"type": "number"}
TEXT = {"type": "string"}
LIST = {"type": "array", "items": NUMBER}


@pytest.mark.parametrize(
    ("operation", "newer", "result"),
    [
        ({"sigmoid": "/x"}, closed(x=NUMBER), closed(x=PROBABILITY)),
        ({"logit": "/x"}, closed(x=PROBABILITY), closed(x=NUMBER)),
        ({"round": "/x"}, closed(x={"type": "number", "maximum": 2.5}), closed(x={"type": "integer", "maximum": 2})),
        ({"clamp": {"path": "/x", "min": 0}}, closed(x=NUMBER), closed(x={"type": "number", "minimum": 0})),
        (
            {"linear": {"path": "/x", "scale": -100}},
            closed(x=PROBABILITY),
            closed(x={"type": "number", "minimum": -100, "maximum": 0}),
        ),
        ({"cast": {"path": "/x", "to": "integer"}}, closed(x={"enum": ["1", "2"]}), closed(x={"enum": [1, 2]})),
        ({"cast": {"path": "/x", "to": "string"}}, closed(x={"const": 1}), closed(x={"enum": ["1", "1.0"]})),
        ({"threshold": {"path": "/x", "at": 2}}, closed(x=PROBABILITY), closed(x={"const": False})),
        ({"map_values": {"path": "/x", "table": {"a": 1, "b": 2}}}, closed(x=TEXT), closed(x={"enum": [1, 2]})),
        (
            {"map_values": {"path": "/x", "table": {"a": 1}, "default": 0}},
            closed(x={"enum": ["a", "c"]}),
            closed(x={"enum": [1, 0]}),
        ),
        ({"slice": {"path": "/x", "end": 3}}, closed(x=LIST), closed(x={**LIST, "maxItems": 3})),
        (
            {"top_k": {"path": "/x", "k": 3}},
            closed(x={**LIST, "minItems": 2}),
            closed(x={**LIST, "minItems": 2, "maxItems": 3}),
        ),
        ({"softmax": "/x"}, closed(x=LIST), closed(x={"type": "array", "items": PROBABILITY, "minItems": 1})),
        (
            {"argmax": "/x"},
            closed(x={**LIST, "maxItems": 3}),
            closed(x={"type": "integer", "minimum": 0, "maximum": 2}),
        ),
        ({"argmax": {"path": "/x", "labels": ["no", "yes"]}}, closed(x=LIST), closed(x={"enum": ["no", "yes"]})),
        ({"head": "/x"}, closed(x=LIST), closed(x=NUMBER)),
        ({"wrap": "/x"}, closed(x=NUMBER), closed(x={**LIST, "minItems": 1, "maxItems": 1})),
        ({"flatten": "/x"}, closed(x={"type": "array", "items": LIST}), closed(x=LIST)),
        ({"project": {"keep": ["x"]}}, {"type": "object", "properties": {"x": NUMBER}}, closed(("x",), x=NUMBER)),
        ({"remove": "/x"}, closed(("x",), x=NUMBER, y=TEXT), closed(y=TEXT)),
        ({"replace": {"path": "/x", "value": 1}}, closed(x=TEXT), closed(x={"const": 1})),
        ({"add": {"path": "/y/z", "value": 1}}, closed(x=TEXT), closed(x=TEXT, y=closed(z={"const": 1}))),
        ({"test": {"path": "/x", "value": 1}}, closed(("x",), x=NUMBER), closed(x={"const": 1})),
        ({"move": {"from": "/x", "to": "/y/z"}}, closed(x=NUMBER), closed(y=closed(z=NUMBER))),
        (
            {"move": {"from": "/x", "to": "/y", "default": 0}},
            closed(("x",), x=TEXT),
            closed(y={"type": ["string", "integer"]}),
        ),
        ({"copy": {"from": "/x", "to": "/y"}}, closed(x=NUMBER), closed(x=NUMBER, y=NUMBER)),
        (
            {"zip": {"from": {"a": "/x", "b": "/y"}, "to": "/z"}},
            closed(x=LIST, y={"type": "array", "items": TEXT}),
            closed(z={"type": "array", "items": closed(a=NUMBER, b=TEXT)}),
        ),
        (
            {"unzip": {"from": "/z", "to": {"a": "/x", "b": "/y"}}},
            closed(z={"type": "array", "items": closed(a=NUMBER, b=TEXT)}),
            closed(x=LIST, y={"type": "array", "items": TEXT}),
        ),
        (
            {"tensor_to_rows": {}},
            closed(
                outputs={
                    "type": "array",
                    "maxItems": 1,
                    "items": closed(
                        name=TEXT,
                        shape={"prefixItems": [{"type": "integer"}, {"const": 3}], "minItems": 2, "maxItems": 2},
                        datatype=TEXT,
                        data=LIST,
                    ),
                }
            ),
            closed(predictions={"type": "array", "items": {**LIST, "minItems": 3, "maxItems": 3}}),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) and len(value) == 1 else "",
)  # fmt: skip
def test_an_operation_gives_what_it_can_give_and_no_more(operation: Any, newer: Any, result: Any) -> None:
    assert included(made(newer, operation), result) == Included()


@pytest.mark.parametrize(
    ("operation", "newer"),
    [
        ({"sigmoid": "/x"}, closed(x=TEXT)),
        ({"sigmoid": "/x/*"}, closed(x=NUMBER)),
        ({"remove": {"path": "/y", "on_missing": "fail"}}, closed(x=TEXT)),
        ({"test": {"path": "/x", "value": 1}}, closed(x=TEXT)),
        ({"head": "/x"}, closed(x={**LIST, "minItems": 2})),
        ({"softmax": "/x"}, closed(x={"type": "array", "items": TEXT})),
        ({"cast": {"path": "/x", "to": "number"}}, closed(x={"type": "null"})),
        ({"move": {"from": "/x", "to": "/y/z"}}, closed(x=TEXT, y=NUMBER)),
        ({"in": "/x/[a=1]", "do": []}, closed(x={"type": "array", "items": closed(a={"const": 2})})),
    ],
)
def test_an_operation_that_refuses_everything_gives_nothing(operation: Any, newer: Any) -> None:
    assert made(newer, operation) is False


def test_a_number_and_a_boolean_that_python_takes_for_equal_are_told_apart() -> None:
    table = {"map_values": {"path": "/x", "table": {"a": 1, "b": True, "c": 1.5}}}
    assert included({"properties": {"x": {"enum": [1, True, 1.5]}}}, {"properties": {"x": NUMBER}}) != Included()
    assert included(made(closed(x=TEXT), table), closed(x={"enum": [1, True, 1.5]})) == Included()
    assert isinstance(included(made(closed(x=TEXT), table), closed(x=NUMBER)), Excluded)
    assert isinstance(included(made(closed(x=TEXT), table), closed(x={"enum": [True, 1.5]})), Excluded)


def test_an_item_that_is_added_at_the_end_may_stand_in_any_place_after_the_least_length() -> None:
    newer = {"type": "array", "prefixItems": [TEXT, TEXT], "items": TEXT, "minItems": 1}
    found = made(newer, {"add": {"path": "/-", "value": 7}})
    assert (
        included({"prefixItems": [TEXT, {"const": 7}], "type": "array", "minItems": 2, "maxItems": 2}, found)
        == Included()
    )
    assert included(found, {"type": "array", "prefixItems": [TEXT], "minItems": 2}) == Included()


def test_what_is_said_of_all_items_together_goes_when_one_changes() -> None:
    newer = {"type": "array", "items": NUMBER, "uniqueItems": True, "contains": {"const": 2}}
    found = made(newer, {"clamp": {"path": "/*", "max": 1}})
    assert included({"const": [1, 1]}, found) == Included()


def test_what_no_path_leads_to_stays_as_it_is_written() -> None:
    odd = {"not": {"type": "string"}, "if": {"const": 1}, "then": False}
    assert made(closed(x=odd, y=TEXT), {"remove": "/y"})["properties"]["x"] is odd


def test_a_member_that_may_be_missing_is_there_after_an_operation_that_fails_without_it() -> None:
    newer = closed(("x",), x=NUMBER)
    assert included(made(newer, {"sigmoid": "/x"}), closed(x=NUMBER)) == Included()
    skipped = made(newer, {"sigmoid": {"path": "/x", "on_missing": "skip"}})
    assert included(skipped, closed(("x",), x=PROBABILITY)) == Included()
    assert isinstance(included(skipped, closed(x=NUMBER)), Excluded)


def test_items_that_may_not_fit_keep_their_old_schema_beside_the_new_one() -> None:
    items = closed(name=TEXT, data=LIST)
    found = made({"type": "array", "items": items}, {"sigmoid": "/[name=score]/data/*"})
    shares = {"type": "array", "items": PROBABILITY}
    union = {"anyOf": [closed(name={"const": "score"}, data=shares), items]}
    assert included(found, {"type": "array", "items": union, "minItems": 1}) == Included()
    assert isinstance(included(found, {"type": "array", "items": closed(name=TEXT, data=shares)}), Excluded)


def test_items_that_surely_fit_have_only_the_new_schema() -> None:
    kinds = [closed(name={"const": name}, data=LIST) for name in ("score", "reason")]
    newer = {"type": "array", "items": {"anyOf": kinds}}
    found = made(newer, {"sigmoid": "/[name=score]/data/*"}, {"remove": "/[name=reason]"})
    score = closed(name={"const": "score"}, data={"type": "array", "items": PROBABILITY})
    assert included(found, {"type": "array", "items": score}) == Included()


SCORE_ITEM, REASON_ITEM = (closed(name={"const": name}, data=LIST) for name in ("score", "reason"))


def counted(low: int, high: int) -> dict[str, Any]:
    return {"type": "array", "minItems": low, "maxItems": high}


@pytest.mark.parametrize(
    ("first", "low", "high", "left"),
    [
        ([SCORE_ITEM, REASON_ITEM], 1, 2, (1, 1)),  # the first stays, the second goes
        ([REASON_ITEM, SCORE_ITEM], 1, 2, (0, 1)),
        ([REASON_ITEM, SCORE_ITEM], 2, 2, (1, 1)),
        ([{"anyOf": [SCORE_ITEM, REASON_ITEM]}, SCORE_ITEM], 2, 2, (1, 2)),
        # Of the second's alternatives only the reason is left: a name is not both.
        ([SCORE_ITEM, {"allOf": [{"anyOf": [SCORE_ITEM, REASON_ITEM]}, REASON_ITEM]}], 1, 2, (1, 1)),
    ],
)
def test_how_many_items_are_left_is_known_where_it_is_known_which_go(
    first: list[Any], low: int, high: int, left: tuple[int, int]
) -> None:
    newer = {**counted(low, high), "prefixItems": first}
    found = made(newer, {"remove": {"path": "/[name=reason]", "on_missing": "skip"}})
    assert included(found, counted(*left)) == Included()
    assert isinstance(included(found, counted(left[0] + 1, 9)), Excluded)
    assert isinstance(included(found, counted(0, left[1] - 1)), Excluded)


def test_the_only_item_there_can_be_fits_where_a_miss_is_refused() -> None:
    newer = {**counted(0, 1), "items": {"anyOf": [SCORE_ITEM, REASON_ITEM]}}
    score = closed(name={"const": "score"}, data={"type": "array", "items": PROBABILITY})
    assert included(made(newer, {"sigmoid": "/[name=score]/data/*"}), {**counted(1, 1), "items": score}) == Included()
    skipped = made(newer, {"sigmoid": {"path": "/[name=score]/data/*", "on_missing": "skip"}})
    assert isinstance(included(skipped, {**counted(0, 1), "items": score}), Excluded)


def test_an_array_is_long_enough_for_the_first_item_that_may_fit() -> None:
    newer = {**counted(1, 2), "prefixItems": [REASON_ITEM, SCORE_ITEM]}
    assert included(made(newer, {"sigmoid": "/[name=score]/data/*"}), counted(2, 2)) == Included()


def test_an_open_contract_leaks_members_of_any_type_until_they_are_projected_away() -> None:
    newer = {"type": "object", "properties": {"logit": NUMBER}, "required": ["logit"]}
    older = {"type": "object", "properties": {"score": PROBABILITY, "id": TEXT}, "required": ["score"]}
    steps: list[Any] = [{"move": {"from": "/logit", "to": "/score"}}, {"sigmoid": "/score"}]
    assert isinstance(included(made(newer, *steps), older), Excluded)
    assert included(made(newer, *steps, {"project": {"keep": ["score"]}}), older) == Included()


def test_alternatives_do_not_mix_when_a_value_is_taken_elsewhere() -> None:
    newer = {"anyOf": [closed(kind={"const": "a"}, x=NUMBER), closed(kind={"const": "b"}, x=TEXT)]}
    older = {"anyOf": [closed(kind={"const": "a"}, y=NUMBER), closed(kind={"const": "b"}, y=TEXT)]}
    assert included(made(newer, {"move": {"from": "/x", "to": "/y"}}), older) == Included()


def test_a_recursive_contract_is_unfolded_as_deep_as_a_path_goes() -> None:
    newer = {"type": "object", "properties": {"x": NUMBER, "left": {"$ref": "#"}}}
    found = made(newer, {"sigmoid": {"path": "/left/x", "on_missing": "skip"}})
    older = {"type": "object", "properties": {"left": {"properties": {"x": PROBABILITY, "left": newer}}}}
    expected = {
        "type": "object",
        "properties": {"x": NUMBER, "left": {"type": "object", "properties": {"x": PROBABILITY}}},
    }
    assert included(found, expected) == Included()
    del older


def test_references_to_definitions_are_kept_and_others_are_led_to_a_copy() -> None:
    newer = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/n"}, "y": {"$ref": "#/properties/x"}, "z": TEXT},
        "$defs": {"n": NUMBER, "unused": TEXT},
    }
    found = made(newer, {"remove": "/z"})
    assert found["properties"]["x"] == {"$ref": "#/$defs/n"}
    assert set(found["$defs"]) == {"n", "contract"}
    assert isinstance(included(found, {"properties": {"y": TEXT}}), Excluded)
    assert included(found, {"properties": {"y": NUMBER}}) == Included()


def test_what_an_array_says_of_its_numbers_is_passed_down_to_them() -> None:
    logits = {"type": "array", "items": NUMBER, "x-semantic": {"kind": "logit", "dtype": "FP32"}}
    found = made(closed(x=logits), {"sigmoid": "/x/*"})["properties"]["x"]
    assert found["items"]["x-semantic"] == {"kind": "probability"}
    assert found["x-semantic"] == {"dtype": "FP32"}
    assert made(closed(x=logits), {"head": "/x"})["properties"]["x"]["x-semantic"] == {"kind": "logit"}


@pytest.mark.parametrize(
    ("meaning", "operation", "after_it"),
    [
        ({"kind": "logit"}, {"sigmoid": "/x"}, {"kind": "probability"}),
        ({"kind": "logit", "unit": "nat"}, {"sigmoid": "/x"}, {"kind": "probability"}),
        ({"kind": "probability"}, {"logit": "/x"}, {"kind": "logit"}),
        ({"kind": "probability"}, {"round": {"path": "/x", "digits": 2}}, {"kind": "probability"}),
        ({"kind": "quantity", "unit": "s"}, {"linear": {"path": "/x", "scale": 1000}}, None),
        ({"kind": "distance"}, {"sigmoid": "/x"}, None),
    ],
)
def test_a_conversion_turns_what_a_number_means(meaning: Any, operation: Any, after_it: Any) -> None:
    found = made(closed(x={"type": "number", "x-semantic": meaning}), operation)
    assert found["properties"]["x"].get("x-semantic") == after_it


@pytest.mark.parametrize("pattern", ["[[a]", "[a[b]", "[][a-c] ]", "[]a]", "[^]a]", "[a--b]", "[a||b]"])
def test_a_class_that_engines_read_differently_says_nothing_of_a_member(pattern: str) -> None:
    newer = {"type": "object", "patternProperties": {pattern: NUMBER}, "additionalProperties": TEXT}
    moved = made(newer, {"move": {"from": "/a", "to": "/b"}})
    for document in ({"b": 1}, {"b": "text"}, {"b": True}):
        assert isinstance(included({"const": document}, moved), Included)


def test_a_plain_class_says_what_a_member_is() -> None:
    newer = {"type": "object", "patternProperties": {"^[a-c_-]$": NUMBER}, "additionalProperties": TEXT}
    moved = made(newer, {"move": {"from": "/a", "to": "/b"}})
    assert moved["properties"]["b"] == NUMBER


ANYTHING = {"type": "object", "required": ["a"], "not": {"properties": {"a": {"const": 1}}, "required": ["a"]}}
"""Of `a` it says nothing by itself, and rules one value out by a condition on the whole."""
A_NUMBER = {**ANYTHING, "properties": {"a": NUMBER}}


@pytest.mark.parametrize(
    ("operation", "newer", "now"),
    [
        ({"head": "/a"}, ANYTHING, {"a": 1}),
        ({"decode": {"path": "/a", "from": "json"}}, ANYTHING, {"a": 1}),
        ({"replace": {"path": "/a", "value": {"field": "/b"}}}, ANYTHING, {"a": 1, "b": 1}),
        ({"move": {"from": "/a/b", "to": "/a"}}, ANYTHING, {"a": 1}),
        ({"in": "/a", "do": [{"move": {"from": "/b", "to": ""}}]}, ANYTHING, {"a": 1}),
        (
            {"in": "/a", "where": {"at_least": 0}, "do": [{"linear": {"path": "", "scale": 2}}]},
            A_NUMBER,
            {"a": 1},
        ),
        ({"sum": {"from": ["/a", "/a"], "to": "/a", "on_missing": "skip"}}, A_NUMBER, {"a": 1}),
        ({"map_values": {"path": "/a", "table": {"0.5": 1}, "default": 1}}, ANYTHING, {"a": 1}),
    ],
)
def test_a_condition_on_the_whole_is_forgotten_where_a_member_changes_though_its_own_schema_reads_the_same(
    operation: Any, newer: Any, now: Any
) -> None:
    assert isinstance(included({"const": now}, made(newer, operation)), Included)


def test_a_condition_on_the_whole_stays_where_nothing_changes() -> None:
    nowhere = {"remove": {"path": "/b/c", "on_missing": "skip"}}
    for operation in (nowhere, {"in": "", "do": [nowhere]}, {"carry": {"from": "/a", "as": "c"}}):
        newer = {**A_NUMBER, "properties": {"a": NUMBER, "b": NUMBER}}
        assert made(newer, operation) == newer
