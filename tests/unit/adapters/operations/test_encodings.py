"""encode, decode: base64, and JSON that is told as a text."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import OperationError
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from stepdown_adapters.operations.effects import after
from tests.kit.adapters import REFUSED, adapted, both, refusal

AS_JSON, FROM_JSON = {"encode": {"path": "/a", "as": "json"}}, {"decode": {"path": "/a", "from": "json"}}
A_TEXT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        ({"encode": "/a"}, {"a": "é?>"}, {"a": "w6k/Pg=="}),
        ({"encode": {"path": "/a", "as": "base64url", "padding": False}}, {"a": "é?>"}, {"a": "w6k_Pg"}),
        ({"encode": "/a"}, {"a": {}}, REFUSED),
        ({"decode": "/a"}, {"a": "w6k/Pg=="}, {"a": "é?>"}),
        ({"decode": "/a"}, {"a": "w6k/Pg"}, {"a": "é?>"}),
        ({"decode": {"path": "/a", "from": "base64url"}}, {"a": "w6k_Pg=="}, {"a": "é?>"}),
        ({"decode": "/a"}, {"a": ""}, {"a": ""}),
        ({"decode": "/a"}, {"a": "w6k_Pg=="}, REFUSED),
        ({"decode": "/a"}, {"a": "w6k/Pg="}, REFUSED),
        ({"decode": "/a"}, {"a": "YR=="}, REFUSED),
        ({"decode": "/a"}, {"a": "YQ==\n"}, REFUSED),
        ({"decode": "/a"}, {"a": "/w=="}, REFUSED),
        ({"decode": "/a"}, {"a": "é"}, REFUSED),
        ({"decode": "/a"}, {"a": 5}, REFUSED),
        (AS_JSON, {"a": {"b": [1, "é \" x", None, True], "c": {}}}, {"a": '{"b":[1,"é \\" x",null,true],"c":{}}'}),
        (AS_JSON, {"a": "x"}, {"a": '"x"'}),
        (AS_JSON, {"a": None}, {"a": "null"}),
        (FROM_JSON, {"a": ' {"b" : [1, "\\u00e9"]}\n'}, {"a": {"b": [1, "é"]}}),
        (FROM_JSON, {"a": "7"}, {"a": 7}),
        (FROM_JSON, {"a": ""}, REFUSED),
        (FROM_JSON, {"a": '{"b": 1} x'}, REFUSED),
        (FROM_JSON, {"a": '{"b": NaN}'}, REFUSED),
        (FROM_JSON, {"a": "[" * 201 + "]" * 201}, REFUSED),
        (FROM_JSON, {"a": {}}, REFUSED),
    ],
    ids=lambda part: str(part)[:60],
)  # fmt: skip
def test_values_are_converted(operation: Any, document: Any, expected: Any) -> None:
    assert both([operation], document) == expected


@settings(deadline=None)
@given(texts, st.sampled_from(["base64", "base64url"]), st.booleans())
def test_decode_undoes_encode(text: str, alphabet: str, padding: bool) -> None:
    operations = [
        {"encode": {"path": "", "as": alphabet, "padding": padding}},
        {"decode": {"path": "", "from": alphabet}},
    ]
    assert run(parse(operations), text) == text


@settings(deadline=None)
@given(values)
def test_what_is_told_as_json_says_the_value(value: Any) -> None:
    document = {"a": value}
    for fidelity in ("normal", "strict"):
        told = json.loads(adapted([AS_JSON], json.dumps(document).encode(), fidelity))["a"]
        assert json.loads(told) == value
    assert both([AS_JSON, FROM_JSON], document) == document


@pytest.mark.parametrize("fidelity", ["normal", "strict"])
def test_numbers_and_texts_keep_their_spelling_and_lose_their_space(fidelity: str) -> None:
    body = b'{"a": {"n": 1.10, "big": [18446744073709551617, 1E5], "t": "\\u00e9 \\" x"}}'
    found = adapted([AS_JSON], body, fidelity)
    assert json.loads(found)["a"] == '{"n":1.10,"big":[18446744073709551617,1E5],"t":"\\u00e9 \\" x"}'
    assert adapted([FROM_JSON], found, fidelity).replace(b" ", b"") == body.replace(b" ", b"")


def test_the_sentence_says_what_the_text_is_not() -> None:
    assert refusal([{"decode": "/a"}], b'{"a":"/w=="}').sentence == "the bytes are no UTF-8 text at byte 0"
    assert refusal([{"decode": "/a"}], b'{"a":"?"}').sentence == "the string is no base64"
    assert refusal([FROM_JSON], b'{"a":"{"}').sentence.startswith("the string is no JSON: ")
    assert refusal([FROM_JSON], b'{"a":1}').sentence == "a number is not a string"


def test_of_a_text_of_json_nothing_is_known_and_one_that_is_made_is_a_text() -> None:
    assert after(parse([AS_JSON]), A_TEXT) == {**A_TEXT, "properties": {"a": {"type": "string"}}}
    assert after(parse([FROM_JSON]), A_TEXT) == {**A_TEXT, "properties": {"a": True}}
    assert after(parse([FROM_JSON]), {**A_TEXT, "properties": {"a": {"type": "integer"}}}) is False


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"encode": {"path": "/a", "as": "base65"}}, "one of base64, base64url, json"),
        ({"encode": {"path": "/a", "padding": "no"}}, "padding is true or false"),
        ({"encode": {"path": "/a", "as": "json", "padding": True}}, "has no option 'padding'"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        parse([operation])
