"""A whole stream as one document: what the same server answers without a stream."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from stepdown_adapters.stream import Dialect, Ending, Gathering, Summary, reader, summary
from tests.kit.streams import NAMES, NDJSON, SSE, body, bytewise, content_type, document, sse, whole


def gathered(stream: bytes, kind: str = SSE, **more: Any) -> Summary:
    found = summary(stream, kind, **more)
    assert found is not None
    return found


def of(name: str) -> Summary:
    return gathered(body(name), content_type(name))


def without(answer: Any, paths: tuple[str, ...]) -> Any:
    """A copy of an answer without members that differ each time, and without usage, which not all streams have."""
    copy = json.loads(json.dumps(answer))
    for path in (*paths, "/usage"):
        _drop(copy, path.split("/")[1:])
    return copy


def _drop(value: Any, path: list[str]) -> None:
    if path[0] == "*":
        for item in value:
            _drop(item, path[1:])
    elif len(path) == 1:
        value.pop(path[0], None)
    elif path[0] in value:
        _drop(value[path[0]], path[1:])


@pytest.mark.parametrize("name", ["llama-chat.sse", "llama-completions.sse", "llama-tool-call.sse"])
def test_a_recorded_stream_becomes_the_answer_that_its_server_gives_without_one(name: str) -> None:
    found = of(name)
    assert without(found.document, found.volatile) == without(document(name), found.volatile)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_comes_byte_by_byte_is_gathered_alike(name: str) -> None:
    framing = reader(content_type(name))
    assert framing is not None
    gathering = Gathering()
    for event in whole(framing, *bytewise(body(name))):
        gathering.feed(event)
    assert gathering.summary() == of(name)


def test_choices_tool_calls_and_usage_of_a_chat_are_joined() -> None:
    found = of("openai-chat.sse")
    first, second = found.document["choices"]
    assert first == {
        "index": 0,
        "message": {"role": "assistant", "content": "北京 🌧 ok", "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert second["message"]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"北京"}'}},
        {"id": "call_b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ]
    assert second["finish_reason"] == "tool_calls"
    assert found.document["usage"]["total_tokens"] == 17
    assert found.document["object"] == "chat.completion"
    assert found.events == {"chat.completion.chunk": 10, "[DONE]": 1}
    assert found.contentful == 6
    assert not found.truncated


def test_m2_reasoning_is_gathered_under_the_name_that_it_has() -> None:
    """So that a client of `reasoning_content` is seen to get none of it."""
    found = of("vllm-reasoning.sse")
    [choice] = found.document["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hello!", "reasoning": "The user greets."}
    assert found.contentful == 6
    assert found.document["usage"]["completion_tokens"] == 7
    assert found.events["comment"] == 1


def test_empty_fields_of_a_gateway_hide_nothing() -> None:
    found = of("azure-chat.sse")
    assert found.document["model"] == "gpt-4o-mini"
    assert found.document["created"] == 1741569952
    assert found.document["choices"][0]["message"]["content"] == "Hi"


def test_blocks_of_a_message_are_joined() -> None:
    found = of("anthropic-messages.sse")
    assert found.dialect is Dialect.ANTHROPIC
    assert found.document == {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4",
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 472, "output_tokens": 89},
        "content": [
            {"type": "thinking", "thinking": "Paris, then the weather.", "signature": "EqQB"},
            {
                "type": "text",
                "text": "Okay, let me look ☂.",
                "citations": [{"type": "page_location", "cited_text": "rain"}],
            },
            {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {"location": "Paris"}},
        ],
    }
    assert found.events["content_block_delta"] == found.contentful == 9


def test_the_input_of_a_tool_that_was_cut_is_what_came_of_it() -> None:
    cut = body("anthropic-messages.sse").split(
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":2'
    )
    stream = cut[0] + sse(
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"lo'}}
    )
    found = gathered(stream)
    assert found.document["content"][2]["input"] == '{"lo'
    assert found.verdict.reason == "cut"


def test_a_response_is_the_one_that_its_last_event_has() -> None:
    found = of("openai-responses.sse")
    assert found.dialect is Dialect.RESPONSES
    assert found.document["status"] == "completed"
    assert [item["type"] for item in found.document["output"]] == ["reasoning", "message", "function_call"]
    assert found.document["usage"]["total_tokens"] == 48
    assert found.contentful == 5
    assert found.events["response.output_text.delta"] == 2


@pytest.mark.parametrize("mark", [b"response.completed", b"response.output_item.done"])
def test_a_response_without_its_last_event_is_put_together_of_items_and_deltas(mark: bytes) -> None:
    whole_body = body("openai-responses.sse")
    events = whole_body.split(b"\n\n")
    kept = [event for event in events if not event.startswith(b"event: " + mark) and b"response.completed" not in event]
    found = gathered(b"\n\n".join(kept))
    reasoning, message, call = found.document["output"]
    assert reasoning["summary"] == [{"type": "summary_text", "text": "Greet."}]
    assert message["content"][0]["text"] == "Hi there!"
    assert call["arguments"] == '{"city":"Rome"}'
    assert found.document["id"] == "resp_1"
    assert found.verdict.reason == "cut"


def test_items_without_deltas_are_content() -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    found = gathered(sse({"type": "response.output_item.done", "output_index": 0, "item": item}, b"[DONE]"))
    assert found.contentful == 1
    assert found.document == {"output": [item]}
    assert found.verdict.result == "complete"


def test_lines_of_ollama_are_joined() -> None:
    found = of("ollama.ndjson")
    assert found.document["message"] == {"role": "assistant", "content": "The sky"}
    assert found.document["done_reason"] == "stop"
    assert "/created_at" in found.volatile
    assert found.contentful == 2


def test_a_stream_of_no_dialect_is_the_list_of_its_payloads() -> None:
    assert of("rows.ndjson").document == [
        {"predictions": [[0.1, 0.9]]},
        {"predictions": [[0.8, 0.2]]},
        [1, 2],
        {"predictions": []},
    ]
    found = gathered(b": hi\n\nevent: token\ndata: one\n\n" + sse({"two": 2}, b"[DONE]"))
    assert found.document == ["one", {"two": 2}]
    assert found.events == {"comment": 1, "token": 1, "json": 1, "[DONE]": 1}
    assert found.volatile == ()
    assert [row["text_output"] for row in of("triton.sse").document] == ["Once", " upon", " a time"]


def test_what_came_before_the_dialect_was_known_is_not_lost() -> None:
    usage = {"choices": [], "usage": {"total_tokens": 3}}
    found = gathered(sse(usage) + body("llama-chat.sse"))
    assert found.document["usage"] == {"total_tokens": 3}
    assert found.contentful == 6


def test_an_error_in_a_stream_is_part_of_the_document_and_counted() -> None:
    error = {"error": {"message": "no", "type": "server_error"}}
    found = gathered(body("llama-chat.sse") + sse(error))
    assert found.document["error"] == error["error"]
    assert found.events["error"] == 1
    assert found.verdict.failed
    assert gathered(sse(error)).document == [error]


def test_how_the_body_ended_is_for_the_caller_to_say() -> None:
    cut = body("llama-chat.sse")[:500]
    assert gathered(cut, ending=Ending.CANCELLED).verdict.reason == "cancelled"
    assert gathered(cut, ending=Ending.BROKEN).verdict.reason == "cut"


@pytest.mark.parametrize("kind", ["application/json", ""])
def test_an_answer_that_is_no_stream_has_no_summary(kind: str) -> None:
    assert summary(b'{"a":1}', kind) is None


def test_an_empty_body_is_a_stream_without_events() -> None:
    found = gathered(b"")
    assert (found.dialect, found.document, found.events) == (Dialect.UNKNOWN, [], {})
    assert found.verdict.reason == "empty"


def chat(content: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}}]}


def test_what_has_no_room_is_left_out_from_there_on_and_counted_all_the_same() -> None:
    found = gathered(sse(*[chat("x" * 100)] * 50, chat("tail")), limit=1000)
    content = found.document["choices"][0]["message"]["content"]
    assert 500 <= len(content) <= 1000
    assert set(content) == {"x"}
    assert found.truncated
    assert found.contentful == 51


@pytest.mark.parametrize(
    "stream",
    [
        sse(*[{"row": "x" * 50}] * 100),
        sse(*[{"choices": [{"index": number, "delta": {"content": "x"}}]} for number in range(100)]),
        sse(*[{"choices": [{"index": 0, "delta": {f"m{number}": "x"}}]} for number in range(100)]),
        sse(*[{"choices": [{"index": 0, "delta": {f"m{number}": {}}}]} for number in range(100)]),
        sse(*[{"choices": [{"index": 0, "delta": {"l": [{"index": number}]}}]} for number in range(100)]),
        sse(*[{"choices": [{"index": 0, "delta": {"l": ["x"]}}]} for _ in range(100)]),
        sse({"type": "message_start"}, *[{"type": "content_block_start", "index": number} for number in range(100)]),
        sse(*[{"type": "response.output_text.delta", "output_index": number, "delta": "x"} for number in range(100)]),
        sse(*[{"type": "response.output_item.added", "output_index": number, "item": {}} for number in range(600)]),
        sse({"type": "response.completed", "response": {"output": ["x" * 5000]}}),
        sse({"type": "response.created", "response": {"x": "x" * 5000}}),
        sse(*[{"response": "x" * 50, "done": False}] * 100),
    ],
    ids=lambda stream: stream[:60].decode(),
)
def test_no_dialect_keeps_more_than_the_limit(stream: bytes) -> None:
    found = gathered(stream, limit=1000)
    assert found.truncated
    assert len(json.dumps(found.document)) < 2500


def test_usage_that_is_told_with_every_chunk_takes_the_room_of_one() -> None:
    chunks = [{**chat(""), "usage": {"total_tokens": number}} for number in range(1000)]
    found = gathered(sse(*chunks), limit=1000)
    assert not found.truncated
    assert found.document["usage"] == {"total_tokens": 999}


def test_types_of_events_beyond_all_sense_are_counted_together() -> None:
    found = gathered(sse(*[{"type": f"t{number}" + "x" * 100} for number in range(100)]))
    assert len(found.events) == 65
    assert found.events["(others)"] == 36
    assert max(map(len, found.events)) == 64


def test_memory_is_bounded_however_long_the_stream_is() -> None:
    event = sse(chat("some words of an answer"))
    framing = reader(SSE)
    assert framing is not None
    gathering = Gathering(limit=20_000)
    tracemalloc.start()
    try:
        for _ in range(20_000):
            for each in framing.feed(event):
                gathering.feed(each)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert gathering.summary().truncated
    assert peak < 400_000


def test_deltas_that_change_the_kind_of_a_member_raise_nothing() -> None:
    values: list[Any] = ["a", {"b": "c"}, ["d"], [{"index": 1, "e": "f"}], 5, None, True, "g"]
    for one in values:
        for other in values:
            chunks = [{"choices": [{"index": 0, "delta": {"m": value, "n": {"o": value}}}]} for value in (one, other)]
            json.dumps(gathered(sse(*chunks)).document)


@pytest.mark.parametrize(
    "odd",
    [
        [1],
        7,
        {"type": "response.output_text.delta", "output_index": "x", "delta": "y"},
        {"type": "response.output_text.delta", "output_index": 0, "delta": 7},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "later_delta", "later": "z"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}},
        {"type": "later_event"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["anthropic-messages.sse", "openai-responses.sse"])
def test_events_that_a_dialect_does_not_know_change_nothing(name: str, odd: Any) -> None:
    first, end, rest = body(name).partition(b"\n\n")
    assert gathered(first + end + sse(odd) + rest).document == of(name).document


@pytest.mark.parametrize("odd", [[1], 7, "x", None], ids=str)
@pytest.mark.parametrize("name", ["llama-chat.sse", "llama-completions.sse", "ollama.ndjson"])
def test_chunks_that_are_no_objects_change_nothing(name: str, odd: Any) -> None:
    line = json.dumps(odd).encode()
    between = sse(line) if name.endswith("sse") else line + b"\n"
    first, end, rest = body(name).partition(b"\n\n" if name.endswith("sse") else b"\n")
    assert gathered(first + end + between + rest, content_type(name)).document == of(name).document


def test_rows_in_newline_delimited_json_are_counted_as_content() -> None:
    assert gathered(b'{"a":1}\n\n{"a":2}\n', NDJSON).contentful == 2
