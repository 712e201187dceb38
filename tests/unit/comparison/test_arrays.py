"""Arrays whose order does not matter, and rankings."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.shadow_spec import Tolerance, TopK, Unordered
from tests.kit.comparing import differences, found

BY_NAME = (Unordered(path="/outputs", key="name"),)
AS_SET = (Unordered(path=""),)


def nested(value: Any, levels: int = 200) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def test_items_belong_together_by_their_key() -> None:
    served = {"outputs": [{"name": "a", "data": 1}, {"name": "b", "data": 2}]}
    candidate = {"outputs": [{"name": "b", "data": 3}, {"name": "a", "data": 1}]}
    assert found(served, candidate, unordered=BY_NAME) == [("value", "/outputs/1/data")]


def test_items_without_a_partner_are_missing_or_added() -> None:
    served = {"outputs": [{"name": "a"}, {"name": "b"}]}
    candidate = {"outputs": [{"name": "c"}, {"name": "b"}, {"name": "d"}]}
    places = found(served, candidate, unordered=BY_NAME)
    assert places == [("missing", "/outputs/0"), ("added", "/outputs/0"), ("added", "/outputs/2")]


def test_several_items_with_one_key_belong_together_in_their_order() -> None:
    served = {"outputs": [{"name": "a", "n": 1}, {"name": "a", "n": 2}]}
    candidate = {"outputs": [{"name": "a", "n": 1}, {"name": "a", "n": 3}]}
    assert found(served, candidate, unordered=BY_NAME) == [("value", "/outputs/1/n")]


def test_items_without_the_key_are_compared_as_a_multiset() -> None:
    served = {"outputs": [1, {"x": 1}, {"name": "a"}]}
    assert found(served, {"outputs": [{"name": "a"}, {"x": 1}, 1]}, unordered=BY_NAME) == []
    assert found(served, {"outputs": [{"name": "a"}, {"x": 2}, 1]}, unordered=BY_NAME) == [
        ("missing", "/outputs/1"),
        ("added", "/outputs/1"),
    ]


def test_keys_that_are_equal_by_value_are_the_same() -> None:
    served, candidate = {"outputs": [{"name": 1, "n": 1}]}, {"outputs": [{"name": 1.0, "n": 2}]}
    assert found(served, candidate, unordered=BY_NAME) == [("value", "/outputs/0/n")]


@pytest.mark.parametrize(
    ("served", "candidate", "same"),
    [
        ([1, 2, 2], [2, 1, 2], True),
        ([1, 2, 2], [1, 1, 2], False),
        ([1, True], [True, 1.0], True),
        ([1, 1], [True, 1], False),
        ([{"a": [1, 2]}], [{"a": [1, 2]}], True),
        ([{"a": [1, 2]}], [{"a": [2, 1]}], False),
        ([{"a": 1}], [["a"]], False),
        ([float("nan")], [float("nan")], True),
        ([None, "x"], ["x", None], True),
    ],
)
def test_without_a_key_they_are_a_multiset(served: list[Any], candidate: list[Any], same: bool) -> None:
    assert (found(served, candidate, unordered=AS_SET) == []) is same


def test_items_of_a_multiset_are_equal_within_tolerance() -> None:
    rules: dict[str, Any] = {"unordered": AS_SET, "tolerances": (Tolerance(path="", absolute=0.1),)}
    assert found([{"n": 1.0}, {"n": 2.0}], [{"n": 2.05}, {"n": 1.05}], **rules) == []
    assert found([1.0, 2.0], [2.2, 1.05], **rules) == [("missing", "/1"), ("added", "/0")]


def test_what_is_ignored_in_items_does_not_tell_them_apart() -> None:
    served, candidate = [{"id": 1, "n": 1}, {"id": 2, "n": 2}], [{"id": 3, "n": 2}, {"id": 4, "n": 1}]
    assert found(served, candidate, unordered=AS_SET, ignore=("/*/id",)) == []


def test_items_that_are_ignored_are_neither_missing_nor_added() -> None:
    rules: dict[str, Any] = {"unordered": AS_SET, "ignore": ("/[kind=note]",)}
    assert found([{"kind": "note"}, 1], [1], **rules) == []
    assert found([1], [1, {"kind": "note", "n": 1}], **rules) == []
    by_key: dict[str, Any] = {"unordered": (Unordered(path="", key="kind"),), "ignore": ("/[kind=note]",)}
    assert found([{"kind": "note", "n": 1}], [{"kind": "note", "n": 2}], **by_key) == []


def test_arrays_without_order_may_hold_others() -> None:
    rules = (Unordered(path=""), Unordered(path="/*"))
    assert found([[1, 2], [3]], [[3], [2, 1]], unordered=rules) == []
    assert found([[1, 2], [3]], [[3], [2, 4]], unordered=rules) == [("missing", "/0"), ("added", "/1")]


def test_rules_of_items_without_order_hold_where_items_are_tried_against_each_other() -> None:
    rules: dict[str, Any] = {
        "unordered": (Unordered(path=""), Unordered(path="/*")),
        "tolerances": (Tolerance(path="", absolute=0.1),),
    }
    assert found([[1, 2]], [[2, 1.05]], **rules) != []  # within them only exact equals, lest it take for ever
    assert found([[1, 2]], [[2, 1]], **rules) == []


def test_items_nested_too_deeply_are_compared_in_their_order() -> None:
    assert found([nested(1), 2], [nested(1), 2], unordered=AS_SET) == []
    (one,) = differences([nested(1), 2], [nested(3), 2, 4], unordered=AS_SET)[:1]
    assert one.kind == "value"
    assert ("added", "/2") in found([nested(1), 2], [nested(3), 2, 4], unordered=AS_SET)


def test_a_key_nested_too_deeply_tells_nothing() -> None:
    served, candidate = {"outputs": [{"name": nested(1)}]}, {"outputs": [{"name": nested(2)}]}
    (one,) = differences(served, candidate, unordered=BY_NAME)
    assert one.kind == "value"


@pytest.mark.parametrize(
    ("served", "candidate", "agree", "same"),
    [
        (["a", "b", "c"], ["b", "a", "x"], 1.0, True),  # of the first two
        (["a", "b", "c"], ["a", "c", "b"], 1.0, False),
        (["a", "b", "c"], ["a", "c", "b"], 0.5, True),
        (["a"], ["a", "b"], 1.0, False),
        ([], [], 1.0, True),
        ([], ["a"], 0.1, False),
        ([nested(1), "a"], ["a", nested(1)], 1.0, True),
    ],
)
def test_of_a_ranking_only_its_first_items_count(
    served: list[Any], candidate: list[Any], agree: float, same: bool
) -> None:
    rules = (TopK(path="/ranked", k=2, agree=agree),)
    places = found({"ranked": served}, {"ranked": candidate}, top=rules)
    assert places == ([] if same else [("top", "/ranked")])


def test_items_of_a_ranking_are_named_by_a_member() -> None:
    rules = (TopK(path="", k=2, key="id"),)
    served, candidate = [{"id": 1, "score": 0.9}, {"id": 2, "score": 0.8}], [{"id": 2, "score": 0.7}, {"id": 1}]
    assert found(served, candidate, top=rules) == []
    (one,) = differences(served, [{"id": 3}, {"id": 1}], top=rules)
    assert one.magnitude == 0.5


def test_only_the_order_of_items_nested_deeply_is_not_looked_for() -> None:
    deep = nested(1, 20)
    assert ("order", "") not in found([deep, 2], [2, deep])


def test_the_order_of_items_that_a_path_tells_apart_matters() -> None:
    assert ("order", "") not in found([1, 2], [2, 1], ignore=("/5",))


def test_more_items_than_can_be_tried_are_missing_and_added() -> None:
    rules: dict[str, Any] = {"unordered": AS_SET, "tolerances": (Tolerance(path="", absolute=0.1),)}
    served = [float(number) for number in range(17)]
    assert len(differences(served, [number + 0.05 for number in served], **rules)) == 34
    assert differences(served[:16], [number + 0.05 for number in served[:16]], **rules) == []
