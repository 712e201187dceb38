"""Anthropic's Messages for clients of chat completions: answers, requests, errors, and streams."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, BrokenStreamError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.stream import SseReader, summary
from tests.kit.catalogue import gradings
from tests.kit.streams import SSE, body, bytewise, sse, two_way_splits, whole

NAME = "anthropic/messages-to-chat"
STREAM = body("anthropic-messages.sse")
USAGE = {"input_tokens": 10, "output_tokens": 7, "cache_creation_input_tokens": None, "cache_read_input_tokens": 5}
TEXT = {"type": "text", "text": "Okay."}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
TOLD = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
HELLO = {"role": "user", "content": "hello"}


@cache
def adapter() -> Adapter:
    return Adapter.of([Step("2.0.0", "1.0.0", **entry(NAME).brings)])


def down(*content: dict[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": list(content)}
    found: dict[str, Any] = adapter()({**message, "stop_reason": reason, "stop_sequence": None, "usage": USAGE, **more})
    return found


def up(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = adapter().request({"model": "claude", "messages": list(messages), **more})
    return found


def streamed(*chunks: bytes, usage: bool = False) -> bytes:
    asked = {"model": "m", "messages": [], "stream_options": {"include_usage": usage}}
    chain = adapter().stream(SSE, request=asked)
    return b"".join([*map(chain.feed, chunks), chain.close()])


def chunks(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in whole(SseReader(), stream) if event.data and event.data != b"[DONE]"]


def gathered(stream: bytes) -> dict[str, Any]:
    found = summary(stream, SSE)
    assert found is not None
    assert found.verdict.result == "complete"
    [choice] = found.document["choices"]
    return {**choice["message"], "finish_reason": choice["finish_reason"]}


def test_answers_are_proved_and_requests_tested() -> None:
    found = gradings(NAME)
    assert {side: grading.grade.value for side, grading in found.items()} == {"answers": "PROVED", "requests": "TESTED"}


def test_texts_and_calls_become_a_message() -> None:
    assert down({"type": "thinking", "thinking": "hm", "signature": "x"}, TEXT, CALL, reason="tool_use") == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 0,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Okay.",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "tool_calls": [TOLD],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 15,
            "completion_tokens": 7,
            "total_tokens": 22,
            "prompt_tokens_details": {"cached_tokens": 5},
        },
    }


def test_what_a_chat_has_no_words_for_is_left_out_or_refused() -> None:
    found = down(TEXT, {"type": "server_tool_use", "id": "s"}, {"type": "redacted_thinking", "data": "x"}, TEXT)
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "Okay.Okay.", "refusal": None}
    assert down(CALL)["choices"][0]["message"]["content"] is None
    for content, more, sentence in (
        ({"type": "container_upload"}, {}, "a chat has no place for such content"),
        (TEXT, {"reason": "pause_turn"}, "pause_turn"),
        (TEXT, {"type": "error"}, "the server has not answered with a message"),
    ):
        with pytest.raises(AdaptError, match=sentence):
            down(content, **more)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_it_ended_is_said_in_a_chats_words(reason: str, expected: str) -> None:
    assert down(TEXT, reason=reason)["choices"][0]["finish_reason"] == expected


def test_a_conversation_with_tools_becomes_one_of_messages() -> None:
    found = up(
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be short."}]},
        {"role": "user", "content": [{"type": "text", "text": "Paris?"}], "name": "ann"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [TOLD], "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
        {"role": "assistant", "content": None, "refusal": "No."},
        max_completion_tokens=5,
        user="u",
        stop="END",
        temperature=0.5,
        seed=1,
    )
    assert found == {
        "model": "claude",
        "max_tokens": 5,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Paris?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, CALL]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        ],
        "system": [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be short."}],
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "metadata": {"user_id": "u"},
    }


def test_a_short_request_gets_what_messages_need() -> None:
    assert up(HELLO, stop=None, temperature=None, tools=[], stream=True) == {
        "model": "claude",
        "max_tokens": 4096,
        "messages": [HELLO],
        "stream": True,
    }


def test_images_and_pdfs_are_told_by_their_bytes_or_address() -> None:
    def part(given: dict[str, Any]) -> Any:
        return up({"role": "user", "content": [given]})["messages"][0]["content"][0]

    def image(url: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}

    assert part(image("https://a/b.png")) == {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
    assert part(image("data:image/png;base64,AA==")) == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
    }
    assert part({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a"}}) == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
    }


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", True, {"type": "any"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"type": "function", "function": {"name": "weather"}},
            False,
            {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tools_and_the_choice_among_them(choice: Any, parallel: Any, expected: Any) -> None:
    function = {"name": "weather", "description": "of a city", "strict": True}
    found = up(
        HELLO, tools=[{"type": "function", "function": function}], tool_choice=choice, parallel_tool_calls=parallel
    )
    assert found["tools"] == [
        {"name": "weather", "description": "of a city", "input_schema": {"type": "object", "properties": {}}}
    ]
    assert found.get("tool_choice") == expected


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"n": 2}, "one answer only"),
        ({"temperature": 1.5}, "temperatures up to 1"),
        ({"logprobs": True}, "no log-probabilities"),
        ({"logit_bias": {"1": 2}}, "no logit_bias"),
        ({"presence_penalty": 1}, "no penalties"),
        ({"frequency_penalty": 1}, "no penalties"),
        ({"audio": {}}, "Messages are text"),
        ({"modalities": ["audio"]}, "Messages are text"),
        ({"functions": [{}]}, "tools, no functions"),
        ({"function_call": "auto"}, "tools, no functions"),
        ({"web_search_options": {}}, "no such search"),
        ({"response_format": {"type": "json_object"}}, "a format of the answer"),
        ({"tools": [{"type": "custom"}]}, "a custom tool has no schema"),
        ({"tool_choice": {"type": "allowed_tools"}}, "among functions"),
        ({"messages": [{"role": "function", "content": "x"}]}, "the role is none"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "by text, images and PDFs"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "the PDFs"),
        ({"messages": [{"role": "system", "content": []}]}, "an array"),
        ({"messages": [{"role": "assistant", "tool_calls": [{**TOLD, "function": {"name": "a", "arguments": "{"}}]}]},
         "the string is no JSON"),
        ({"messages": [{"role": "assistant", "tool_calls": [{**TOLD, "function": {"name": "a", "arguments": "[]"}}]}]},
         "an array"),
    ],
    ids=str,
)  # fmt: skip
def test_what_messages_cannot_be_asked_is_refused(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AdaptError, match=sentence):
        adapter().request({"model": "claude", "messages": [HELLO], **more})


def test_errors_have_openais_envelope_and_a_status_that_its_clients_know() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"}
    assert adapter().error(overloaded) == {
        "error": {"message": "Overloaded", "type": "overloaded_error", "param": None, "code": None}
    }
    assert adapter().chain.error_head.statuses == {529: 503}
    assert adapter().error({"oops": 1})["error"]["message"] == "the server has not said what failed"


# --- streams ----------


def test_a_recorded_stream_says_what_its_message_would_say() -> None:
    found = streamed(STREAM)
    assert gathered(found) == {
        "role": "assistant",
        "content": "Okay, let me look ☂.",
        "reasoning_content": "Paris, then the weather.",
        "tool_calls": [
            {
                "id": "toolu_01",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
            }
        ],
        "finish_reason": "tool_calls",
    }
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks(found)} == {
        ("msg_01", "chat.completion.chunk", "claude-sonnet-4")
    }
    assert b"event:" not in found
    assert found.endswith(b"data: [DONE]\n\n")


def test_where_it_is_cut_on_the_way_never_shows() -> None:
    expected = streamed(STREAM)
    assert streamed(*bytewise(STREAM)) == expected
    assert all(streamed(*pieces) == expected for pieces in two_way_splits(STREAM))


def test_usage_is_told_to_who_asked_for_it() -> None:
    assert not any("usage" in chunk for chunk in chunks(streamed(STREAM)))
    last = chunks(streamed(STREAM, usage=True))[-1]
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 472,
        "completion_tokens": 89,
        "total_tokens": 561,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    later = STREAM.replace(
        b'"usage":{"output_tokens":89}',
        b'"usage":{"input_tokens":500,"cache_read_input_tokens":null,"output_tokens":89}',
    )
    assert chunks(streamed(later, usage=True))[-1]["usage"]["total_tokens"] == 589


def events(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], reason: str = "end_turn") -> bytes:
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": USAGE}
    listed: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, (block, parts) in enumerate(blocks):
        listed.append({"type": "content_block_start", "index": index, "content_block": block})
        listed += [{"type": "content_block_delta", "index": index, "delta": part} for part in parts]
        listed.append({"type": "content_block_stop", "index": index})
    listed.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}})
    return sse(*listed, {"type": "message_stop"})


def test_a_call_without_arguments_has_an_empty_object_of_them_and_each_call_its_number() -> None:
    block = {"type": "tool_use", "name": "now", "input": {}}
    part = {"type": "input_json_delta", "partial_json": '{"a":1}'}
    stream = events(
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, [part]),
        ({**block, "id": "t1"}, [{**part, "partial_json": ""}]),
        ({**block, "id": "t2"}, [part]),
        ({**block, "id": "t3"}, []),
        reason="tool_use",
    )
    calls = gathered(streamed(stream))["tool_calls"]
    assert [(one["id"], one["function"]["arguments"]) for one in calls] == [
        ("t1", "{}"),
        ("t2", '{"a":1}'),
        ("t3", "{}"),
    ]


def test_text_that_a_block_begins_with_is_not_lost() -> None:
    found = gathered(streamed(events(({"type": "text", "text": "He"}, [{"type": "text_delta", "text": "llo"}]))))
    assert found == {"role": "assistant", "content": "Hello", "finish_reason": "stop"}


def test_what_a_stream_has_no_words_for_breaks_it() -> None:
    for stream, sentence in (
        (events(({"type": "container_upload"}, [])), "a chat has no place for such content"),
        (events(({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}, [])), "without its arguments"),
        (events(({"type": "text", "text": ""}, []), reason="pause_turn"), "pause_turn"),
    ):
        with pytest.raises(BrokenStreamError, match=sentence):
            streamed(stream)


def test_an_error_inside_has_openais_envelope_and_no_end_follows_it() -> None:
    failed = STREAM[: STREAM.index(b"event: message_delta")] + (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )
    found = streamed(failed)
    assert chunks(found)[-1] == {
        "error": {"message": "Overloaded", "type": "overloaded_error", "param": None, "code": None}
    }
    assert b"[DONE]" not in found
    assert b"event: error" not in found


def test_a_stream_that_breaks_off_gets_no_end() -> None:
    for place in (STREAM.index(b"event: message_stop"), STREAM.index(b"event: message_delta")):
        assert b"[DONE]" not in streamed(STREAM[:place])
