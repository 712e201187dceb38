"""Neighbouring operations that walk one array walk it once, where that changes no document."""

import json

import pytest

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import compile_chain
from tests.kit.adapters import Step, both

IN = {"in": "/rows/*", "do": [{"move": {"from": "/a", "to": "/b"}}]}
MAP = {"map_values": {"path": "/rows/*/b", "table": {"x": "y"}}}


def loops(*operations: object) -> int:
    return compile_chain([Step(operations)]).source.count("for ")


def test_neighbours_over_the_same_array_are_one_loop() -> None:
    assert loops(IN, MAP) == 1
    assert loops(IN, MAP, {"remove": "/rows/*/c"}) == 2  # one that skips what is missing is not one that fails
    assert both([IN, MAP], {"rows": [{"a": "x"}, {"a": "x"}]}) == {"rows": [{"b": "y"}, {"b": "y"}]}


def test_one_that_fails_where_rows_are_missing_is_not_joined_with_one_that_skips() -> None:
    skipping = {"in": "/rows/*", "do": [{"add": {"path": "/c", "value": 1}}], "on_missing": "skip"}
    assert loops(skipping, MAP) == 2
    assert both([skipping, MAP], {}) == "<refused>"
    assert both([skipping], {}) == {}


def test_one_that_looks_at_other_items_stays_by_itself() -> None:
    first = {"in": "/rows/*", "do": [{"replace": {"path": "/a", "value": {"document": "/rows/0/b"}}}]}
    after = {"in": "/rows/*", "do": [{"replace": {"path": "/b", "value": 9}}]}
    assert loops(first, after) == 2
    assert both([first, after], {"rows": [{"a": 0, "b": 1}, {"a": 0, "b": 2}]}) == {
        "rows": [{"a": 1, "b": 9}, {"a": 1, "b": 9}]
    }


def test_a_failure_names_the_step_that_its_operation_is_of() -> None:
    newer, older = Step([IN], source="3.0.0", target="2.0.0"), Step([MAP], source="2.0.0", target="1.0.0")
    adapter = compile_chain([newer, older])
    assert adapter.source.count("for ") == 1
    for row, step, operation in (({"a": "z"}, "2.0.0 -> 1.0.0", "map_values"), ({"b": "x"}, "3.0.0 -> 2.0.0", "move")):
        with pytest.raises(AdaptError) as caught:
            adapter.response(json.dumps({"rows": [row]}).encode(), Context())
        assert step in str(caught.value)
        assert operation in str(caught.value)
