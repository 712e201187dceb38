"""openai-python as the old application, of streams of OpenAI's newer APIs behind a sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.stream import SseReader
from tests.kit.openai_python import accumulated, at_once, chat, complete
from tests.kit.processes import eventually
from tests.kit.stepped_down import CHATS, RESPONSES, TEXTS, begun, events, sent, sliced, stepped_down, together
from tests.kit.streams import body, sse, whole
from tests.kit.upstream import Script
from tests.kit.world import World

BOTH = ("openai/responses-to-chat", "openai/chat-to-completions")
MESSAGES = [{"role": "user", "content": "Hello"}]
RECORDED = body("openai-responses.sse")
EVENTS = whole(SseReader(), RECORDED)
SPOKEN = b"".join(e.raw for e in EVENTS if b"function_call" not in e.raw or e.event == "response.completed")
CREATED = EVENTS[0].raw
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "output_tokens_details": {"reasoning_tokens": 2}}
INCLUDED = {"stream_options": {"include_usage": True}}


@contextmanager
def responses(folder: Path, by: bytes | Script, steps: int) -> Iterator[tuple[World, str]]:
    """A server that streams Responses, and clients that are so many APIs behind."""
    asks, answer = (CHATS, TEXTS)[steps - 1], events(by) if isinstance(by, bytes) else by
    with stepped_down(folder, *BOTH[:steps], by=answer, asks=asks, sends=RESPONSES) as found:
        yield found


def ask(url: str, steps: int, **more: Any) -> dict[str, Any]:
    """What the client reads of the stream that it asks for."""
    if steps == 1:
        return chat(url, model="m", messages=MESSAGES, stream=True, **more)
    return complete(url, model="m", prompt="Hello", stream=True, **more)


def reasons(found: dict[str, Any]) -> list[str]:
    """Why it ended, as often as it was said."""
    all_ = [choice["finish_reason"] for chunk in found["chunks"] for choice in chunk["choices"]]
    return [reason for reason in all_ if reason]


def totals(found: dict[str, Any]) -> list[int]:
    """Tokens of each chunk that says any."""
    return [chunk["usage"]["total_tokens"] for chunk in found["chunks"] if chunk.get("usage")]


@pytest.mark.parametrize("usage", [True, False])
def test_it_reads_a_stream_of_responses_as_chunks_and_usage_if_it_asked_for_it(tmp_path: Path, usage: bool) -> None:
    with responses(tmp_path, RECORDED, 1) as (here, url):
        found = ask(url, 1, strict=True, **(INCLUDED if usage else {}))
        assert (found["error"], found["content"]) == ("", "Hi there!")
        assert totals(found) == [48] * usage
        assert reasons(found) == ["tool_calls"]
        assert sent(here)["stream"] is True
        assert "stream_options" not in sent(here)


def test_its_library_puts_texts_and_calls_of_a_stream_together(tmp_path: Path) -> None:
    item = {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "time", "arguments": ""}
    place = {"output_index": 3, "item_id": "fc_2"}
    second = sse(
        {"type": "response.output_item.added", **place, "item": item},
        {"type": "response.function_call_arguments.done", **place, "arguments": "{}"},  # as some models say them
    )
    before, last = RECORDED[: RECORDED.index(b"event: response.completed")], EVENTS[-1].raw
    with responses(tmp_path, sliced(events(before + second + last), 13), 1) as (_, url):
        found = accumulated(url, model="m", messages=MESSAGES, **INCLUDED)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("Hi there!", "tool_calls")
        calls = [(one["id"], one["function"]["name"]) for one in choice["message"]["tool_calls"]]
        assert calls == [("call_1", "weather"), ("call_2", "time")]
        arguments = [one["function"]["arguments"] for one in choice["message"]["tool_calls"]]
        assert arguments == ['{"city":"Rome"}', "{}"]
        assert found["document"]["usage"]["total_tokens"] == 48


def test_it_reads_responses_as_text_completions_over_both_steps(tmp_path: Path) -> None:
    with responses(tmp_path, SPOKEN, 2) as (here, url):
        found = ask(url, 2, **INCLUDED)
        assert (found["error"], found["content"]) == ("", "Hi there!")
        assert (totals(found), reasons(found)) == ([48], ["stop"])
        assert {chunk["object"] for chunk in found["chunks"]} == {"text_completion"}
        assert sent(here)["max_output_tokens"] == 16


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter")])
def test_it_reads_why_a_stream_ended_too_soon(steps: int, reason: str, finish: str, tmp_path: Path) -> None:
    last = {"incomplete_details": {"reason": reason}, "usage": USAGE}
    text = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"}
    stream = CREATED + sse(text, {"type": "response.incomplete", "response": last})
    with responses(tmp_path, stream, steps) as (_, url):
        found = ask(url, steps, **INCLUDED)
        assert (found["error"], found["content"]) == ("", "Hi")
        assert (reasons(found), totals(found)) == ([finish], [7])
        details = found["chunks"][-1]["usage"].get("completion_tokens_details")
        assert details == {"reasoning_tokens": 2}


def test_it_reads_a_refusal_which_is_no_text(tmp_path: Path) -> None:
    parts = [{"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": one} for one in "No"]
    stream = CREATED + sse(*parts, {"type": "response.completed", "response": {"usage": None}})
    with responses(tmp_path / "chat", stream, 1) as (_, url):
        message = accumulated(url, model="m", messages=MESSAGES)["document"]["choices"][0]["message"]
        assert (message["refusal"], message["content"]) == ("No", "")
    with responses(tmp_path / "text", stream, 2) as (_, url):
        assert ask(url, 2)["error"] == "APIConnectionError"


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(
    "failure",
    [
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "no"}}},
        {"type": "error", "code": "server_error", "message": "no", "param": None, "sequence_number": 5},
    ],
    ids=["failed", "error"],
)
def test_an_error_in_the_middle_is_raised_behind_what_was_said(
    steps: int, failure: dict[str, Any], tmp_path: Path
) -> None:
    said = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"}
    with responses(tmp_path, CREATED + sse(said, failure), steps) as (_, url):
        found = ask(url, steps)
        assert (found["error"], found["content"]) == ("APIError", "Hi")
        raised = {name: found["raised"][name] for name in ("message", "type", "code")}
        assert raised == {"message": "no", "type": "server_error", "code": "server_error"}


@pytest.mark.parametrize("steps", [1, 2])
def test_a_stream_that_breaks_off_is_no_whole_answer(steps: int, tmp_path: Path) -> None:
    part = SPOKEN[: SPOKEN.index(b"event: response.completed")]
    with responses(tmp_path, begun(part, breaks=True), steps) as (_, url):
        found = ask(url, steps)
        assert (found["error"], found["content"], reasons(found)) == ("APIConnectionError", "Hi there!", [])


@pytest.mark.parametrize("steps", [1, 2])
def test_a_client_that_leaves_ends_the_stream_at_the_server(steps: int, tmp_path: Path) -> None:
    part = SPOKEN[: SPOKEN.index(b"event: response.completed")]
    with responses(tmp_path, begun(part, breaks=False), steps) as (here, url):
        found = ask(url, steps, leave=2)
        assert (found["error"], found["content"]) == ("", "Hi")
        eventually(lambda: all(peer.ended.is_open for peer in here.upstream.peers))
        assert {peer.how for peer in here.upstream.peers} <= {"fin", "reset"}


def test_it_reads_several_answers_of_a_chat_as_texts_and_none_of_another_kind(tmp_path: Path) -> None:
    def chunk(index: int, finish: str | None = None, **delta: Any) -> dict[str, Any]:
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "usage": None}
        return {**head, "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    spoken = [
        chunk(0, role="assistant", content=""),
        chunk(1, content="b"),
        chunk(0, content="a"),
        chunk(1, content="c"),
    ]
    ends = [chunk(1, "length"), chunk(0, "stop"), b"[DONE]"]
    with stepped_down(tmp_path / "texts", BOTH[1], by=events(sse(*spoken, *ends)), asks=TEXTS, sends=CHATS) as (
        here,
        url,
    ):
        found = ask(url, 2, n=2)
        assert found["error"] == ""
        texts = {0: "", 1: ""}
        for one in found["chunks"]:
            texts[one["choices"][0]["index"]] += one["choices"][0]["text"]
        assert (texts, reasons(found)) == ({0: "a", 1: "bc"}, ["length", "stop"])
        assert (sent(here)["n"], sent(here)["stream"]) == (2, True)
    called = chunk(0, tool_calls=[{"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}])
    with stepped_down(tmp_path / "calls", BOTH[1], by=events(sse(*spoken, called, *ends)), asks=TEXTS, sends=CHATS) as (
        _,
        url,
    ):
        found = ask(url, 2)
        assert (found["error"], found["content"]) == ("APIConnectionError", "bac")


def test_streams_that_are_read_at_once_do_not_mix(tmp_path: Path) -> None:
    def told(asked: Any) -> list[bytes]:
        word = asked["input"][0]["content"]
        created = {"id": word, "created_at": 1, "model": "m", "status": "in_progress"}
        part = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": word}
        last = {"type": "response.completed", "response": {**created, "status": "completed", "usage": USAGE}}
        return list(map(sse, [{"type": "response.created", "response": created}, *[part] * 10, last]))

    with responses(tmp_path, together(20, told), 1) as (_, url):
        words = [f"w{number}." for number in range(20)]
        requests = [
            {"model": "m", "messages": [{"role": "user", "content": word}], "stream": True, "timeout": 50, **INCLUDED}
            for word in words
        ]
        for word, found in zip(words, at_once(url, *requests), strict=True):
            assert (found["error"], found["content"], totals(found)) == ("", word * 10, [7])
            assert {chunk["id"] for chunk in found["chunks"]} == {word}
