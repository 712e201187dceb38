"""OpenAI's APIs, each for clients of the one before: grades, documents, requests, and streams cut at every byte."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from stepdown_adapters import Adapter, AdaptError, Step
from stepdown_adapters.catalogue.entries import entry
from stepdown_adapters.context import Context
from stepdown_adapters.stream import SseReader, summary
from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.compiling import CompiledStream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from tests.kit.catalogue import gradings
from tests.kit.streams import SSE, body, bytewise, document, sse, two_way_splits, whole

RESPONSES, CHAT = "openai/responses-to-chat", "openai/chat-to-completions"
ALL = (RESPONSES, CHAT)
RECORDED = body("openai-responses.sse")
RESPONSE: dict[str, Any] = next(
    json.loads(event.data)["response"]
    for event in whole(SseReader(), RECORDED)
    if event.data and event.event == "response.completed"
)


def adapter(*names: str) -> Adapter:
    newest = len(names) + 1
    steps = [
        Step(f"{newest - index}.0.0", f"{newest - index - 1}.0.0", **entry(name).brings)
        for index, name in enumerate(names)
    ]
    return Adapter.of(steps)


@cache
def compiled(names: tuple[str, ...]) -> CompiledStream:
    return adapter(*names).streams


def adapted(names: tuple[str, ...], *chunks: bytes, usage: bool = True) -> bytes:
    """A stream after the adapters, for a client that asked for usage, or did not."""
    context = Context()
    context.carried["include_usage"] = usage
    chain = StreamChain(compiled(names), SSE, context)
    return b"".join([*map(chain.feed, chunks), chain.close()])


def documents(stream: bytes) -> list[Any]:
    return [json.loads(event.data) for event in whole(SseReader(), stream) if event.data and event.data != b"[DONE]"]


# --- grades ----------


@pytest.mark.parametrize(
    ("chain", "answers", "requests"),
    [((RESPONSES,), "PROVED", "TESTED"), ((CHAT,), "PROVED", "PROVED"), (ALL, "PROVED", "PROVED")],
)
def test_the_grades_are_these(chain: tuple[str, ...], answers: str, requests: str) -> None:
    found = gradings(*chain, documents=1000 if len(chain) == 1 else 2500)
    assert found["answers"].grade.value == answers
    assert found["requests"].grade.value in {requests, "TESTED"}
    for one in found.values():
        assert one.trial is not None
        assert one.trial.coverage.share >= 0.98


# --- documents ----------


def test_a_response_is_a_chat_completion() -> None:
    found = adapter(RESPONSES)(RESPONSE)
    assert found == {
        "id": "resp_1",
        "object": "chat.completion",
        "created": 1741290958,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi there!",
                    "refusal": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                        }
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 37, "completion_tokens": 11, "total_tokens": 48},
    }


@pytest.mark.parametrize(("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter")])
def test_an_incomplete_response_says_why_it_ends(reason: str, finish: str) -> None:
    answer = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": reason}}
    [choice] = adapter(RESPONSES)(answer)["choices"]
    assert choice["finish_reason"] == finish


def test_a_refusal_is_told_apart_from_a_text_and_text_completions_have_none() -> None:
    part = {"type": "refusal", "refusal": "I will not."}
    answer = {**RESPONSE, "output": [{"type": "message", "role": "assistant", "content": [part]}], "usage": None}
    found = adapter(RESPONSES)(answer)
    assert found["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "I will not."}
    assert found["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in found
    with pytest.raises(AdaptError, match="a text is no refusal"):
        adapter(*ALL)(answer)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "no"}}, "has not answered but failed"),
        ({"status": "in_progress"}, "the answer is not there"),
        ({"output": [{"type": "custom_tool_call", "call_id": "c", "input": ""}]}, "no place for such an item"),
        ({"status": "incomplete"}, "incomplete_details"),
    ],
)
def test_what_is_no_answer_of_a_chat_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(AdaptError, match=reason):
        adapter(RESPONSES)({**RESPONSE, **change})


def test_a_real_chat_is_a_text_completion_and_one_with_calls_is_none() -> None:
    found = adapter(CHAT)(document("llama-chat.sse"))
    assert found["object"] == "text_completion"
    assert found["choices"] == [{"index": 0, "finish_reason": "length", "text": " three1v,ll", "logprobs": None}]
    assert found["usage"]["total_tokens"] == 26
    with pytest.raises(AdaptError, match="a text has no tool calls"):
        adapter(CHAT)(document("llama-tool-call.sse"))


# --- requests ----------


def test_a_conversation_with_calls_becomes_items() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:x"}}
    asked = {
        "model": "m",
        "max_tokens": 5,
        "max_completion_tokens": 7,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}, "strict": True}},
        "reasoning_effort": "low",
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Hm?"}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "4"}]},
            {"role": "assistant", "content": None, "refusal": "No."},
        ],
    }
    assert adapter(RESPONSES).request(asked) == {
        "model": "m",
        "max_output_tokens": 7,
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {}, "strict": True}},
        "reasoning": {"effort": "low"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "store": False,
        "input": [
            {"type": "message", "role": "system", "content": "Be brief."},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Hm?"},
                    {"type": "input_image", "image_url": "data:x", "detail": "auto"},
                ],
            },
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "4"},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ],
    }


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"stop": "x"},
        {"logprobs": True},
        {"presence_penalty": 1},
        {"logit_bias": {"5": 1}},
        {"functions": [{"name": "f"}]},
        {"modalities": ["audio"]},
        {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
        {"messages": [{"role": "function", "name": "f", "content": ""}]},
    ],
)
def test_what_responses_cannot_be_asked_is_refused(more: dict[str, Any]) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    adapter(RESPONSES).request(asked)
    with pytest.raises(AdaptError):
        adapter(RESPONSES).request({**asked, **more})


@pytest.mark.parametrize("prompt", ["Hello", ["Hello"]])
def test_a_prompt_is_a_users_message_and_after_both_steps_an_item(prompt: Any) -> None:
    asked = {"model": "m", "prompt": prompt, "echo": False, "best_of": 1, "n": 1, "temperature": 0}
    message = {"content": "Hello", "role": "user"}
    assert adapter(CHAT).request(asked) == {
        "model": "m",
        "messages": [message],
        "n": 1,
        "temperature": 0,
        "max_tokens": 16,
    }
    found = adapter(*ALL).request(asked)
    assert found["input"] == [{**message, "type": "message"}]
    assert (found["max_output_tokens"], found["store"]) == (16, False)


@pytest.mark.parametrize(
    "more",
    [
        {"echo": True},
        {"suffix": "x"},
        {"best_of": 2},
        {"logprobs": 0},
        {"prompt": ["a", "b"]},
        {"prompt": [5]},
        {"prompt": None},
        {"prompt": []},
    ],
)
def test_what_a_chat_cannot_be_asked_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(AdaptError):
        adapter(CHAT).request({"model": "m", "prompt": "a", **more})


# --- streams ----------


def test_a_stream_of_responses_says_as_a_chat_what_the_document_says() -> None:
    out = adapted((RESPONSES,), RECORDED)
    assert out.endswith(b"data: [DONE]\n\n")
    found = summary(out, SSE)
    assert found is not None
    assert found.verdict.result == "complete"
    expected = adapter(RESPONSES)(RESPONSE)
    [choice], [wanted] = found.document["choices"], expected["choices"]
    assert choice["finish_reason"] == wanted["finish_reason"]
    assert choice["message"]["content"] == wanted["message"]["content"]
    assert choice["message"]["tool_calls"] == wanted["message"]["tool_calls"]
    assert found.document["usage"] == expected["usage"]
    assert b"usage" not in adapted((RESPONSES,), RECORDED, usage=False)


@pytest.mark.parametrize(
    ("names", "stream"),
    [((RESPONSES,), RECORDED), ((CHAT,), body("llama-chat.sse"))],
)
def test_a_stream_is_the_same_wherever_it_is_cut(names: tuple[str, ...], stream: bytes) -> None:
    expected = adapted(names, stream)
    assert adapted(names, *bytewise(stream)) == expected
    assert all(adapted(names, *parts) == expected for parts in two_way_splits(stream))


def test_a_real_stream_of_a_chat_is_one_of_text_and_one_with_calls_breaks() -> None:
    out = adapted((CHAT,), body("llama-chat.sse"))
    chunks = documents(out)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == " three1v,ll"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert out.endswith(b"data: [DONE]\n\n")
    with pytest.raises(BrokenStreamError, match="a text has no tool calls"):
        adapted((CHAT,), body("llama-tool-call.sse"))


def test_both_steps_make_text_of_a_stream_of_responses() -> None:
    events = [event.raw for event in whole(SseReader(), RECORDED)]
    spoken = b"".join(raw for raw in events if b"function_call" not in raw or b"response.completed" in raw)
    out = adapted(ALL, spoken)
    assert "".join(choice["text"] for chunk in documents(out) for choice in chunk["choices"]) == "Hi there!"
    assert documents(out)[-1]["usage"]["total_tokens"] == 48
    assert out.endswith(b"data: [DONE]\n\n")
    with pytest.raises(BrokenStreamError, match="a text has no tool calls"):
        adapted(ALL, RECORDED)


CREATED = {"type": "response.created", "response": {"id": "r", "created_at": 7.0, "model": "m"}}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "no"}}},
        {"type": "error", "code": "server_error", "message": "no", "param": None},
        {"type": "error", "error": {"type": "x", "code": "server_error", "message": "no", "param": None}},
    ],
)
@pytest.mark.parametrize("names", [(RESPONSES,), ALL])
def test_a_failure_is_told_as_chats_tell_it_and_nothing_ends_the_stream(
    names: tuple[str, ...], event: dict[str, Any]
) -> None:
    out = adapted(names, sse(CREATED, event))
    assert documents(out)[-1] == {
        "error": {"message": "no", "type": "server_error", "param": None, "code": "server_error"}
    }
    assert b"[DONE]" not in out


@pytest.mark.parametrize(
    ("order", "begun"),
    [
        ("A0 A. B0 B.", ""),  # at the end of each call
        ("A0 B0 A. B.", ""),  # of all of them
        ("A0 A+ B0 A. B.", ""),  # and of one of them before
        ("A0 A+ B0 B+ A. B.", ""),
        ("A0 A+ A. B0 B+ B. B.", ""),
        ("A0 A. B0 B.", "{}"),  # at its beginning, once more at its end
    ],
)
def test_arguments_are_heard_once_wherever_a_stream_says_them(order: str, begun: str) -> None:
    def event(told: str) -> dict[str, Any]:
        place = {"output_index": 3 + "AB".index(told[0])}
        if told[1] == "0":
            item = {"type": "function_call", "call_id": told[0], "name": "f", "arguments": begun}
            return {"type": "response.output_item.added", **place, "item": item}
        ended = told[1] == "."
        said = {"arguments" if ended else "delta": "{}"}
        return {"type": f"response.function_call_arguments.{'done' if ended else 'delta'}", **place, **said}

    last = {"type": "response.completed", "response": {"usage": None}}
    found = summary(adapted((RESPONSES,), sse(CREATED, *map(event, order.split()), last)), SSE)
    assert found is not None
    calls = found.document["choices"][0]["message"]["tool_calls"]
    assert [(one["id"], one["function"]["arguments"]) for one in calls] == [("A", "{}"), ("B", "{}")]


def test_a_stream_that_is_cut_has_no_end_and_an_item_without_a_place_breaks_it() -> None:
    out = adapted((RESPONSES,), RECORDED[: RECORDED.index(b"event: response.completed")])
    assert b"[DONE]" not in out
    assert b'"finish_reason":"' not in out
    item = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "custom_tool_call"}}
    with pytest.raises(BrokenStreamError, match="no place for such an item"):
        adapted((RESPONSES,), sse(CREATED, item))


def test_a_stream_that_ends_for_its_length_says_so_in_both_shapes() -> None:
    last = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    for names in ((RESPONSES,), ALL):
        assert documents(adapted(names, sse(CREATED, last)))[-1]["choices"][0]["finish_reason"] == "length"
