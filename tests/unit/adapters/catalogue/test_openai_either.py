"""Servers of chats that only stream, or that cannot, for clients that ask for either: collected and unfolded."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, BrokenStreamError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.stream import SseReader, summary
from tests.kit.catalogue import gradings
from tests.kit.streams import SSE, body, document, whole

STREAMS, DOCUMENTS = "openai/chat-streams-to-chat", "openai/chat-documents-to-chat"
ASKED = {"model": "m", "messages": []}
INCLUDED = {"stream_options": {"include_usage": True}}


@cache
def adapter(name: str) -> Adapter:
    return Adapter.of([Step("2.0.0", "1.0.0", **entry(name).brings)])


def collected(stream: bytes) -> dict[str, Any]:
    collector = adapter(STREAMS).collector(SSE, request=ASKED)
    collector.feed(stream)
    found: dict[str, Any] = json.loads(collector.close())
    return found


def unfolded(answer: dict[str, Any], **more: Any) -> bytes:
    return adapter(DOCUMENTS).unfold(json.dumps(answer).encode(), SSE, request={**ASKED, "stream": True, **more})


def chunks(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in whole(SseReader(), stream) if event.data and event.data != b"[DONE]"]


@pytest.mark.parametrize(("name", "requests"), [(STREAMS, "TESTED"), (DOCUMENTS, "PROVED")])
def test_the_grades_are_these(name: str, requests: str) -> None:
    found = gradings(name, documents=200)
    assert {side: one.grade.value for side, one in found.items()} == {"answers": "PROVED", "requests": requests}


@pytest.mark.parametrize("stream", [{}, {"stream": False}, {"stream": None, "stream_options": None}], ids=str)
def test_a_server_that_only_streams_is_asked_for_a_stream_and_for_usage(stream: dict[str, Any]) -> None:
    assert adapter(STREAMS).request({**ASKED, **stream}) == {**ASKED, "stream": True, **INCLUDED}


def test_who_asks_for_a_stream_says_itself_whether_it_wants_usage() -> None:
    assert adapter(STREAMS).request({**ASKED, "stream": True}) == {**ASKED, "stream": True}
    off = {**ASKED, "stream": True, "stream_options": {"include_usage": False}}
    assert adapter(STREAMS).request(off) == off


def test_a_server_that_cannot_stream_is_asked_for_none() -> None:
    assert adapter(DOCUMENTS).request({**ASKED, "stream": True, **INCLUDED}) == ASKED


def test_a_stream_becomes_the_document_that_the_server_would_have_given() -> None:
    expected = document("vllm-tool-call.sse")
    found = collected(body("vllm-tool-call.sse"))
    assert {key: found[key] for key in ("id", "object", "created", "model")} == {
        key: expected[key] for key in ("id", "object", "created", "model")
    }
    [choice], [wanted] = found["choices"], expected["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert all(
        choice["message"][key] == wanted["message"][key] for key in ("role", "content", "reasoning", "tool_calls")
    )
    assert found["usage"]["total_tokens"] == 231


def test_a_stream_that_is_not_whole_becomes_none() -> None:
    stream = body("vllm-tool-call.sse")
    with pytest.raises(BrokenStreamError, match="not complete"):
        collected(stream[: stream.index(b'"finish_reason":"tool_calls"')].rpartition(b"data: ")[0])


@pytest.mark.parametrize("name", ["vllm-tool-call.sse", "llama-chat.sse", "llama-tool-call.sse"])
def test_a_document_becomes_a_stream_that_says_the_same(name: str) -> None:
    answer = document(name)
    stream = unfolded(answer, **INCLUDED)
    assert stream.endswith(b"data: [DONE]\n\n")
    found = summary(stream, SSE)
    assert found is not None
    assert found.verdict.result == "complete"
    assert found.document["usage"] == answer["usage"]
    [choice], [wanted] = found.document["choices"], answer["choices"]
    assert choice["finish_reason"] == wanted["finish_reason"]
    assert {key: value for key, value in choice["message"].items() if value} == {
        key: value for key, value in wanted["message"].items() if value
    }
    assert all(chunk["object"] == "chat.completion.chunk" for chunk in chunks(stream))


def test_calls_are_numbered_and_several_answers_keep_their_places() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    first = {"role": "assistant", "content": None, "tool_calls": [{**call, "id": f"c{n}"} for n in range(128)]}
    second = {"role": "assistant", "content": "b", "tool_calls": []}
    answer = {
        "id": "c",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": first, "finish_reason": "tool_calls"},
            {"index": 1, "message": second, "finish_reason": "length"},
        ],
    }
    told, last = chunks(unfolded(answer))
    zeroth, other = told["choices"]
    assert [(one["index"], one["id"]) for one in zeroth["delta"]["tool_calls"]] == [(n, f"c{n}") for n in range(128)]
    assert (other["index"], other["delta"]) == (1, {"role": "assistant", "content": "b"})
    assert [(one["index"], one["delta"], one["finish_reason"]) for one in last["choices"]] == [
        (0, {}, "tool_calls"),
        (1, {}, "length"),
    ]
    first["tool_calls"].append({**call, "id": "c128"})
    with pytest.raises(AdaptError, match="at most 128 calls"):
        unfolded(answer)


@pytest.mark.parametrize(("usage", "more"), [(None, INCLUDED), ({"total_tokens": 1}, {})])
def test_usage_is_told_where_there_is_one_and_it_was_asked_for(usage: Any, more: dict[str, Any]) -> None:
    answer = {**document("llama-chat.sse"), "usage": usage}
    assert not [chunk for chunk in chunks(unfolded(answer, **more)) if "usage" in chunk]
