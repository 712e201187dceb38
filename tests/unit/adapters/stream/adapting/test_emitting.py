"""What is emitted in the place of an event: made of templates and operations, with its type, one or many."""

from __future__ import annotations

import pytest

from stepdown_adapters import Adapter, interpret
from stepdown_adapters.operations.operand import Constant
from stepdown_adapters.stream.adapting.emitting import emission
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from tests.kit.stream_adapters import step
from tests.kit.streams import NDJSON, SSE, sse


def fed(rules: str, stream: bytes, kind: str = SSE) -> bytes:
    return Adapter.of([step(rules)]).stream(kind).feed(stream)


def test_a_template_has_references_at_any_depth_and_constants_that_look_like_some() -> None:
    data = "{a: [{field: /x}, {b: {document: /x}}], c: {literal: {field: /x}}, d: {field: /y, default: 0}}"
    out = fed(f"on: {{/x: {{emit: {{data: {data}}}}}}}", sse({"x": {"deep": [1]}}))
    expected = b'{"a":[{"deep": [1]},{"b":{"deep": [1]}}],"c":{"field":"/x"},"d":0}'
    assert out == b"data: " + expected + b"\n\n"


def test_operations_before_an_emit_are_done_for_all_and_those_in_it_for_one() -> None:
    rules = """
    on:
      /a:
        - linear: {path: /a, scale: 2}
        - emit: {do: [{add: {path: /first, value: true}}]}
        - linear: {path: /a, scale: 2}
        - emit: {}
        - emit: {data: {a: {field: /a}}, do: [{move: {from: /a, to: /b}}]}
    """
    assert fed(rules, sse({"a": 1})) == b'data: {"a":2,"first":true}\n\ndata: {"a":4}\n\ndata: {"b":4}\n\n'


def test_what_a_part_of_an_event_became_is_looked_into_by_what_follows() -> None:
    hoist = "{move: {from: /a, to: ''}}"
    assert fed(f"on: {{/a: [{hoist}, {{emit: {{data: {{b: {{field: /b}}}}}}}}]}}", sse({"a": {"b": 1}})) == (
        b'data: {"b":1}\n\n'
    )
    later = step("on: {/b: [{move: {from: /b, to: /c}}]}", "1.0.0", "0.1.0")
    chain = Adapter.of([step(f"on: {{/a: [{hoist}]}}"), later]).stream(SSE)
    assert chain.feed(sse({"a": {"b": 1}})) == b'data: {"c":1}\n\n'


def test_the_type_is_that_of_the_event_where_its_document_is_and_none_where_it_is_new() -> None:
    stream = b'event: x\ndata: {"a": 1}\n\n'
    assert fed("on: {x: {emit: {}}}", stream) == b'event: x\ndata: {"a":1}\n\n'
    assert fed("on: {x: {emit: {data: 1}}}", stream) == b"data: 1\n\n"
    assert fed("on: {x: {emit: {data: 1, event: y}}}", stream) == b"event: y\ndata: 1\n\n"
    assert fed("on: {x: {emit: {event: y}}}", stream) == b'event: y\ndata: {"a":1}\n\n'
    assert fed("on: {x: {remove: /a}}", stream) == b"event: x\ndata: {}\n\n"
    assert fed("on: {/a: {emit: {event: y}}}", b'{"a": 1}\n', NDJSON) == b'{"a":1}\n'


def test_what_an_event_says_about_reconnecting_goes_with_the_first_that_it_becomes() -> None:
    stream = b": c\nid: 7\nretry: 5\ndata: {}\n\n"
    assert fed("on: {'*': [{emit: {data: 1}}, {emit: {data: 2}}]}", stream) == (
        b": c\nid: 7\nretry: 5\ndata: 1\n\ndata: 2\n\n"
    )
    assert fed("on: {'*': {remove: /a}}", stream) == b": c\nid: 7\nretry: 5\ndata: {}\n\n"
    never = "on: {'*': {emit: {when: {path: /a, exists: true}}}}"
    assert fed(never, stream) == b": c\nid: 7\nretry: 5\n\n"
    assert fed(never, sse({"b": 1})) == b""


def test_one_event_for_each_place_and_none_where_there_is_no_place() -> None:
    rules = "on: {/type: {emit: {each: '/rows/*', data: {v: {field: /v}}}}}"
    out = fed(rules, sse({"type": 1, "rows": [{"v": 1}, {"v": 2}]}, {"type": 1, "rows": []}, {"type": 1}))
    assert out == b'data: {"v":1}\n\ndata: {"v":2}\n\n'


def test_events_made_of_one_document_do_not_change_each_other() -> None:
    rules = "on: {/a: [{emit: {do: [{remove: /a/b}]}}, {emit: {}}]}"
    assert fed(rules, sse({"a": {"b": 1}})) == b'data: {"a":{}}\n\ndata: {"a":{"b": 1}}\n\n'


def test_the_envelope_is_around_what_is_emitted_unless_it_says_otherwise() -> None:
    rules = """
    envelope: {id: {field: /id}, n: 0}
    on:
      /id: [{emit: {data: {n: 1}}}, {emit: {data: {e: 1}, envelope: false}}, {emit: {data: [1]}}, {emit: {}}]
    """
    out = fed(rules, sse({"id": 5}))
    assert out == b'data: {"id":5,"n":1}\n\ndata: {"e":1}\n\ndata: [1]\n\ndata: {"id":5}\n\n'


def test_a_condition_that_cannot_be_asked_is_a_failure() -> None:
    with pytest.raises(BrokenStreamError, match=r"stream: on /a\[0\]/emit"):
        fed("on: {/a: {emit: {when: {path: /a, over: 1}}}}", sse({"a": "x"}))


def test_a_template_means_what_the_interpreter_says() -> None:
    made = emission({"data": {"a": [{"field": "/x"}], "b": {"c": 1}}}, "[0]/emit", [], {"e": Constant(1)})
    assert made.fresh
    assert [str(use.path) for operation in made.operations for use in operation.uses()] == ["/x"]
    assert interpret.run(made.operations, {"x": {"y": 2}}) == {"e": 1, "a": [{"y": 2}], "b": {"c": 1}}
