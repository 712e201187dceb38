"""Each operation on small documents; `both` holds the interpreter, the generated code and the strict code together."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown_adapters.operations import is_lossless, parse
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.scalars import sigmoid
from stepdown_adapters.operations.shapes import softmax
from stepdown_adapters.operations.table import CONVERSIONS, EDITS
from stepdown_adapters.operations.within import In
from tests.kit.adapters import REFUSED, both, refusal

STRUCTURE = [
    ({"add": {"path": "/b", "value": 1}}, {"a": 0}, {"a": 0, "b": 1}),
    ({"add": {"path": "/a", "value": [1]}}, {"a": 0}, {"a": [1]}),
    ({"add": {"path": "/x/y/z", "value": 1}}, {}, {"x": {"y": {"z": 1}}}),
    ({"add": {"path": "/a/0", "value": 9}}, {"a": [1, 2]}, {"a": [9, 1, 2]}),
    ({"add": {"path": "/a/2", "value": 9}}, {"a": [1, 2]}, {"a": [1, 2, 9]}),
    ({"add": {"path": "/a/3", "value": 9}}, {"a": [1, 2]}, REFUSED),
    ({"add": {"path": "/a/-", "value": 9}}, {"a": [1, 2]}, {"a": [1, 2, 9]}),
    ({"add": {"path": "/-", "value": 9}}, {}, {"-": 9}),
    ({"add": {"path": "/a/b", "value": 9}}, {"a": 1}, REFUSED),
    ({"add": {"path": "/a/*/b", "value": 9}}, {"a": [{}, {"b": 1}]}, {"a": [{"b": 9}, {"b": 9}]}),
    ({"add": {"path": "/a/[n=x]/b", "value": 9}}, {"a": [{"n": "x"}, {"n": "y"}]}, {"a": [{"n": "x", "b": 9},
     {"n": "y"}]}),
    ({"add": {"path": "/a/[n=x]/b", "value": 9}}, {"a": [{"n": "x"}, {"n": "x"}]}, REFUSED),
    ({"add": {"path": "", "value": {"new": None}}}, [1], {"new": None}),
    ({"remove": "/a"}, {"a": 1, "b": 2}, {"b": 2}),
    ({"remove": "/x"}, {"a": 1}, {"a": 1}),
    ({"remove": "/x/y"}, {"a": 1}, {"a": 1}),
    ({"remove": {"path": "/x", "on_missing": "fail"}}, {"a": 1}, REFUSED),
    ({"remove": "/a/1"}, {"a": [1, 2, 3]}, {"a": [1, 3]}),
    ({"remove": {"path": "/a/5", "on_missing": "fail"}}, {"a": [1]}, REFUSED),
    ({"remove": "/a/*"}, {"a": [1, 2, 3]}, {"a": []}),
    ({"remove": "/a/*"}, {"a": {"x": 1}}, {"a": {}}),
    ({"remove": "/a/*"}, {"a": 5}, {"a": 5}),
    ({"remove": "/a/*/x"}, {"a": [{"x": 1, "y": 2}, {}, 5]}, {"a": [{"y": 2}, {}, 5]}),
    ({"remove": "/a/[n=x]"}, {"a": [{"n": "x"}, {"n": "y"}, {"n": "x"}]}, {"a": [{"n": "y"}]}),
    ({"remove": {"path": "/a/[n=z]", "on_missing": "fail"}}, {"a": [{"n": "x"}]}, REFUSED),
    ({"replace": {"path": "/a/b", "value": {"c": [1]}}}, {"a": {"b": 0}}, {"a": {"b": {"c": [1]}}}),
    ({"replace": {"path": "/a/b", "value": 1}}, {"a": {}}, REFUSED),
    ({"replace": {"path": "/a/b", "value": 1}}, {"a": "text"}, REFUSED),
    ({"replace": {"path": "/a/b", "value": 1, "on_missing": "skip"}}, {"a": {}}, {"a": {}}),
    ({"replace": {"path": "/a/*", "value": []}}, {"a": [1, 2]}, {"a": [[], []]}),
    ({"replace": {"path": "/a/0", "value": 9}}, {"a": [1, 2]}, {"a": [9, 2]}),
    ({"replace": {"path": "/a/0", "value": 9}}, {"a": {"0": 1}}, {"a": {"0": 9}}),
    ({"replace": {"path": "/a/0", "value": 9}}, {"a": "text"}, REFUSED),
    ({"replace": {"path": "", "value": 9}}, {"a": 1}, 9),
    ({"test": {"path": "/a", "value": {"x": [1, True]}}}, {"a": {"x": [1.0, True]}}, {"a": {"x": [1, True]}}),
    ({"test": {"path": "/a", "value": 1}}, {"a": True}, REFUSED),
    ({"test": {"path": "/a", "value": None}}, {}, REFUSED),
    ({"test": {"path": "/a", "value": None, "on_missing": "skip"}}, {}, {}),
    ({"move": {"from": "/a", "to": "/b"}}, {"a": [1], "c": 2}, {"c": 2, "b": [1]}),
    ({"move": {"from": "/a", "to": "/b"}}, {"a": 1, "b": 2}, {"b": 1}),
    ({"move": {"from": "/a", "to": "/b"}}, {}, REFUSED),
    ({"move": {"from": "/a", "to": "/b", "on_missing": "skip"}}, {"b": 2}, {"b": 2}),
    ({"move": {"from": "/a", "to": "/b", "default": [7]}}, {}, {"b": [7]}),
    ({"move": {"from": "/a/b", "to": "/a"}}, {"a": {"b": {"b": 1}}}, {"a": {"b": 1}}),
    ({"move": {"from": "/a", "to": "/x/y"}}, {"a": 1}, {"x": {"y": 1}}),
    ({"move": {"from": "/a/0", "to": ""}}, {"a": [{"x": 1}]}, {"x": 1}),
    ({"move": {"from": "/a/0", "to": "/a/-"}}, {"a": [1, 2]}, {"a": [2, 1]}),
    ({"move": {"from": "/a/*/x", "to": "/a/*/y"}}, {"a": [{"x": 1}, {"x": 2}]}, {"a": [{"y": 1}, {"y": 2}]}),
    ({"move": {"from": "/a/[n=s]/v", "to": "/s"}}, {"a": [{"n": "s", "v": 1}]}, {"a": [{"n": "s"}], "s": 1}),
    ({"move": {"from": "/a/[n=s]", "to": "/s"}}, {"a": [{"n": "r"}, {"n": "s"}]}, {"a": [{"n": "r"}], "s": {"n": "s"}}),
    ({"move": {"from": "/a/[n=s]", "to": "/s"}}, {"a": [{"n": "s"}, {"n": "s"}]}, REFUSED),
    ({"move": {"from": "/a/[n=s]", "to": "/s"}}, {"a": []}, REFUSED),
    ({"move": {"from": "/a/[n=s]", "to": "/s", "on_missing": "skip"}}, {"a": []}, {"a": []}),
    ({"move": {"from": "/a/[n=s]/v", "to": "/s", "default": 0}}, {"a": []}, {"a": [], "s": 0}),
    ({"copy": {"from": "/a", "to": "/b"}}, {"a": {"x": 1}}, {"a": {"x": 1}, "b": {"x": 1}}),
    ({"copy": {"from": "/a", "to": "/b/[n=1]/c"}}, {"a": 1, "b": [{"n": 1}]}, {"a": 1, "b": [{"n": 1, "c": 1}]}),
    ({"zip": {"from": {"l": "/a", "s": "/b"}, "to": "/c"}}, {"a": ["x", "y"], "b": [1, 2]},
     {"c": [{"l": "x", "s": 1}, {"l": "y", "s": 2}]}),
    ({"zip": {"from": {"l": "/a", "s": "/b"}, "to": "/c"}}, {"a": ["x"], "b": [1, 2]}, REFUSED),
    ({"zip": {"from": {"l": "/a"}, "to": "/c"}}, {"a": 5}, REFUSED),
    ({"unzip": {"from": "/c", "to": {"l": "/a", "s": "/d/b"}}}, {"c": [{"l": "x", "s": 1}]},
     {"a": ["x"], "d": {"b": [1]}}),
    ({"unzip": {"from": "/c", "to": {"l": "/a"}}}, {"c": [{"l": "x", "s": 1}]}, REFUSED),
    ({"unzip": {"from": "/c", "to": {"l": "/a"}}}, {"c": [5]}, REFUSED),
]  # fmt: skip

SHAPES = [
    ({"wrap": "/a"}, {"a": 1}, {"a": [1]}),
    ({"wrap": {"path": "", "as": "result"}}, [1], {"result": [1]}),
    ({"wrap": {}}, {"a": 1}, [{"a": 1}]),
    ({"head": ""}, [{"a": 1}], {"a": 1}),
    ({"head": "/a"}, {"a": [1, 2]}, REFUSED),
    ({"head": "/a"}, {"a": []}, REFUSED),
    ({"head": "/a"}, {"a": "x"}, REFUSED),
    ({"head": {"path": "/a", "default": 0}}, {}, {"a": 0}),
    ({"head": {"path": "/a", "default": 0}}, {"a": [1]}, {"a": 1}),
    ({"head": {"path": "/a", "default": 0}}, {"a": []}, REFUSED),
    ({"project": {"keep": ["a", "z"]}}, {"a": 1, "b": 2}, {"a": 1}),
    ({"project": {"path": "/*", "keep": []}}, [{"a": 1}, {}], [{}, {}]),
    ({"project": {"path": "/a", "keep": []}}, {"a": None}, REFUSED),
    ({"slice": {"path": "/a", "end": 2}}, {"a": [1, 2, 3]}, {"a": [1, 2]}),
    ({"slice": {"path": "/a", "start": 1}}, {"a": [1, 2, 3]}, {"a": [2, 3]}),
    ({"slice": {"path": "/a", "end": 2}}, {"a": "xyz"}, REFUSED),
    ({"sort_by": {"path": "/a", "by": "/s/v"}}, {"a": [{"s": {"v": 2}}, {"s": {"v": 1}}]}, {"a": [{"s": {"v": 1}},
     {"s": {"v": 2}}]}),
    ({"sort_by": {"path": "/a", "order": "descending"}}, {"a": [1, 3.5, 2]}, {"a": [3.5, 2, 1]}),
    ({"sort_by": "/a"}, {"a": ["b", "a"]}, {"a": ["a", "b"]}),
    ({"sort_by": "/a"}, {"a": ["b", 1]}, REFUSED),
    ({"sort_by": "/a"}, {"a": [True, 1]}, REFUSED),
    ({"sort_by": {"path": "/a", "by": "/s"}}, {"a": [{"s": 1}, {}]}, REFUSED),
    ({"sort_by": {"path": "/a", "by": "/s"}}, {"a": [{"s": 1, "n": 1}, {"s": 0}, {"s": 1, "n": 2}]},
     {"a": [{"s": 0}, {"s": 1, "n": 1}, {"s": 1, "n": 2}]}),
    ({"top_k": {"path": "/a", "k": 2, "by": "/s"}}, {"a": [{"s": 1}, {"s": 3}, {"s": 2}]}, {"a": [{"s": 3}, {"s": 2}]}),
    ({"top_k": {"path": "/a", "k": 2}}, {"a": [1]}, {"a": [1]}),
    ({"to_entries": "/m"}, {"m": {"a": 1, "b": {}}}, {"m": [{"key": "a", "value": 1}, {"key": "b", "value": {}}]}),
    ({"to_entries": "/m"}, {"m": []}, REFUSED),
    ({"from_entries": {"path": "/m", "key": "l", "value": "s"}}, {"m": [{"l": "a", "s": 1}]}, {"m": {"a": 1}}),
    ({"from_entries": {"path": "/m", "key": "l", "value": "s"}}, {"m": [{"l": "a", "s": 1},
     {"l": "a", "s": 2}]}, REFUSED),
    ({"from_entries": "/m"}, {"m": [{"key": 1, "value": 1}]}, REFUSED),
    ({"from_entries": "/m"}, {"m": [{"key": "a", "value": 1, "more": 2}]}, REFUSED),
    ({"argmax": "/a"}, {"a": [0.1, 0.7, 0.7]}, {"a": 1}),
    ({"argmax": {"path": "/a", "labels": ["no", "yes"]}}, {"a": [[0.1, 0.7], [3, 2]]}, {"a": ["yes", "no"]}),
    ({"argmax": {"path": "/a", "labels": ["no", "yes"]}}, {"a": [1]}, REFUSED),
    ({"argmax": "/a"}, {"a": []}, REFUSED),
    ({"argmax": "/a"}, {"a": ["x"]}, REFUSED),
    ({"softmax": "/a"}, {"a": [0, 0]}, {"a": [0.5, 0.5]}),
    ({"softmax": "/a"}, {"a": [[5], [1e308, -1e308]]}, {"a": [[1.0], [1.0, 0.0]]}),
    ({"softmax": "/a"}, {"a": []}, REFUSED),
    ({"softmax": "/a"}, {"a": [1, True]}, REFUSED),
    ({"softmax": "/a"}, {"a": [1, [2]]}, REFUSED),
    ({"flatten": "/a"}, {"a": [[1, [2]], [], 3, "x"]}, {"a": [1, 2, 3, "x"]}),
    ({"flatten": "/a"}, {"a": 1}, REFUSED),
    ({"reshape": {"path": "/a", "shape": [2, 2]}}, {"a": [1, 2, 3, 4]}, {"a": [[1, 2], [3, 4]]}),
    ({"reshape": {"path": "/a", "shape": [-1, 2, 1]}}, {"a": [[1, 2], [3, 4]]}, {"a": [[[1], [2]], [[3], [4]]]}),
    ({"reshape": {"path": "/a", "shape": [-1, 2]}}, {"a": []}, {"a": []}),
    ({"reshape": {"path": "/a", "shape": [2, 0]}}, {"a": []}, {"a": [[], []]}),
    ({"reshape": {"path": "/a", "shape": [3]}}, {"a": [1, 2]}, REFUSED),
    ({"reshape": {"path": "/a", "shape": [-1, 3]}}, {"a": [1, 2]}, REFUSED),
    ({"reshape": {"path": "/a", "shape": [-1, 0]}}, {"a": []}, REFUSED),
]  # fmt: skip

SCALARS = [
    ({"map_values": {"path": "/a", "table": {"x": "y"}}}, {"a": "x"}, {"a": "y"}),
    ({"map_values": {"path": "/a", "table": {"1": "one", "true": "yes", "null": "nothing"}}}, {"a": 1.0}, {"a": "one"}),
    ({"map_values": {"path": "/a/*", "table": {"1": "one", "true": "yes", "null": [1]}}}, {"a": [1, True, None]},
     {"a": ["one", "yes", [1]]}),
    ({"map_values": {"path": "/a", "table": {"1.5": 3}}}, {"a": 1.5}, {"a": 3}),
    ({"map_values": {"path": "/a", "table": {"x": "y"}}}, {"a": "z"}, REFUSED),
    ({"map_values": {"path": "/a/*", "table": {"x": "y"}}}, {"a": ["x", "z"]}, REFUSED),
    ({"map_values": {"path": "/a", "table": {"x": "y"}, "default": None}}, {"a": "z"}, {"a": None}),
    ({"map_values": {"path": "/a", "table": {"x": "y"}}}, {"a": ["x"]}, REFUSED),
    ({"map_values": {"path": "/a", "table": {"x": "y"}, "on_missing": "skip"}}, {}, {}),
    ({"cast": {"path": "/a", "to": "string"}}, {"a": 1}, {"a": "1"}),
    ({"cast": {"path": "/a", "to": "string"}}, {"a": False}, {"a": "false"}),
    ({"cast": {"path": "/a", "to": "string"}}, {"a": "x"}, {"a": "x"}),
    ({"cast": {"path": "/a", "to": "string"}}, {"a": None}, REFUSED),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "-1.5e2"}, {"a": -150}),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "12"}, {"a": 12}),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "1e999"}, REFUSED),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "0x1"}, REFUSED),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "1" * 30}, REFUSED),
    ({"cast": {"path": "/a", "to": "number"}}, {"a": "1" * 500}, REFUSED),
    ({"cast": {"path": "/a", "to": "integer"}}, {"a": 2.0}, {"a": 2}),
    ({"cast": {"path": "/a", "to": "integer"}}, {"a": 2.5}, REFUSED),
    ({"cast": {"path": "/a", "to": "integer"}}, {"a": True}, {"a": 1}),
    ({"cast": {"path": "/a", "to": "integer"}}, {"a": 1e300}, REFUSED),
    ({"cast": {"path": "/a", "to": "boolean"}}, {"a": "true"}, {"a": True}),
    ({"cast": {"path": "/a", "to": "boolean"}}, {"a": 0}, {"a": False}),
    ({"cast": {"path": "/a", "to": "boolean"}}, {"a": 2}, REFUSED),
    ({"cast": {"path": "/a", "to": "boolean"}}, {"a": "yes"}, REFUSED),
    ({"cast": {"path": "/a", "to": "boolean"}}, {"a": True}, {"a": True}),
    ({"cast": {"path": "/a", "to": "integer", "default": 0}}, {}, {"a": 0}),
    ({"linear": {"path": "/a/*", "scale": 100, "offset": 1}}, {"a": [0.5, 2, -1]}, {"a": [51.0, 201, -99]}),
    ({"linear": {"path": "/a", "scale": 0.001}}, {"a": 1500}, {"a": 1.5}),
    ({"linear": {"path": "/a/*", "scale": 1e300}}, {"a": [1e300]}, REFUSED),
    ({"linear": {"path": "/a", "scale": 1e300}}, {"a": 10**30}, {"a": REFUSED}),
    ({"linear": {"path": "/a", "offset": 1}}, {"a": None}, REFUSED),
    ({"clamp": {"path": "/a/*", "min": 0, "max": 1}}, {"a": [-0.5, 0.5, 7, -3]}, {"a": [0, 0.5, 1, 0]}),
    ({"clamp": {"path": "/a/*", "max": 1}}, {"a": {"x": -0.5, "y": 2.5}}, {"a": {"x": -0.5, "y": 1}}),
    ({"clamp": {"path": "/a/*", "min": 0}}, {"a": [-0.5, "x"]}, REFUSED),
    ({"round": "/a/*"}, {"a": [0.5, 1.5, -2.7, 3]}, {"a": [0, 2, -3, 3]}),
    ({"round": {"path": "/a/*", "digits": 2}}, {"a": [0.125, 1e300]}, {"a": [0.12, 1e300]}),
    ({"round": "/a/*"}, {"a": [1e300]}, REFUSED),
    ({"sigmoid": "/a/*"}, {"a": [0.0, 1000.0, -1000.0, 0]}, {"a": [0.5, 1.0, 0.0, 0.5]}),
    ({"sigmoid": "/a/*"}, {"a": [0.0, True]}, REFUSED),
    ({"sigmoid": "/a/*"}, {"a": {"x": 0.0}}, {"a": {"x": 0.5}}),
    ({"sigmoid": "/a/*"}, {"a": 0.0}, REFUSED),
    ({"sigmoid": {"path": "/a/*", "on_missing": "skip"}}, {"a": 0.0}, {"a": 0.0}),
    ({"sigmoid": {"path": "/a/*", "on_missing": "skip"}}, {"a": [0.0]}, {"a": [0.5]}),
    ({"sigmoid": "/a"}, {"a": 10**400}, REFUSED),
    ({"sigmoid": "/a/*/*"}, {"a": [[0.0], [0.0, 0.0]]}, {"a": [[0.5], [0.5, 0.5]]}),
    ({"logit": "/a/*"}, {"a": [0.5]}, {"a": [0.0]}),
    ({"logit": "/a/*"}, {"a": [0.0]}, REFUSED),
    ({"logit": "/a/*"}, {"a": [1]}, REFUSED),
    ({"logit": "/a/*"}, {"a": [1.5]}, REFUSED),
    ({"logit": {"path": "/a", "epsilon": 0.25}}, {"a": 0}, {"a": math.log(0.25 / 0.75)}),
    ({"threshold": {"path": "/a/*", "at": 0.5}}, {"a": [0.5, 0.4, 1]}, {"a": [True, False, True]}),
    ({"threshold": {"path": "/a/*", "at": 0.5, "above": "yes", "below": ["no"]}}, {"a": [0.7, 0.1]},
     {"a": ["yes", ["no"]]}),
    ({"threshold": {"path": "/a", "at": 0.5}}, {"a": "x"}, REFUSED),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "document", "expected"), STRUCTURE + SHAPES + SCALARS, ids=str)
def test_the_operation_does_what_its_name_says(operation: Any, document: Any, expected: Any) -> None:
    if expected == {"a": REFUSED}:
        expected = REFUSED
    assert both([operation], document) == expected


def test_in_runs_its_operations_in_every_place() -> None:
    operations = [
        {"in": "/rows/*", "do": [{"move": {"from": "/x", "to": "/y"}}, {"linear": {"path": "/y", "scale": 2}}]}
    ]
    assert both(operations, {"rows": [{"x": 1}, {"x": 2}]}) == {"rows": [{"y": 2}, {"y": 4}]}


def test_in_may_change_what_it_was_selected_by() -> None:
    operations = [
        {"in": "/o/[name=score]", "do": [{"replace": {"path": "/name", "value": "p"}}, {"sigmoid": "/data/*"}]},
        {"remove": "/o/[name=e]"},
    ]
    document = {"o": [{"name": "e", "data": [1]}, {"name": "score", "data": [0.0, 0]}]}
    assert both(operations, document) == {"o": [{"name": "p", "data": [0.5, 0.5]}]}


def test_in_may_replace_its_place_as_a_whole() -> None:
    operations = [{"in": "/a/*", "do": [{"wrap": ""}, {"wrap": {"as": "v"}}, {"add": {"path": "/n", "value": 1}}]}]
    assert both(operations, {"a": [1, {"x": 2}]}) == {"a": [{"v": [1], "n": 1}, {"v": [{"x": 2}], "n": 1}]}


def test_in_fails_where_its_path_leads_nowhere_unless_told_to_skip() -> None:
    inner = [{"remove": "/x"}]
    assert both([{"in": "/a", "do": inner}], {}) == REFUSED
    assert both([{"in": "/a", "do": inner, "on_missing": "skip"}], {"b": 1}) == {"b": 1}


def test_one_row_that_cannot_be_mapped_fails_all() -> None:
    operations = [{"map_values": {"path": "/rows/*/label", "table": {"gold": "good"}}}]
    error = refusal(operations, b'{"rows":[{"label":"gold"},{"label":"new"}]}')
    assert error.sentence == "the table has nothing for 'new'"
    assert error.path == "/rows/*/label"


def test_a_default_is_new_each_time() -> None:
    operations = [
        {"map_values": {"path": "/a/*", "table": {"x": []}, "default": []}},
        {"add": {"path": "/a/0/-", "value": 1}},
    ]
    assert both(operations, {"a": ["x", "x", "y"]}) == {"a": [[1], [], []]}


def test_a_copy_shares_nothing_with_its_source() -> None:
    operations = [
        {"remove": "/a/nothing"},
        {"copy": {"from": "/a", "to": "/b"}},
        {"replace": {"path": "/b/x/y", "value": 2}},
    ]
    assert both(operations, {"a": {"x": {"y": 1}}}) == {"a": {"x": {"y": 1}}, "b": {"x": {"y": 2}}}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_sigmoid_stays_between_0_and_1(x: float) -> None:
    assert 0.0 <= sigmoid(x) <= 1.0
    assert math.isclose(sigmoid(x) + sigmoid(-x), 1.0)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_softmax_sums_to_1_and_never_overflows(values: list[float]) -> None:
    assert math.isclose(sum(softmax(values)), 1.0)


@given(st.floats(-30, 30))
def test_logit_undoes_sigmoid(x: float) -> None:
    result = both([{"sigmoid": "/a/*"}, {"logit": "/a/*"}], {"a": [x]})
    assert math.isclose(result["a"][0], x, rel_tol=1e-2, abs_tol=1e-9)


def test_every_operation_says_what_it_loses() -> None:
    for kind in (*EDITS.values(), *CONVERSIONS.values(), In):
        assert isinstance(kind.loss, Loss)
        assert kind.note


@pytest.mark.parametrize(
    ("operations", "lossless"),
    [
        ([], True),
        ([{"move": {"from": "/a", "to": "/b"}}, {"sigmoid": "/b/*"}], True),
        ([{"remove": "/a"}], False),
        ([{"in": "/a", "do": [{"in": "/b", "do": [{"round": "/c"}]}]}], False),
        ([{"in": "/a", "do": [{"wrap": "/c"}]}], True),
    ],
)
def test_a_list_is_lossless_if_all_of_its_operations_are(operations: Any, lossless: bool) -> None:
    assert is_lossless(parse(operations)) is lossless


def test_in_leaves_places_alone_where_its_conditions_do_not_hold() -> None:
    renames = [{"move": {"from": "/old", "to": "/new"}}]
    rows = [{"old": 1}, {"old": 1, "new": 2}]
    absent = {"in": "/rows/*", "where": {"path": "/new", "exists": False}, "do": renames}
    assert both([absent], {"rows": rows}) == {"rows": [{"new": 1}, {"old": 1, "new": 2}]}
    conditions = [{"path": "/new", "exists": True}, {"path": "/old", "over": 0}]
    present = {"in": "/rows/*", "where": conditions, "do": [{"remove": "/old"}]}
    assert both([present], {"rows": rows}) == {"rows": [{"old": 1}, {"new": 2}]}
    assert both([absent, {"in": "/rows/*", "do": [{"remove": "/old"}]}], {"rows": rows}) == {
        "rows": [{"new": 1}, {"new": 2}]
    }


def test_what_conditions_left_alone_is_read_as_it_is() -> None:
    where = {"path": "/b", "exists": True}
    operations = [{"in": "", "where": where, "do": [{"move": {"from": "/b", "to": "/a"}}]}, {"sigmoid": "/a"}]
    assert both(operations, {"a": 0}) == {"a": 0.5}
    assert both(operations, {"a": 5, "b": 0}) == {"a": 0.5}
