"""openai-python as the old application, of documents of newer APIs behind a sidecar, and of a real server of chats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.stream import SseReader
from tests.kit.openai_python import chat, complete
from tests.kit.stepped_down import CHATS, RESPONSES, TEXTS, before, document, sent, stepped_down
from tests.kit.streams import body, whole
from tests.kit.world import World

BOTH = ("openai/responses-to-chat", "openai/chat-to-completions")
MESSAGES = [{"role": "user", "content": "Hello"}]
EVENTS = whole(SseReader(), body("openai-responses.sse"))
DOCUMENT: dict[str, Any] = json.loads(EVENTS[-1].data or b"")["response"]
SPOKEN: dict[str, Any] = {
    **DOCUMENT,
    "output": [item for item in DOCUMENT["output"] if item["type"] != "function_call"],
}
USAGE = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
ERROR = {"message": "Not now.", "type": "rate_limit_exceeded", "param": None, "code": "slow_down"}


@contextmanager
def responses(
    folder: Path, answer: dict[str, Any], steps: int, status: bytes = b"200 OK"
) -> Iterator[tuple[World, str]]:
    """A server of Responses, and clients that are so many APIs behind."""
    asks = (CHATS, TEXTS)[steps - 1]
    with stepped_down(folder, *BOTH[:steps], by=document(answer, status), asks=asks, sends=RESPONSES) as found:
        yield found


@contextmanager
def chats(folder: Path, *choices: dict[str, Any]) -> Iterator[tuple[World, str]]:
    """A server of chats, and clients of text completions."""
    found = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}
    with stepped_down(folder, BOTH[1], by=document(found), asks=TEXTS, sends=CHATS) as both:
        yield both


def choice(index: int, content: str | None, reason: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reason}


def said(*content: dict[str, Any]) -> dict[str, Any]:
    """What a response has for an output of these parts."""
    return {"output": [{"id": "i", "type": "message", "status": "completed", "role": "assistant", "content": content}]}


def test_it_reads_a_response_as_a_chat_completion(tmp_path: Path) -> None:
    with responses(tmp_path, DOCUMENT, 1) as (here, url):
        found = chat(url, strict=True, model="m", messages=MESSAGES, max_tokens=5)
        assert found["error"] == ""
        [one] = found["document"]["choices"]
        assert (one["finish_reason"], one["message"]["content"]) == ("tool_calls", "Hi there!")
        assert one["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
        assert found["document"]["usage"]["total_tokens"] == 48
        assert here.upstream.requests[0].target == b"/v1/responses"
        asked = sent(here)
        assert asked["input"] == [{"type": "message", **MESSAGES[0]}]
        assert (asked["max_output_tokens"], asked["store"]) == (5, False)


def test_what_it_was_answered_can_be_told_in_the_next_turn(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    with responses(tmp_path, DOCUMENT, 1) as (here, url):
        message = chat(url, model="m", messages=MESSAGES, tools=[tool])["document"]["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}
        found = chat(url, model="m", messages=[*MESSAGES, message, result], tools=[tool], tool_choice="auto")
        assert found["error"] == ""
        asked = sent(here)
        assert asked["input"][2:] == [
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Rome"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        ]
        assert asked["input"][1] == {"type": "message", "role": "assistant", "content": "Hi there!"}
        assert asked["tools"][0]["name"] == "weather"


@pytest.mark.parametrize(
    ("change", "content", "refusal", "finish"),
    [
        (said({"type": "refusal", "refusal": "I will not."}), None, "I will not.", "stop"),
        ({**SPOKEN, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "Hi there!", None,
         "length"),
        ({**said(), "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, None, None,
         "content_filter"),
    ],
    ids=["refused", "too-long", "filtered"],
)  # fmt: skip
def test_it_reads_why_an_answer_ended_or_was_none(
    change: dict[str, Any], content: str | None, refusal: str | None, finish: str, tmp_path: Path
) -> None:
    answer = {**DOCUMENT, **change}
    with responses(tmp_path / "chat", answer, 1) as (_, url):
        [one] = chat(url, strict=True, model="m", messages=MESSAGES)["document"]["choices"]
        assert (one["message"]["content"], one["message"]["refusal"], one["finish_reason"]) == (
            content,
            refusal,
            finish,
        )
    with responses(tmp_path / "text", answer, 2) as (_, url):
        found = complete(url, strict=True, model="m", prompt="Hello")
        if refusal is not None:
            assert (found["error"], found["raised"]["status_code"]) == ("InternalServerError", 502)
            assert "a text is no refusal" in found["raised"]["message"]
        else:
            [one] = found["document"]["choices"]
            assert (one["text"], one["finish_reason"]) == (content or "", finish)


def test_it_reads_responses_as_text_completions_over_both_steps(tmp_path: Path) -> None:
    with responses(tmp_path, SPOKEN, 2) as (here, url):
        found = complete(url, strict=True, model="m", prompt="Hello")
        assert found["error"] == ""
        assert found["document"]["object"] == "text_completion"
        assert found["document"]["choices"][0]["text"] == "Hi there!"
        assert found["document"]["usage"]["total_tokens"] == 48
        assert here.upstream.requests[0].target == b"/v1/responses"
        assert sent(here) == {
            "model": "m",
            "input": [{"type": "message", "role": "user", "content": "Hello"}],
            "max_output_tokens": 16,
            "store": False,
        }


def test_it_reads_several_answers_of_a_chat_as_texts(tmp_path: Path) -> None:
    with chats(tmp_path, choice(0, "a"), choice(1, "b", "length"), choice(2, None, "content_filter")) as (here, url):
        found = complete(url, strict=True, model="m", prompt="Hello", n=3, best_of=1, stop=["."], temperature=0.5)
        assert found["error"] == ""
        told = [(one["index"], one["text"], one["finish_reason"]) for one in found["document"]["choices"]]
        assert told == [(0, "a", "stop"), (1, "b", "length"), (2, "", "content_filter")]
        assert found["document"]["usage"] == USAGE
        asked = sent(here)
        assert asked["messages"] == MESSAGES
        assert (asked["n"], asked["stop"], asked["temperature"], asked["max_tokens"]) == (3, ["."], 0.5, 16)


def test_calls_of_tools_are_no_text(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with chats(tmp_path, choice(0, None, "tool_calls", tool_calls=[call])) as (_, url):
        found = complete(url, model="m", prompt="Hello")
        assert (found["error"], found["raised"]["status_code"]) == ("InternalServerError", 502)
        assert "a text has no tool calls" in found["raised"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("steps", [1, 2])
def test_an_error_of_the_newest_api_is_raised_as_itself(steps: int, stream: bool, tmp_path: Path) -> None:
    with responses(tmp_path, {"error": ERROR}, steps, b"429 Too Many Requests") as (_, url):
        asked = {"messages": MESSAGES} if steps == 1 else {"prompt": "Hello"}
        found = (chat if steps == 1 else complete)(url, model="m", stream=stream, **asked)
        assert (found["error"], found["raised"]["code"]) == ("RateLimitError", "slow_down")
        assert found["raised"]["type"] == "rate_limit_exceeded"
        assert "Not now." in found["raised"]["message"]


def test_it_is_told_of_a_response_that_failed_with_a_200(tmp_path: Path) -> None:
    failed = {**DOCUMENT, "status": "failed", "error": {"code": "server_error", "message": "no"}, "output": []}
    with responses(tmp_path, failed, 1) as (_, url):
        found = chat(url, model="m", messages=MESSAGES)
        assert (found["error"], found["raised"]["status_code"]) == ("InternalServerError", 502)
        assert "has not answered but failed" in found["raised"]["message"]


def test_what_it_cannot_ask_of_the_newer_api_is_an_error_that_it_knows(tmp_path: Path) -> None:
    with responses(tmp_path, DOCUMENT, 1) as (here, url):
        found = chat(url, model="m", messages=MESSAGES, n=2)
        assert found["error"] == "UnprocessableEntityError"
        assert "Responses give one answer only" in found["raised"]["message"]
        assert not here.upstream.requests


# --- a real server of chats ----------


@pytest.mark.real
@pytest.mark.xdist_group("llama")
@pytest.mark.parametrize("stream", [False, True])
def test_a_real_chat_is_the_text_completion_that_it_reads(llama: str, tmp_path: Path, stream: bool) -> None:
    with before(llama, tmp_path, BOTH[1], asks=TEXTS, sends=CHATS) as url:
        asked = {"model": "tiny-0", "temperature": 0, "max_tokens": 20}
        direct = chat(llama, messages=MESSAGES, **asked)["document"]["choices"][0]
        found = complete(url, prompt="Hello", stream=stream, **asked)
        assert found["error"] == ""
        if stream:
            assert found["content"] == direct["message"]["content"] != ""
            assert {chunk["object"] for chunk in found["chunks"]} == {"text_completion"}
            assert found["chunks"][-1]["choices"][0]["finish_reason"] == direct["finish_reason"]
        else:
            assert found["document"]["object"] == "text_completion"
            assert found["document"]["choices"][0]["text"] == direct["message"]["content"] != ""


@pytest.mark.real
@pytest.mark.xdist_group("llama")
def test_a_real_server_is_free_for_others_once_a_client_has_left(llama: str, tmp_path: Path) -> None:
    with before(llama, tmp_path, BOTH[1], asks=TEXTS, sends=CHATS) as url:
        asked = {"model": "tiny-0", "temperature": 0}
        assert len(complete(url, leave=2, prompt="Hello", stream=True, max_tokens=400, **asked)["chunks"]) == 2
        found = complete(url, prompt="Hello", stream=True, max_tokens=10, **asked)
        assert (found["error"], found["chunks"][-1]["choices"][0]["finish_reason"]) == ("", "length")
