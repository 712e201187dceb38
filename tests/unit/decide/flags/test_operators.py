"""JSONLogic's operators, one expression and its value at a time."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags.nodes import UnknownOperatorError
from stepdown.decide.flags.operators import LONGEST_LIST, LONGEST_TEXT, TooLargeError
from tests.kit.flags import NOW, computed

CONTEXT = {
    "targetingKey": "jon",
    "name": "Köln",
    "age": 42,
    "empty": "",
    "no": False,
    "nothing": None,
    "tags": ["a", "beta"],
    "user": {"plan": "beta", "0": {"x": 1}, "deep": {"er": {"yet": 5}}},
}
FALSY: list[Any] = [None, False, 0, 0.0, "", []]
TRUTHY: list[Any] = [True, 1, -1, 0.5, "0", "false", [0], {}, {"a": 1, "b": 2}]


@pytest.mark.parametrize("at", range(len(FALSY)))
def test_null_false_zero_and_what_is_empty_are_false(at: int) -> None:
    value = FALSY[at]
    assert computed({"!!": [value]}) is False
    assert computed({"!": [value]}) is True
    assert computed({"if": [value, "yes", "no"]}) == "no"
    assert computed({"or": [value, "last"]}) == "last"
    assert computed({"and": [value, "last"]}) == value


@pytest.mark.parametrize("at", range(len(TRUTHY)))
def test_everything_else_is_true_even_an_empty_object(at: int) -> None:
    value = TRUTHY[at]
    assert computed({"!!": [value]}) is True
    assert computed({"!": [value]}) is False
    assert computed({"if": [value, "yes", "no"]}) == "yes"
    assert computed({"or": [value, "last"]}) == value
    assert computed({"and": [value, "last"]}) == "last"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"if": []}, None),
        ({"if": ["a"]}, "a"),
        ({"if": [True, "a"]}, "a"),
        ({"if": [False, "a"]}, None),
        ({"if": [False, "a", False, "b", "c"]}, "c"),
        ({"?:": [False, "a", True, "b", "c"]}, "b"),
        ({"and": []}, None),
        ({"or": []}, None),
        ({"or": [0, ""]}, ""),
        # An object of several members or of none stands for itself.
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ([{"var": "age"}, [{"var": "no"}, 1]], [42, [False, 1]]),
    ],
)
def test_branches_take_the_first_that_holds(expression: Any, value: Any) -> None:
    assert computed(expression, **CONTEXT) == value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("age", 42),
        (["age"], 42),
        ("absent", None),
        (["absent", "default"], "default"),
        (["nothing", "default"], "default"),
        (["no", "default"], False),
        (["empty", "default"], ""),
        ("user.plan", "beta"),
        ("user.0.x", 1),
        ("user.deep.er.yet", 5),
        (["user.deep.not.yet", 7], 7),
        ("tags.1", "beta"),
        ("tags.01", None),
        ("tags.-1", None),
        ("tags.2", None),
        ("tags.length", 2),
        ("name.0", "K"),
        ("name.length", 4),
        ("age.x", None),
        ([0, "default"], "default"),
        ([{"cat": ["user", ".", "plan"]}], "beta"),
        ([{"cat": ["user", ".", "none"]}, 3], 3),
        ("$flagd.flagKey", "flag"),
        ("$flagd.timestamp", NOW),
        ("$flagd.flagKey.0", "f"),
        ("$flagd", {"flagKey": "flag", "timestamp": NOW}),
        ("targetingKey", "jon"),
        ("", {**CONTEXT, "$flagd": {"flagKey": "flag", "timestamp": NOW}}),
        ([], {**CONTEXT, "$flagd": {"flagKey": "flag", "timestamp": NOW}}),
    ],
)
def test_a_path_leads_through_objects_lists_and_texts(path: Any, value: Any) -> None:
    assert computed({"var": path}, **CONTEXT) == value


def test_a_request_cannot_say_what_the_flag_is_called() -> None:
    assert computed({"var": "$flagd.flagKey"}, **{"$flagd": {"flagKey": "other"}}) == "flag"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"missing": ["age", "absent", "empty", "nothing", "no"]}, ["absent", "empty", "nothing"]),
        ({"missing": [["absent"], "ignored"]}, ["absent"]),
        ({"missing": []}, []),
        ({"missing": {"merge": ["absent", ["age"]]}}, ["absent"]),
        ({"missing_some": [1, ["absent", "age"]]}, []),
        ({"missing_some": [2, ["absent", "age"]]}, ["absent"]),
        ({"missing_some": [2, {"var": "tags"}]}, ["a", "beta"]),
        ({"missing_some": [2, "age"]}, []),
        ({"missing_some": []}, []),
    ],
)
def test_what_is_missing_is_listed(expression: Any, value: Any) -> None:
    assert computed(expression, **CONTEXT) == value


@pytest.mark.parametrize(
    ("left", "right", "equal", "same"),
    [
        (1, 1.0, True, True),
        (1, "1", True, False),
        ("1", 1, True, False),
        (0, "", False, False),
        (0, None, True, False),
        (False, None, True, False),
        (None, None, True, True),
        (None, "", False, False),
        (True, "1", True, False),
        (True, 1, True, True),
        (1, [1], True, False),
        ("1", [1], True, False),
        ([1], "1", True, False),
        ("a,b", ["a", "b"], True, False),
        ([1], [1], False, True),
        ({}, [], False, False),
        ({}, "[object Object]", True, False),
        ("a", "b", False, False),
        ("nan", "nan", True, True),
        (1, "inf", False, False),
    ],
)
def test_equality_converts_and_identity_does_not(left: Any, right: Any, equal: bool, same: bool) -> None:
    variables = [{"var": "left"}, {"var": "right"}]
    for arguments in (variables, [variables[0], right], [left, variables[1]]):
        assert computed({"==": arguments}, left=left, right=right) is equal
        assert computed({"!=": arguments}, left=left, right=right) is not equal
        assert computed({"===": arguments}, left=left, right=right) is same
        assert computed({"!==": arguments}, left=left, right=right) is not same


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"<": [1, 2]}, True),
        ({"<": [1, 5, 10]}, True),
        ({"<": [1, 10, 5]}, False),
        ({"<=": [1, 1, 1]}, True),
        ({">": [3, 2, 1]}, True),
        ({">=": [3, 3, 4]}, False),
        ({"<": ["10", "9"]}, True),
        ({"<": ["10", 9]}, False),
        ({"<": [None, 1]}, True),
        ({">": ["x", 1]}, False),
        ({"<": ["x", 1]}, False),
        ({"<": [[], [1]]}, True),
        ({"+": []}, 0),
        ({"+": ["3.5", 1, None, True]}, 5.5),
        ({"-": [5]}, -5),
        ({"-": [5, "2"]}, 3.0),
        ({"*": [2, "3"]}, 6.0),
        ({"*": []}, 1),
        ({"/": [7, 2]}, 3.5),
        ({"%": [7, 4]}, 3),
        ({"min": [3, "1", 2]}, 1.0),
        ({"max": [3, [4], None]}, 4),
        ({"cat": ["a", 1, 1.0, 0.1, None, True, ["x", [1]], {}]}, "a110.1nullTruex,1[object Object]"),
        ({"cat": "x"}, "x"),
        ({"cat": ["x", {"var": "age"}]}, "x42"),
        ({"cat": ["x", {"var": "name"}]}, "xKöln"),
        ({"substr": ["stepdown", 4]}, "down"),
        ({"substr": ["stepdown", -4]}, "down"),
        ({"substr": ["stepdown", -4, 2]}, "do"),
        ({"substr": ["stepdown", 0, -4]}, "step"),
        ({"substr": ["stepdown", 9]}, ""),
        ({"substr": ["stepdown", -99, 2]}, "st"),
        ({"substr": ["stepdown", "x", 2]}, "st"),
        ({"substr": ["stepdown", 1, "x"]}, ""),
        ({"in": ["a", {"var": "tags"}]}, True),
        ({"in": [{"var": "name"}, ["Köln", "Bonn"]]}, True),
        ({"in": [{"var": "age"}, ["42", "Bonn"]]}, False),
        ({"in": [{"var": "age"}, ["x", 42]]}, True),
        ({"in": [{"var": "tags"}, ["a", "beta"]]}, False),
        ({"in": ["ep", "stepdown"]}, True),
        ({"in": [1, "v1"]}, True),
        ({"in": ["a", None]}, False),
        ({"merge": [1, [2, 3], [[4]]]}, [1, 2, 3, [4]]),
        ({"log": {"var": "age"}}, 42),
    ],
)
def test_an_operator_makes_its_value(expression: Any, value: Any) -> None:
    made = computed(expression, **CONTEXT)
    assert made == value
    assert type(made) is type(value)


def test_the_smallest_of_nothing_is_no_number() -> None:
    for operator in ("min", "max"):
        made = computed({operator: []})
        assert made != made


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ({"/": [1, 0]}, ZeroDivisionError),
        ({"%": [1, None]}, ZeroDivisionError),
        ({"substr": ["x", 1e999]}, OverflowError),
        ({"var": ["age", 0, {"var": "x"}]}, TypeError),
        ({"unknown": []}, UnknownOperatorError),
        ({"cat": [["x" * 1000] * 100]}, TooLargeError),
        ({"merge": [list(range(LONGEST_LIST)), 1]}, TooLargeError),
        ({"*": [10**900, 10**900]}, TooLargeError),
        ({"+": [2**4096, 1]}, TooLargeError),
    ],
    ids=range(9),
)
def test_what_cannot_be_computed_raises(expression: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        computed(expression, **CONTEXT)


def test_arguments_that_are_ignored_are_evaluated_all_the_same() -> None:
    for expression in ({"var": ["", {"/": [1, 0]}]}, {"!": [1, {"/": [1, 0]}]}, {"unknown": [{"/": [1, 0]}]}):
        with pytest.raises(ZeroDivisionError):
            computed(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"map": [{"var": "list"}, {"*": [{"var": ""}, 2]}]}, [2, 4, 6]),
        ({"map": [{"var": "absent"}, {"var": ""}]}, []),
        ({"map": [[1, 2]]}, [None, None]),
        ({"map": []}, []),
        ({"filter": [{"var": "list"}, {">": [{"var": ""}, 1]}]}, [2, 3]),
        ({"filter": [{"var": "list"}]}, []),
        ({"filter": [{"var": "users"}, {"var": "beta"}]}, [{"beta": True, "tags": ["x"]}]),
        ({"map": [{"var": "users"}, {"var": ["tags.0", "-"]}]}, ["x", "-"]),
        ({"map": [[["a"], "b"], {"var": 0}]}, ["a", "b"]),
        ({"map": [[["a"], "b"], {"var": [1, "-"]}]}, ["-", "-"]),
        ({"map": [{"var": "users"}, {"missing": ["tags"]}]}, [[], ["tags"]]),
        ({"reduce": [{"var": "list"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 10]}, 16),
        ({"reduce": [{"var": "absent"}, {"var": "current"}, 7]}, 7),
        ({"reduce": [[1], {"var": "accumulator"}, {"var": "list"}]}, {"var": "list"}),
        ({"reduce": []}, None),
        ({"all": [{"var": "list"}, {">": [{"var": ""}, 0]}]}, True),
        ({"all": [{"var": "list"}, {">": [{"var": ""}, 1]}]}, False),
        ({"all": [[], True]}, False),
        ({"some": [{"var": "list"}, {">": [{"var": ""}, 2]}]}, True),
        ({"some": [[], True]}, False),
        ({"some": [{"var": "list"}]}, False),
        ({"none": [{"var": "list"}, {">": [{"var": ""}, 2]}]}, False),
        ({"none": [{"var": "list"}, {">": [{"var": ""}, 3]}]}, True),
        ({"none": [{"var": "absent"}, True]}, True),
    ],
)
def test_an_iteration_goes_through_its_items(expression: Any, value: Any) -> None:
    users = [{"beta": True, "tags": ["x"]}, {"beta": False}]
    assert computed(expression, list=[1, 2, 3], users=users) == value


def test_inside_of_an_iteration_the_key_is_the_items_own() -> None:
    fractions = {"fractional": [["a", 1], ["b", 1]]}
    made = computed({"map": [{"var": "list"}, fractions]}, targetingKey="jon", list=[{}, {"targetingKey": "jon"}])
    assert made == [None, computed({"fractional": ["jon", ["a", 1], ["b", 1]]})]
    with pytest.raises(AttributeError):
        computed({"map": [[1], fractions]})


def test_a_text_that_doubles_is_stopped() -> None:
    doubling = {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}
    with pytest.raises(TooLargeError, match=str(LONGEST_TEXT)):
        computed({"reduce": [{"var": "list"}, doubling, "x"]}, list=[1] * 100)
