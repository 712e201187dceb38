"""filter, unique, group, map_keys: what is kept, merged and renamed."""

from typing import Any

import pytest

from stepdown_adapters.errors import OperationError
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, adapted, both, refusal

PARTS = [{"type": "text", "n": 1}, {"type": "image", "n": 2.5}, {"n": 3}, "bare"]


def kept(*conditions: Any) -> Any:
    """The parts that are kept, by their number."""
    operation = {"filter": {"path": "/a", "where": list(conditions) if len(conditions) > 1 else conditions[0]}}
    found = both([operation], {"a": PARTS})
    return found if found is REFUSED else [part["n"] if isinstance(part, dict) else part for part in found["a"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"path": "/type", "equals": "text"}, [1]),
        ({"path": "/type", "not_equals": "text"}, [2.5, 3, "bare"]),
        ({"path": "/type", "in": ["text", "image"]}, [1, 2.5]),
        ({"path": "/type", "in": []}, []),
        ({"path": "/type", "not_in": ["image", "x"]}, [1, 3, "bare"]),
        ({"path": "/type", "exists": True}, [1, 2.5]),
        ({"path": "/type", "exists": False}, [3, "bare"]),
        ({"path": "/n", "at_least": 2.5}, [2.5, 3]),
        ({"path": "/n", "over": 2.5}, [3]),
        ({"path": "/n", "at_most": 2.5}, [1, 2.5]),
        ({"path": "/n", "under": 2.5, "over": 0}, [1]),
        ({"path": "/n", "equals": 1.0}, [1]),
        ({"path": "/n", "equals": True}, []),
        ({"equals": "bare"}, ["bare"]),
        ({"path": "", "equals": {"n": 3}}, [3]),
        ({"path": "/type", "at_least": 1}, REFUSED),
    ],
    ids=str,
)
def test_a_condition_holds_for_what_it_says(condition: Any, expected: Any) -> None:
    assert kept(condition) == expected


def test_several_conditions_hold_together() -> None:
    assert kept({"path": "/n", "over": 1}, {"path": "/type", "exists": False}) == [3]


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        ({"filter": {"path": "/a", "where": {"equals": 1}}}, {"a": {"x": 1}}, REFUSED),
        ({"filter": {"path": "/a", "where": {"equals": 1}}}, {}, REFUSED),
        ({"filter": {"path": "/a", "where": {"equals": 1}, "default": []}}, {}, {"a": []}),
        ({"filter": {"where": {"path": "/[n=x]/v", "equals": 1}}}, [[{"n": "x", "v": 1}], []], [[{"n": "x", "v": 1}]]),
        ({"filter": {"where": {"path": "/[n=x]", "exists": True}}}, [[{"n": "x"}, {"n": "x"}]], REFUSED),
        ({"unique": "/a"}, {"a": [1, "1", 1.0, True, [1], [1.0], {"x": [1]}, {"x": [1.0]}, None, None]},
         {"a": [1, "1", True, [1], {"x": [1]}, None]}),
        ({"unique": {"path": "/a", "by": "/id/x"}}, {"a": [{"id": {"x": 1}, "n": 1}, {"id": {"x": 1}, "n": 2}]},
         {"a": [{"id": {"x": 1}, "n": 1}]}),
        ({"unique": {"path": "/a", "by": "/id"}}, {"a": [{"id": 1}, {}]}, REFUSED),
        ({"unique": {"path": "/a", "by": "/id"}}, {"a": [5]}, REFUSED),
        ({"unique": "/a"}, {"a": "xx"}, REFUSED),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}},
         {"a": [{"l": "x", "s": 1, "n": 1}, {"l": "y", "s": 2}, {"l": "x", "s": 0.5, "n": 2}]},
         {"a": [{"l": "x", "s": 1.5, "n": 1}, {"l": "y", "s": 2}]}),
        ({"group": {"path": "/a", "by": "/l", "max": "/s"}}, {"a": [{"l": 1, "s": 1}, {"l": 1.0, "s": 3}]},
         {"a": [{"l": 1, "s": 3}]}),
        ({"group": {"path": "/a", "by": "/l", "min": "/s", "mean": "/t/u"}},
         {"a": [{"l": 1, "s": 1, "t": {"u": 1}}, {"l": 1, "s": 0, "t": {"u": 2}}]},
         {"a": [{"l": 1, "s": 0, "t": {"u": 1.5}}]}),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}}, {"a": []}, {"a": []}),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}}, {"a": [{"s": 1}]}, REFUSED),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}}, {"a": [{"l": 1}]}, REFUSED),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}}, {"a": [{"l": 1, "s": True}]}, REFUSED),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s"}}, {"a": [{"l": 1, "s": 1e308}] * 2}, REFUSED),
        ({"map_keys": {"path": "/m", "table": {"a": "b", "b": "a"}}}, {"m": {"a": 1, "b": 2}}, {"m": {"b": 1, "a": 2}}),
        ({"map_keys": {"path": "/m", "table": {"a": "b"}}}, {"m": {"a": 1, "c": 2}}, REFUSED),
        ({"map_keys": {"path": "/m", "table": {"a": "b"}, "on_unmapped": "keep"}}, {"m": {"a": 1, "c": 2}},
         {"m": {"b": 1, "c": 2}}),
        ({"map_keys": {"path": "/m", "table": {"a": "b"}, "on_unmapped": "remove"}}, {"m": {"a": 1, "c": 2}},
         {"m": {"b": 1}}),
        ({"map_keys": {"path": "/m", "table": {"a": "b"}, "on_unmapped": "keep"}}, {"m": {"a": 1, "b": 2}}, REFUSED),
        ({"map_keys": {"path": "/m", "table": {"a": "c", "b": "c"}}}, {"m": {"a": 1, "b": 2}}, REFUSED),
        ({"map_keys": {"table": {"a": "b"}}}, [], REFUSED),
    ],
    ids=str,
)  # fmt: skip
def test_collections_are_sifted(operation: Any, document: Any, expected: Any) -> None:
    assert both([operation], document) == expected


def test_items_that_are_kept_keep_their_text() -> None:
    operations = [{"filter": {"path": "/a", "where": {"path": "/t", "equals": "x"}}}, {"unique": "/a"}]
    assert adapted(operations, b'{"a":[{"t":"x","n":1.10},{"t":"y"},{"t":"x","n":1E5}]}') == (
        b'{"a":[{"t":"x","n":1.10},{"t":"x","n":1E5}]}'
    )


def test_the_sentence_names_what_a_group_lacks() -> None:
    grouped = {"group": {"path": "/a", "by": "/l", "sum": "/s"}}
    assert refusal([grouped], b'{"a":[{"s":1}]}').sentence == "an object has no /l to be grouped by"
    assert refusal([grouped], b'{"a":[{"l":1}]}').sentence == "an object has no /s to be merged"
    renamed = {"map_keys": {"path": "/m", "table": {"a": "b"}}}
    assert refusal([renamed], b'{"m":{"x":1}}').sentence == "the table has nothing for the member 'x'"


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"filter": "/a"}, "needs where"),
        ({"filter": {"path": "/a", "where": []}}, "at least one"),
        ({"filter": {"path": "/a", "where": 5}}, "a condition is a mapping"),
        ({"filter": {"path": "/a", "where": {"path": "/b"}}}, "a condition is a mapping"),
        ({"filter": {"path": "/a", "where": {"path": "/b", "equal": 1}}}, "not path, equal"),
        ({"filter": {"path": "/a", "where": {"path": "b", "equals": 1}}}, "a path starts with /"),
        ({"filter": {"path": "/a", "where": {"path": "/*", "equals": 1}}}, "tests one place"),
        ({"filter": {"path": "/a", "where": {"in": "x"}}}, "in: a string is no list"),
        ({"filter": {"path": "/a", "where": {"over": "x"}}}, "over: a string is not a number"),
        ({"filter": {"path": "/a", "where": {"over": True}}}, "over: a boolean is not a number"),
        ({"filter": {"path": "/a", "where": {"exists": 1}}}, "exists: true or false"),
        ({"filter": {"path": "/a", "where": {"equals": float("nan")}}}, "equals: NaN"),
        ({"unique": {"path": "/a", "by": "/*"}}, "leads to one member"),
        ({"group": {"path": "/a", "sum": "/s"}}, "needs by"),
        ({"group": {"path": "/a", "by": "/l"}}, "needs one of sum, max, min, mean"),
        ({"group": {"path": "/a", "by": "/l", "sum": "/l"}}, "another member"),
        ({"group": {"path": "/a", "by": "/l", "sum": "/s", "max": "/s"}}, "each member in one way"),
        ({"map_keys": {"path": "/a"}}, "needs table"),
        ({"map_keys": {"path": "/a", "table": {"a": 1}}}, "a mapping of old names"),
        ({"map_keys": {"path": "/a", "table": {"a": "b"}, "on_unmapped": "drop"}}, "fail, keep, remove"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        parse([operation])
