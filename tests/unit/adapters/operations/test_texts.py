"""join, split, format."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import OperationError
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, both, refusal


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        ({"join": "/a"}, {"a": ["x", "y"]}, {"a": "xy"}),
        ({"join": {"path": "/a", "separator": ", "}}, {"a": ["x", "", "y"]}, {"a": "x, , y"}),
        ({"join": "/a"}, {"a": []}, {"a": ""}),
        ({"join": "/a/*"}, {"a": [["x"], ["y", "z"]]}, {"a": ["x", "yz"]}),
        ({"join": "/a"}, {"a": ["x", 1]}, REFUSED),
        ({"join": "/a"}, {"a": "xy"}, REFUSED),
        ({"split": {"path": "/a", "separator": ", "}}, {"a": "x, , y"}, {"a": ["x", "", "y"]}),
        ({"split": {"path": "/a", "separator": ","}}, {"a": ""}, {"a": [""]}),
        ({"split": {"path": "/a", "separator": ","}}, {"a": 1}, REFUSED),
        ({"format": {"path": "/a", "template": "{label}: {score}"}}, {"a": {"label": "cat", "score": 0.5}},
         {"a": "cat: 0.5"}),
        ({"format": {"path": "/a/*", "template": "{}!"}}, {"a": ["x", 1, True]}, {"a": ["x!", "1!", "true!"]}),
        ({"format": {"path": "/a", "template": "{{{/b/0}}} {x y}"}}, {"a": {"b": ["z"], "x y": 1}}, {"a": "{z} 1"}),
        ({"format": {"path": "/a", "template": "{b}"}}, {"a": {"b": None}}, REFUSED),
        ({"format": {"path": "/a", "template": "{b}"}}, {"a": {"b": [1]}}, REFUSED),
        ({"format": {"path": "/a", "template": "{b}"}}, {"a": {}}, REFUSED),
        ({"format": {"path": "/a", "template": "{b}"}}, {"a": "b"}, REFUSED),
        ({"format": {"path": "/a", "template": "{b}"}}, {"a": {"b": "{c}"}}, {"a": "{c}"}),
    ],
    ids=str,
)  # fmt: skip
def test_texts_are_converted(operation: Any, document: Any, expected: Any) -> None:
    assert both([operation], document) == expected


@settings(deadline=None)
@given(st.text(), st.text(min_size=1, max_size=2))
def test_join_undoes_split(text: str, separator: str) -> None:
    operations = [{name: {"path": "", "separator": separator}} for name in ("split", "join")]
    assert run(parse(operations), text) == text


def test_the_sentence_names_the_item_or_field() -> None:
    assert refusal([{"join": "/a"}], b'{"a":["x",1]}').sentence == "item 1 is a number, not a string"
    template = {"format": {"path": "/a", "template": "{b}"}}
    assert refusal([template], b'{"a":{}}').sentence == "an object has no /b for the template"
    assert "/b is null" in refusal([template], b'{"a":{"b":null}}').sentence


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"join": {"path": "/a", "separator": 1}}, "separator is a string"),
        ({"split": "/a"}, "needs separator"),
        ({"split": {"path": "/a", "separator": ""}}, "not empty"),
        ({"format": "/a"}, "needs template"),
        ({"format": {"path": "/a", "template": "a {b"}}, "brace at character 3 is not closed"),
        ({"format": {"path": "/a", "template": "b} c"}}, "brace at character 2 closes nothing"),
        ({"format": {"path": "/a", "template": "{/a/*}"}}, "is one value"),
        ({"format": {"path": "/a", "template": "{/a~}"}}, "~ is written ~0"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        parse([operation])
