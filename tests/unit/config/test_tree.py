from __future__ import annotations

import pytest

from stepdown.config.tree import as_written, child, describe, dotted, find, place_of, plain, unshared
from stepdown.config.yaml_reader import read

TEXT = """\
a: &shared
  b: [1, two, {c: 3}]
d: *shared
"""


@pytest.fixture
def root():
    tree, findings = read(TEXT, "f.yaml", {})
    assert not findings
    return tree


def test_the_tree_becomes_plain_data_that_shares_nothing(root) -> None:
    data = plain(root)
    assert data == {"a": {"b": [1, "two", {"c": 3}]}, "d": {"b": [1, "two", {"c": 3}]}}
    assert data["a"] is not data["d"]


@pytest.mark.parametrize(
    ("path", "of_key", "place"),
    [
        (("a",), True, "f.yaml:1:1"),
        (("a", "b"), True, "f.yaml:2:3"),
        (("a", "b", 1), False, "f.yaml:2:10"),
        (("a", "b", 2, "c"), False, "f.yaml:2:19"),
        (("d", "b", 1), False, "f.yaml:2:10"),
        (("a", "missing"), False, "f.yaml:1:1"),
        (("a", "b", 7), False, "f.yaml:2:3"),
        (("missing",), False, "f.yaml:1:1"),
    ],
)
def test_every_part_knows_its_place_and_an_absent_one_that_of_its_holder(root, path, of_key, place) -> None:
    assert str(place_of(root, path, of_key=of_key)) == place


def test_absent_parts_are_found_as_nothing(root) -> None:
    assert find(root, ("a", "b", 3)) is None
    assert find(root, ("a", "b", "c")) is None
    assert child(None, "a") is None


def test_a_copy_without_sharing_can_lose_a_part_and_keeps_the_numbers_of_the_rest(root) -> None:
    copy = unshared(root)
    items = find(copy, ("a", "b"))
    del items.items[0], items.numbers[0]
    assert plain(copy) == {"a": {"b": ["two", {"c": 3}]}, "d": {"b": [1, "two", {"c": 3}]}}
    assert as_written(copy, ("a", "b", 1, "c")) == ("a", "b", 2, "c")
    assert plain(root)["a"]["b"] == [1, "two", {"c": 3}]


def test_paths_are_written_so_that_versions_stay_in_one_piece() -> None:
    assert dotted(("routes", "my-route", "rules", 0, "split", "1.1.0")) == 'routes.my-route.rules[0].split."1.1.0"'


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("x", '"x"'), ("'1'", '"1"'), ("1.10", "the number 1.10"), ("true", "true"), ("[]", "a list"),
        ("{a: b}", "a mapping"), ("~", "nothing"), ("x" * 80, '"' + "x" * 57 + '..."'),
    ],
)  # fmt: skip
def test_a_value_is_described_as_it_is_written(text: str, described: str) -> None:
    tree, _ = read(f"a: {text}", "f.yaml", {})
    assert describe(find(tree, ("a",))) == described
    assert describe(None) == "nothing"
