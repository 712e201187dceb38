"""Which events a rule is for."""

from __future__ import annotations

import pytest

from stepdown_adapters import Adapter
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from tests.kit.stream_adapters import step
from tests.kit.streams import SSE, sse

TYPED = b'event: ping\ndata: {"type":"pong","a":[{"b":1}]}\n\n'


def drops(selector: str, stream: bytes) -> bool:
    return not Adapter.of([step(f"on: {{'{selector}': drop}}")]).stream(SSE).feed(stream)


@pytest.mark.parametrize(
    "selector", ["ping", "pong", "event=ping", "type=pong", "*", "/a", "/a/*/b", "/a/0", "/a/[b=1]"]
)
def test_it_is_for_the_event(selector: str) -> None:
    assert drops(selector, TYPED)


@pytest.mark.parametrize("selector", ["pin", "event=pong", "type=ping", "[DONE]", "/b", "/a/*/c", "/a/1", "/a/[b=2]"])
def test_it_is_for_others(selector: str) -> None:
    assert not drops(selector, TYPED)


def test_a_type_may_be_written_with_escapes_and_one_that_is_no_text_is_none() -> None:
    assert drops("pong", b'data: {"type":"p\\u006fng"}\n\n')
    assert drops("pong", b'data: {"type":"p\\u006fng" , "x": "\\n"}\n\n')
    assert not drops("pong", b'data: {"type":7}\n\n')
    assert not drops("pong", b'data: {"type":"p\\u006fnk"}\n\n')
    assert not drops("pong", b'data: ["pong"]\n\n')
    assert drops("a/b", b'data: {"type":"a\\/b"}\n\n')


def test_a_word_in_a_text_is_no_member() -> None:
    assert not drops("/reasoning", sse({"content": "reasoning", "other": {"reasoning": 1}}))


def test_the_first_rule_that_fits_is_taken() -> None:
    rules = "on: {/b: {add: {path: /first, value: 1}}, x: drop, /a: {add: {path: /last, value: 1}}, '*': drop}"
    chain = Adapter.of([step(rules)]).stream(SSE)
    assert chain.feed(sse({"b": 1, "a": 1, "type": "x"})) == b'data: {"b":1,"a":1,"type":"x","first":1}\n\n'
    assert chain.feed(sse({"a": 1, "type": "x"}, {"c": 1})) == b""
    assert chain.feed(sse({"a": 1})) == b'data: {"a":1,"last":1}\n\n'


def test_many_selectors_are_all_found() -> None:
    rules = "on: {" + ", ".join(f"/m{index}: drop" for index in range(9)) + ", event=e: drop}"
    chain = Adapter.of([step(rules)]).stream(SSE)
    assert chain.feed(sse({"m8": 1}, {"m9": 1})) == sse({"m9": 1})
    assert chain.feed(b"event: e\ndata: {}\n\n") == b""


def test_a_type_that_a_step_before_has_changed_counts() -> None:
    first = step("on: {a: {replace: {path: /type, value: b}}}", "3.0.0", "2.0.0")
    chain = Adapter.of([first, step("on: {b: drop}")]).stream(SSE)
    assert chain.feed(sse({"type": "a"}, {"type": "b"}, {"type": "c"})) == sse({"type": "c"})


def test_a_value_that_cannot_be_compared_is_a_failure_and_no_surprise() -> None:
    chain = Adapter.of([step("on: {'/a/[n=1]': drop}")]).stream(SSE)
    with pytest.raises(BrokenStreamError, match="stream: choosing a rule"):
        chain.feed(b'data: {"a":[{"n":1e999}]}\n\n')
