"""Conditions: their language, what cannot be read, and what has no answer."""

from __future__ import annotations

import math

import pytest

from stepdown.rollout.guards.conditions import ConditionError, Value, condition, deals_with_anything


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        ("result == 1", 1.0, True),
        ("result != 1", 1.0, False),
        ("result > 0.5 && result < 1e3", 7.0, True),
        ("result <= .5 or result >= 10", 7.0, False),
        ("result > 0 and not (result > 5)", 7.0, False),
        ("!(result > 5) || result == 7", 7.0, True),
        ("result > -1", -0.5, True),
        ("-result > 1", -2.0, True),
        ("result[1] > result[0]", (1.0, 2.0), True),
        ("len(result) == 2", (1.0, 2.0), True),
        ("result == nil", None, True),
        ("isNil(result)", 0.0, False),
        ("true", None, True),
        ("false || true && false", None, False),
        ("asInt(result) == 3", 3.9, True),
        ("asFloat(result) == 3.9", 3.9, True),
        ("result == result", math.nan, False),
        ("default(result, 2) == 1", 1.0, True),
    ],
)
def test_the_language(text: str, result: Value, expected: bool) -> None:
    assert condition(text)(result) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "its end is not expected"),
        ("result >", "its end is not expected"),
        ("result = 1", "cannot be read from `= 1` on"),
        ("result > 1 2", "`2` is not expected"),
        ("(result > 1", "its end instead of `)` is not expected"),
        ("result[1", "its end instead of `]`"),
        ("result[1) > 2", "`)` instead of `]` is not expected"),
        ("other > 1", "`other` is not expected"),
        ("len result", "`result` instead of `(`"),
        ("isNaN(result, 1)", "isNaN takes 1, not 2"),
        ("> 1", "`>` is not expected"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, reason: str) -> None:
    with pytest.raises(ConditionError) as caught:
        condition(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ("result > 1", None, "nil is no number"),
        ("result > 1", (1.0,), "a list is no number"),
        ("result > true", 1.0, "true or false is no number"),
        ("result[0] > 1", (), "there is no item 0 among 0"),
        ("result[0] > 1", 1.0, "a number has no items"),
        ("len(result) > 1", 1.0, "a number has no length"),
        ("result && true", 1.0, "a number is not true or false"),
        ("result", 1.0, "`result` is a number, not true or false"),
        ("isNaN(result)", None, "nil is no number"),
    ],
)
def test_what_has_no_answer_says_why(text: str, result: Value, reason: str) -> None:
    with pytest.raises(ConditionError) as caught:
        condition(text)(result)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "deals"),
    [
        ("isNaN(result) || result >= 0.95", True),
        ("!isInf(result[0])", True),
        ("len(result) == 0 || result[0] < 1", True),
        ("default(result, 0) < 0.05", True),
        ("result == nil", True),
        ("isNil(result)", True),
        ("result[0] >= 0.95", False),
        ("asFloat(result) > 1", False),
        ("", False),
    ],
)
def test_whether_a_condition_deals_with_what_is_no_number_is_read_off_it(text: str, deals: bool) -> None:
    assert deals_with_anything(text) is deals
