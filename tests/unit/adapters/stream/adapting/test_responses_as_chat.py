"""OpenAI's Responses, stepped down to the chunks that a client of chat completions reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepdown_adapters import Adapter
from stepdown_adapters.stream import Ending, SseReader, summary
from tests.kit.stream_adapters import CHAT, step
from tests.kit.streams import SSE, body, bytewise, sse, two_way_splits, whole

STREAM = body("openai-responses.sse")
ADAPTER = Adapter.of([step(CHAT)])
CREATED = {"type": "response.created", "response": {"id": "r", "created_at": 7, "model": "m", "usage": None}}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def adapted(*chunks: bytes, ending: Ending = Ending.ORDERLY) -> bytes:
    chain = ADAPTER.stream(SSE)
    return b"".join([*map(chain.feed, chunks), chain.close(ending)])


def documents(stream: bytes) -> list[Any]:
    return [json.loads(event.data) for event in whole(SseReader(), stream) if event.data and event.data != b"[DONE]"]


def finished(kind: str) -> dict[str, Any]:
    return {"type": kind, "response": {"usage": USAGE, "error": {"code": "server_error", "message": "no"}}}


def test_the_whole_is_what_a_chat_server_would_have_said() -> None:
    out = adapted(STREAM)
    assert out.endswith(b"data: [DONE]\n\n")
    found = summary(out, SSE)
    assert found is not None
    assert (found.verdict.result, found.dialect) == ("complete", "openai-chat")
    assert found.document["usage"] == {"prompt_tokens": 37, "completion_tokens": 11, "total_tokens": 48}
    [choice] = found.document["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Hi there!"
    [call] = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert {chunk["id"] for chunk in documents(out)} == {"resp_1"}


def test_it_is_the_same_wherever_it_is_cut() -> None:
    expected = adapted(STREAM)
    assert adapted(*bytewise(STREAM)) == expected
    for place, parts in enumerate(two_way_splits(STREAM)):
        if place % 7 == 0:
            assert adapted(*parts) == expected


def test_each_event_goes_out_with_its_last_byte() -> None:
    chain = ADAPTER.stream(SSE)
    sizes = []
    for event in whole(SseReader(), STREAM):
        assert chain.feed(event.raw[:-1]) == b""
        sizes.append(len(documents(chain.feed(event.raw[-1:]))))
    assert sizes == [1, *[0] * 8, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_tool_calls_are_numbered_among_themselves_even_when_their_parts_alternate() -> None:
    def item(index: int, kind: str) -> dict[str, Any]:
        added = {"type": kind, "call_id": f"c{index}", "name": f"n{index}"}
        return {"type": "response.output_item.added", "output_index": index, "item": added}

    def part(index: int, text: str) -> dict[str, Any]:
        return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": text}

    stream = sse(
        CREATED, item(0, "message"), item(3, "function_call"), item(5, "function_call"), part(5, "b"), part(3, "a")
    )
    found = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in documents(adapted(stream))]
    assert [(call[0]["index"], call[0]["function"]["arguments"]) for call in found if call] == [
        (0, ""),
        (1, ""),
        (1, "b"),
        (0, "a"),
    ]


def test_an_incomplete_answer_ends_for_its_length_and_keeps_its_usage() -> None:
    *_, last, usage = documents(adapted(sse(CREATED, finished("response.incomplete"))))
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "length"}]
    assert usage["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_a_failure_is_told_in_the_old_shape_and_nothing_ends_it_as_if_complete() -> None:
    chain = ADAPTER.stream(SSE)
    out = chain.feed(sse(CREATED, finished("response.failed"))) + chain.close()
    assert documents(out)[1:] == [{"error": {"code": "server_error", "message": "no"}}]
    assert b"[DONE]" not in out
    assert chain.outcome.verdict().failed


@pytest.mark.parametrize("ending", Ending)
def test_a_stream_that_is_cut_before_its_end_gets_none(ending: Ending) -> None:
    out = adapted(STREAM[: STREAM.index(b"event: response.completed")], ending=ending)
    assert b"[DONE]" not in out
    assert b'"finish_reason":"' not in out


def test_the_end_that_was_said_counts_even_if_the_connection_broke_behind_it() -> None:
    assert adapted(STREAM, ending=Ending.BROKEN) == adapted(STREAM)


def test_a_client_that_left_gets_nothing_more() -> None:
    chain = ADAPTER.stream(SSE)
    chain.feed(STREAM)
    assert chain.close(Ending.CANCELLED) == b""


def test_collected_it_is_a_chat_completion() -> None:
    collector = ADAPTER.collector(SSE)
    for chunk in bytewise(STREAM):
        collector.feed(chunk)
    document = json.loads(collector.close())
    assert document["object"] == "chat.completion"
    assert document["choices"][0]["message"]["content"] == "Hi there!"
