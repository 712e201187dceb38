"""A stream as one document, and one document as a stream."""

from __future__ import annotations

import json

import pytest

from stepdown_adapters import Adapter, AdaptError, Step
from stepdown_adapters.stream import Ending
from stepdown_adapters.stream.adapting.chain import Limits
from stepdown_adapters.stream.adapting.failures import BrokenStreamError, NoStreamAdapterError
from tests.kit.stream_adapters import REASONING, step
from tests.kit.streams import NAMES, NDJSON, SSE, body, bytewise, content_type, document, sse

COLLECT = """
fold: {text: {join: /t}, n: {count: ""}}
collect: {data: {answer: {field: /text}, parts: {field: /n}}}
"""
UNFOLD = """
fold: {id: {last: /id}}
on: {/text: pass}
unfold:
  - emit: {each: "/rows/*", data: {id: {carried: id}, score: {field: /score}}}
  - emit: "[DONE]"
"""


def collected(adapter: Adapter, stream: bytes, kind: str = SSE, ending: Ending = Ending.ORDERLY) -> object:
    collector = adapter.collector(kind)
    collector.feed(stream)
    return json.loads(collector.close(ending))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("llama-") and "given-up" not in name])
def test_a_recorded_stream_becomes_what_its_server_says_without_one(name: str) -> None:
    found = collected(Adapter.of([step("on: {/nowhere: drop}")]), body(name), content_type(name))
    assert isinstance(found, dict)
    expected = document(name)
    assert (found["object"], found["model"]) == (expected["object"], expected["model"])
    assert len(found["choices"]) == len(expected["choices"])


def test_the_document_is_in_the_old_shape() -> None:
    found = collected(Adapter.of([step(REASONING)]), body("vllm-reasoning.sse"))
    assert isinstance(found, dict)
    assert found["choices"][0]["message"] == {
        "role": "assistant",
        "content": "Hello!",
        "reasoning_content": "The user greets.",
    }


def test_a_step_may_say_how_the_document_is_made_of_its_folds() -> None:
    adapter = Adapter.of([step(COLLECT)])
    assert collected(adapter, sse({"t": "a"}, {"t": "b"}, {})) == {"answer": "ab", "parts": 3}
    collector = adapter.collector(NDJSON)
    for chunk in bytewise(b'{"t":"a"}\n{"t":"b"}'):
        collector.feed(chunk)
    assert collector.close() == b'{"answer":"ab","parts":2}'


@pytest.mark.parametrize("rules", [REASONING, COLLECT])
def test_of_a_stream_that_was_cut_there_is_no_document(rules: str) -> None:
    with pytest.raises(BrokenStreamError, match="the stream is not complete: cut") as caught:
        collected(Adapter.of([step(rules)]), body("vllm-reasoning.sse")[:400])
    assert caught.value.reason == "incomplete"


def test_of_a_stream_with_an_error_neither() -> None:
    with pytest.raises(BrokenStreamError, match="the stream is not complete: error"):
        collected(Adapter.of([step(COLLECT)]), b'data: {"error":{"message":"m"}}\n\n')


def test_the_document_is_bounded() -> None:
    collector = Adapter.of([step(REASONING)]).collector(SSE, limits=Limits(state=100))
    collector.feed(sse(*({"row": index, "text": "x" * 20} for index in range(20))))
    with pytest.raises(BrokenStreamError, match="over 100 bytes") as caught:
        collector.close()
    assert caught.value.reason == "state-too-large"


def test_a_document_that_cannot_be_made_is_a_failure() -> None:
    with pytest.raises(BrokenStreamError, match="collect") as caught:
        collected(Adapter.of([step("collect: {data: {a: {field: /none}}}")]), sse({"a": 1}))
    assert caught.value.reason == "adapter"


def test_a_document_becomes_a_stream() -> None:
    adapter = Adapter.of([step(UNFOLD)])
    out = adapter.unfold(b'{"id":7,"rows":[{"score":1},{"score":2}]}', SSE)
    assert out == b'data: {"id":7,"score":1}\n\ndata: {"id":7,"score":2}\n\ndata: [DONE]\n\n'
    assert adapter.unfold(b'{"id":7,"rows":[]}', NDJSON) == b"[DONE]\n"


def test_it_is_stepped_down_as_a_document_before_and_as_events_behind() -> None:
    before = Step("4.0.0", "3.0.0", [{"move": {"from": "/items", "to": "/rows"}}])
    unfolds = step(UNFOLD, "3.0.0", "2.0.0", response=[{"add": {"path": "/id", "value": 1}}])
    behind = step("on: {/score: {linear: {path: /score, scale: 2}}}\nend: {emit: {data: {end: true}}}")
    adapter = Adapter.of([before, unfolds, behind])
    expected = b'data: {"id":1,"score":6}\n\ndata: [DONE]\n\ndata: {"end":true}\n\n'
    assert adapter.unfold(b'{"items":[{"score":3}]}', SSE) == expected
    with pytest.raises(NoStreamAdapterError, match=r"^4.0.0 -> 3.0.0: the adapter has no 'stream'"):
        adapter.stream(SSE)


def test_what_operations_leave_of_a_document_is_what_is_emitted_and_what_emissions_are_asked_of() -> None:
    text = """
unfold:
  - add: {path: /asked, value: {carried: usage}}
  - emit: {do: [{remove: /asked}, {remove: /usage}]}
  - emit: {when: {path: /asked, equals: true}, do: [{remove: /asked}, {remove: /text}]}
"""
    carry = [{"carry": {"from": "/usage", "as": "usage", "default": False}}]
    adapter = Adapter.of([step(text, request=carry)])
    parts = sse(b'{"text":"a"}'), sse(b'{"usage":7}')
    assert adapter.unfold(b'{"text":"a","usage":7}', SSE, request={"usage": True}) == b"".join(parts)
    assert adapter.unfold(b'{"text":"a","usage":7}', SSE, request={}) == parts[0]


def test_strict_documents_unfold_too() -> None:
    adapter = Adapter.of([step("unfold: [{emit: {}}]", fidelity="strict")])
    assert adapter.unfold(b'{"a":1.10}', SSE) == b'data: {"a":1.10}\n\n'


def test_no_document_unfolds_where_no_step_says_how() -> None:
    with pytest.raises(NoStreamAdapterError, match="has no 'unfold', without which"):
        Adapter.of([step(REASONING)]).unfold(b"{}", SSE)


def test_a_document_that_cannot_be_unfolded_fails_as_a_document_does() -> None:
    with pytest.raises(AdaptError, match="unfold"):
        Adapter.of([step("unfold: [{emit: {data: {field: /none}}}]")]).unfold(b"{}", SSE)


def test_no_document_unfolds_to_a_type_that_is_no_stream() -> None:
    with pytest.raises(ValueError, match="'application/json' is no type of a stream of events"):
        Adapter.of([step(UNFOLD)]).unfold(b'{"id": 1, "rows": []}', "application/json")


def test_what_becomes_of_a_document_is_bounded() -> None:
    many = json.dumps({"id": 1, "rows": [{"score": 1}] * 1024}).encode()
    with pytest.raises(BrokenStreamError) as caught:
        Adapter.of([step(UNFOLD)]).unfold(many, SSE)
    assert caught.value.reason == "too-many-events"
    long = json.dumps({"id": "x" * (1 << 20), "rows": []}).encode()
    with pytest.raises(BrokenStreamError) as caught:
        Adapter.of([step(UNFOLD)]).unfold(long, SSE)
    assert caught.value.reason == "state-too-large"
