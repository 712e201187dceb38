"""What is found between two documents, kind by kind, without rules and with the simple ones."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stepdown.comparison.compare import Comparison
from stepdown.decide.shadow_spec import Comparing, Text, Tolerance
from tests.kit.comparing import differences, found, reply


@pytest.mark.parametrize(
    ("served", "candidate", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("value", "/a")]),
        ({"a": 1}, {"a": "1"}, [("type", "/a")]),
        ({"a": True}, {"a": 1}, [("type", "/a")]),
        ({"a": None}, {"a": False}, [("type", "/a")]),
        ({"a": None}, {}, [("missing", "/a")]),
        ({}, {"a": None}, [("added", "/a")]),
        ({"a": 1, "b": 2}, {"b": 2, "c": 1}, [("missing", "/a"), ("added", "/c")]),
        ([1, 2], [1, 3], [("value", "/1")]),
        ([1, 2], [1], [("length", "")]),
        ([1, 2, 3], [9, 2], [("length", ""), ("value", "/0")]),
        ([1, 2, 3], [3, 1, 2], [("order", "")]),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], [("order", "")]),
        ({"a": [1]}, {"a": {"0": 1}}, [("type", "/a")]),
        ([], {}, [("type", "")]),
        ("a", "b", [("value", "")]),
        ({"a/b": {"~": 1}, "*": 1, "[x": 1}, {"a/b": {"~": 2}, "*": 2, "[x": 2}, [
            ("value", "/a~1b/~0"), ("value", "/~2"), ("value", "/~3x"),
        ]),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_found_where_it_is(
    served: Any, candidate: Any, expected: list[tuple[str, str]]
) -> None:
    assert found(served, candidate) == expected


@pytest.mark.parametrize(
    ("served", "candidate"),
    [
        (1, 1.0),
        (10**30, 10**30),
        (2**53, float(2**53)),
        (math.nan, math.nan),
        (math.inf, math.inf),
        (0.0, -0.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([[], {}, None], [[], {}, None]),
    ],
)
def test_what_is_equal_by_value_is_equal(served: Any, candidate: Any) -> None:
    assert found(served, candidate) == []


@pytest.mark.parametrize(
    ("served", "candidate"),
    [
        (2**53, 2**53 + 1),
        (10**30, 10**30 + 1),
        (math.nan, 1.0),
        (1.0, math.nan),
        (math.inf, -math.inf),
        (2**53 + 1, float(2**53)),
    ],
)
def test_numbers_are_told_apart_exactly(served: Any, candidate: Any) -> None:
    assert found(served, candidate) == [("value", "")]


def test_the_path_has_a_star_for_every_index() -> None:
    (one,) = differences({"rows": [[1], [2]]}, {"rows": [[1], [3]]})
    assert (one.path, one.pointer, one.served, one.candidate) == ("/rows/*/*", "/rows/1/0", 2, 3)


def test_what_is_ignored_is_not_looked_at_with_all_that_is_below() -> None:
    served, candidate = {"id": 1, "meta": {"at": 1, "by": [1]}, "n": 1}, {"meta": 7, "n": 1, "id": 2}
    assert found(served, candidate, ignore=("/id", "/meta")) == []
    assert found(served, {"n": 1}, ignore=("/id", "/meta")) == []
    assert found({"n": 1}, served, ignore=("/id", "/meta")) == []


def test_an_item_can_be_ignored_by_the_value_of_a_member() -> None:
    served = [{"name": "a", "data": 1}, {"name": "b", "data": 1}]
    candidate = [{"name": "a", "data": 2}, {"name": "b", "data": 2}]
    (one,) = differences(served, candidate, ignore=("/[name=a]",), tolerances=(Tolerance(path="/[name=b]"),))
    assert (one.pointer, one.path) == ("/1/data", "/[name=b]/data")


def test_an_item_can_be_ignored_by_its_index() -> None:
    assert found([1, 2, 3], [9, 9, 9], ignore=("/0", "/2")) == [("value", "/1")]


def test_the_whole_document_can_be_ignored() -> None:
    assert found({"a": 1}, [2], ignore=("",)) == []


@pytest.mark.parametrize(
    ("served", "candidate", "same"),
    [
        (100.0, 101.0, True),
        (101.0, 100.0, True),
        (100.0, 101.2, False),
        (0.0, 0.1, True),
        (0.0, 0.11, False),
        (100, 101, True),
        (math.inf, 1.0, False),
        (math.nan, 1.0, False),
        (10**400, 10**400 + 1, False),
        (10**400, 1.0, False),
        (True, 1, False),
    ],
)
def test_numbers_within_absolute_and_relative_tolerance_are_equal(served: Any, candidate: Any, same: bool) -> None:
    rules = (Tolerance(path="", absolute=0.1, relative=0.01),)
    assert (found([served], [candidate], tolerances=rules) == []) is same


def test_the_tolerance_nearest_to_a_number_holds_and_of_two_at_one_place_the_last() -> None:
    rules = (
        Tolerance(path="", absolute=10),
        Tolerance(path="/exact"),
        Tolerance(path="/twice", absolute=0.5),
        Tolerance(path="/twice", absolute=3),
    )
    served = {"rough": 1, "exact": [1], "twice": 1}
    assert found(served, {"rough": 9, "exact": [1], "twice": 4}, tolerances=rules) == []
    assert found(served, {"rough": 1, "exact": [2], "twice": 5}, tolerances=rules) == [
        ("value", "/exact/0"),
        ("value", "/twice"),
    ]


def test_order_is_no_finding_of_its_own_where_numbers_have_a_tolerance() -> None:
    assert found([1.0, 1.1], [1.1, 1.0], tolerances=(Tolerance(path="", absolute=0.2),)) == []


def test_texts_are_equal_when_similar_enough() -> None:
    rules = (Text(path="/choices/*/text", similar=0.9),)
    served = {"choices": [{"text": "The answer is forty-two."}]}
    assert found(served, {"choices": [{"text": "The answer is forty two."}]}, text=rules) == []
    (one,) = differences(served, {"choices": [{"text": "I cannot help with that."}]}, text=rules)
    assert (one.kind, one.path) == ("text", "/choices/*/text")
    assert 0.1 < one.magnitude <= 1
    assert found(served, {"choices": [{"text": 42}]}, text=rules) == [("type", "/choices/0/text")]


def test_a_label_that_changed_is_a_finding_of_its_own() -> None:
    assert found({"label": "cat"}, {"label": "dog"}, labels=("/label",)) == [("label", "/label")]


def test_numbers_say_how_far_they_are_apart() -> None:
    assert differences(100, 90)[0].magnitude == pytest.approx(0.1)
    assert differences(1, -1)[0].magnitude == pytest.approx(2)
    assert differences(1.7e308, -1.7e308)[0].magnitude == pytest.approx(2)
    assert differences(math.nan, 1)[0].magnitude == 1
    assert differences(10**400, 10**400 * 2)[0].magnitude == 1
    assert differences("a", "b")[0].magnitude == 1


def test_no_more_than_a_hundred_differences_are_told_apart() -> None:
    compared = Comparison(Comparing()).compare(reply([0] * 101), reply([1] * 101))
    assert len(compared.differences) == 100
    assert compared.cut
    assert not Comparison(Comparing()).compare(reply([0] * 100), reply([1] * 100)).cut


def test_no_depth_of_nesting_is_too_much() -> None:
    def nested(value: Any, levels: int = 10_000) -> Any:
        for level in range(levels):
            value = [1, value] if level % 2 else {"a": value}
        return value

    (one,) = differences(nested(1), nested(2))
    assert one.kind == "value"
    assert one.path.endswith("/...")
    assert len(one.path) < 300


def test_a_long_name_does_not_make_a_long_path() -> None:
    (one,) = differences({"x" * 10_000: 1}, {"x" * 10_000: 2})
    assert len(one.path) == 300


def test_half_a_character_in_a_name_is_no_error() -> None:
    (one,) = differences({"\ud800": 1}, {"\ud800": 2})
    assert one.path == "/\\ud800"


def test_what_is_redacted_shows_no_names() -> None:
    served = {"people": {"ada": 1}, "tags": [1], "key": {"x": 1}}
    candidate = {"people": {"bob": 1}, "tags": [2], "key": {"x": 2}}
    redact = ("/people/*", "/tags/*", "/key")
    places = [(one.kind, one.path, one.pointer) for one in differences(served, candidate, redact)]
    assert places == [
        ("missing", "/people/*", "/people/*"),
        ("added", "/people/*", "/people/*"),
        ("value", "/tags/*", "/tags/0"),
        ("value", "/key", "/key"),
    ]
    assert [one.path for one in differences(served, candidate, ("",))] == [""] * 4
