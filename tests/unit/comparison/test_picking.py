"""Numbers and labels of a document, which are counted whether they differ or not."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.comparison.picking import LABELS, NUMBERS, labels, numbers
from stepdown.comparison.rules import compile_rules
from stepdown.decide.shadow_spec import Comparing, Unordered


def numbers_of(document: Any, redact: tuple[str, ...] = (), **rules: Any) -> list[tuple[str, float]]:
    return sorted(numbers(document, compile_rules(Comparing(**rules), redact)))


def labels_of(document: Any, redact: tuple[str, ...] = (), **rules: Any) -> dict[str, list[str]]:
    found = labels(document, compile_rules(Comparing(**rules), redact))
    return {path: sorted(texts.values()) for path, texts in found.items()}


def test_each_number_is_taken_with_its_path() -> None:
    document = {"a": [1, 2.5, "x", None, True], "b": {"c/d": -1}, "e": "text"}
    assert numbers_of(document) == [("/a/*", 1), ("/a/*", 2.5), ("/b/c~1d", -1)]
    assert numbers_of(7) == [("", 7)]


def test_numbers_that_are_ignored_or_redacted_are_not_taken() -> None:
    assert numbers_of({"a": 1, "b": 2, "c": {"d": 3}}, ("/c",), ignore=("/a",)) == [("/b", 2)]


def test_items_that_a_path_names_have_a_path_of_their_own() -> None:
    document = [{"name": "score", "data": 1}, {"name": "age", "data": 2}]
    assert numbers_of(document, ignore=("/[name=score]/x",)) == [("/*/data", 2), ("/[name=score]/data", 1)]


def test_no_more_numbers_are_taken_than_there_is_room_for() -> None:
    assert len(numbers_of([[0] * 1000] * 1000)) == NUMBERS
    assert len(numbers_of([0] * 1000)) == 64


def test_half_a_character_in_a_name_is_no_error() -> None:
    assert numbers_of({"\ud800": 1}) == [("/\\ud800", 1)]


def test_labels_are_taken_where_the_rules_say_so() -> None:
    document = {"top": "cat", "rows": [{"label": "dog"}, {"label": "cat"}, {}], "other": {"label": "cow"}}
    assert labels_of(document, labels=("/top", "/rows/*/label")) == {"/top": ["cat"], "/rows/*/label": ["cat", "dog"]}
    assert labels_of("cat", labels=("",)) == {"": ["cat"]}


def test_labels_that_are_redacted_or_ignored_are_not_taken() -> None:
    assert labels_of({"a": "x", "b": "y"}, ("/a",), labels=("/a", "/b"), ignore=("/b",)) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (True, "true"), (None, "null"), ({}, "(object)"), ([], "(array)"), ("\ud800", "\\ud800")],
)
def test_a_label_may_be_anything(value: Any, text: str) -> None:
    assert labels_of([value], labels=("/*",)) == {"/*": [text]}


def test_a_number_without_end_is_no_label_of_its_own() -> None:
    assert labels_of([10**5000], labels=("/*",)) == {"/*": ["(number)"]}


def test_a_long_label_is_cut_and_many_are_not_all_taken() -> None:
    assert labels_of(["x" * 1000], labels=("/*",)) == {"/*": ["x" * 64]}
    assert len(labels_of(["x"] * 5000, labels=("/*",))["/*"]) == LABELS


def test_items_with_a_key_are_told_apart_by_it_and_not_by_their_index() -> None:
    rules = compile_rules(Comparing(labels=("/*/label",), unordered=(Unordered(path="", key="id"),)))
    first = labels([{"id": 1, "label": "a"}, {"id": 2, "label": "b"}, {"label": "c"}], rules)
    second = labels([{"id": 2, "label": "b"}, {"id": 1, "label": "a"}, {"label": "c"}], rules)
    assert first == second
