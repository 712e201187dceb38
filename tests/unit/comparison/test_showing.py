"""What is kept of documents to be looked at: short, and nothing of what is redacted."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from stepdown.comparison.answers import Reply
from stepdown.comparison.compare import Comparison
from stepdown.comparison.rules import compile_rules
from stepdown.comparison.showing import LONGEST, LONGEST_BODY, body, shown, shown_sides
from stepdown.decide.shadow_spec import Comparing
from tests.kit.comparing import differences, reply


def plain(value: Any, redact: tuple[str, ...] = ()) -> str:
    return shown(value, compile_rules(Comparing(), redact))


def test_a_value_is_shown_as_json() -> None:
    assert plain({"a": [1, 2.5, None, True, "ä"]}) == '{"a": [1, 2.5, null, true, "ä"]}'
    assert plain(math.nan) == "NaN"


def test_redacted_parts_are_not_shown_wherever_they_are() -> None:
    document = {"name": "ada", "users": {"bob": 1}, "rows": [{"kind": "pin", "v": 1234}, {"kind": "age", "v": 7}]}
    text = plain(document, ("/name", "/users/*", "/rows/[kind=pin]/v"))
    assert json.loads(text) == {
        "name": "[redacted]",
        "users": {"[redacted]": "[redacted]"},
        "rows": [{"kind": "pin", "v": "[redacted]"}, {"kind": "age", "v": 7}],
    }


LONG = {
    "text": "x" * 10**6,
    "array": ["x" * 50] * 10**5,
    "object": {f"{number}": number for number in range(10**5)},
    "name": {"y" * 10**6: 1},
    "empty arrays": [[]] * 10**6,
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_value_is_cut(name: str) -> None:
    assert len(plain(LONG[name])) <= LONGEST


def test_a_value_nested_deeply_or_a_number_without_end_is_cut() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert "..." in plain(value)
    assert plain(10**100_000) == '"..."'


def test_half_a_character_is_no_error() -> None:
    assert plain("\ud800") == '"\\ud800"'


def test_both_sides_of_a_difference_are_shown() -> None:
    served, candidate = {"a": {"pin": 1}, "b": 1, "n": 1}, {"b": 2, "c": {"pin": 2}, "n": 2}
    sides = [shown_sides(one) for one in differences(served, candidate, ("/*/pin", "/n"))]
    assert sides == [
        ('{"pin": "[redacted]"}', ""),
        ("1", "2"),
        ('"[redacted]"', '"[redacted]"'),
        ("", '{"pin": "[redacted]"}'),
    ]


def test_status_codes_are_shown_whatever_is_redacted() -> None:
    (one,) = Comparison(Comparing(), ("",)).compare(reply(1), reply(1, status=500)).differences
    assert shown_sides(one) == ("200", "500")


def test_a_body_is_shown_without_what_is_redacted() -> None:
    assert body(reply(body=b'{"a":1,"b":2}'), Comparison(Comparing(), ("/a",))) == '{"a": "[redacted]", "b": 2}'


def test_of_a_body_that_is_no_json_nothing_is_shown_where_anything_is_redacted() -> None:
    html = Reply(200, b"<p>\xff</p>", "text/html")
    assert body(html, Comparison(Comparing())) == "<p>\\xff</p>"
    assert body(html, Comparison(Comparing(), ("/a",))) == "[redacted]"
    assert body(Reply(204), Comparison(Comparing(), ("/a",))) == ""
    assert len(body(Reply(200, b"x" * 10**6), Comparison(Comparing()))) == LONGEST_BODY
