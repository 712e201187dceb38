"""Folds: what events leave behind, by each of the ways there are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown_adapters import Adapter
from stepdown_adapters.stream import SseReader
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from tests.kit.stream_adapters import step
from tests.kit.streams import SSE, sse, whole

EVENTS = [{"n": 1, "t": "a"}, {"n": 2.5}, {"t": "b", "type": "x"}, {"n": 1}]


def folded(rules: str, *events: Any) -> Any:
    """What is folded at the end of a stream."""
    chain = Adapter.of([step(f'fold: {rules}\non: {{"*": drop}}\nend: {{emit: {{}}}}')]).stream(SSE)
    [event] = whole(SseReader(), chain.feed(sse(*events)) + chain.close())
    return msgspec.json.decode(event.data or b"")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("last: /n", 1),
        ("first: /n", 1),
        ("first: /t", "a"),
        ("last: /t", "b"),
        ("last: ''", {"n": 1}),
        ("set: yes, where: {path: /t, equals: b}", "yes"),
        ("set: {a: [1]}, on: x", {"a": [1]}),
        ("set: 1, on: y, start: 0", 0),
        ("sum: /n", 4.5),
        ("sum: /n, start: 10", 14.5),
        ("sum: /none", 0),
        ("count: /n", 3),
        ("count: ''", 4),
        ("count: /n, start: 1", 4),
        ("join: /t", "ab"),
        ("join: /t, start: '>'", ">ab"),
        ("join: /none", ""),
        ("list: /n", [1, 2.5, 1]),
        ("list: /n, start: [0]", [0, 1, 2.5, 1]),
        ("number: /n", 0),
        ("on: [x, /n], count: ''", 4),
        ("on: [/t, /n], where: {path: /n, over: 1}, last: /n", 2.5),
        ("on: type=x, last: /t", "b"),
        ("on: event=x, last: /t, start: none", "none"),
    ],
)
def test_each_way_to_fold(rule: str, expected: Any) -> None:
    assert folded(f"{{a: {{{rule}}}}}", *EVENTS) == {"a": expected}


def test_what_no_event_said_is_not_there_at_the_end() -> None:
    assert folded("{a: {last: /none}, b: {set: 1, on: never}}", *EVENTS) == {}


def test_a_name_may_have_several_rules() -> None:
    rules = "{a: [{start: stop, on: x, set: tools}, {on: /end, last: /end}]}"
    assert folded(rules, *EVENTS) == {"a": "tools"}
    assert folded(rules, *EVENTS, {"end": "length"}) == {"a": "length"}
    assert folded(rules, {"other": 1}) == {"a": "stop"}


def test_different_values_are_numbered_as_they_come_and_equal_ones_alike() -> None:
    rules = "fold: {a: {number: /k}}\non: {/k: {emit: {data: {carried: a}}}}"
    chain = Adapter.of([step(rules)]).stream(SSE)
    out = chain.feed(sse(*({"k": key} for key in ("x", {"y": 1}, "x", True, 1, {"y": 1.0}))))
    assert [event.data for event in whole(SseReader(), out)] == [b"0", b"1", b"0", b"2", b"3", b"1"]


def test_a_rule_reads_a_joined_text_as_it_is_by_then() -> None:
    rules = "fold: {a: {join: /t}}\non: {/t: {replace: {path: /t, value: {carried: a}}}}"
    out = Adapter.of([step(rules)]).stream(SSE).feed(sse({"t": "a"}, {"t": "b"}))
    assert out == b'data: {"t":"a"}\n\ndata: {"t":"ab"}\n\n'


def test_what_a_request_carries_is_not_what_is_folded() -> None:
    rules = "fold: {a: {last: /t}}\nend: {emit: {}}"
    adapter = Adapter.of([step(rules, request=[{"carry": {"from": "/a", "as": "a"}}])])
    chain = adapter.stream(SSE, request={"a": 1})
    chain.feed(sse({"n": 1}))
    assert chain.close() == b"data: {}\n\n"


@pytest.mark.parametrize(
    ("rule", "events", "sentence"),
    [
        ("join: /a", [{"a": 1}], "only texts can be joined, not a number"),
        ("sum: /a", [{"a": "x"}], "a string is not a number"),
        ("sum: /a", [{"a": 1e308}, {"a": 1e308}], "the sum is no finite number"),
        ("last: '/a/[b=1]'", [{"a": [{"b": 1}, {"b": 1}]}], "fits 2 items"),
    ],
)
def test_what_cannot_be_folded_is_a_failure_with_its_place(rule: str, events: list[Any], sentence: str) -> None:
    chain = Adapter.of([step(f"fold: {{f: {{{rule}}}}}")]).stream(SSE)
    with pytest.raises(BrokenStreamError, match=r"^2.0.0 -> 1.0.0: stream: fold/f\[0\]") as caught:
        chain.feed(sse(*events))
    assert sentence in str(caught.value)
