"""Streams of a real llama.cpp server: passed on to the byte, judged rightly, gathered into its own whole answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stepdown_adapters.stream import Ending, Event, Outcome, Summary, read, reader, summary, writer
from tests.kit.llama import llama_server

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("llama")]

WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 5}}, "required": ["city"]},
}
CALL = {
    "tools": [{"type": "function", "function": WEATHER}],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "max_tokens": 60,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as url:
        yield url


def chat(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "will the customer stay"}]
    return {"model": "tiny-0", "temperature": 0, "max_tokens": 20, "messages": messages, **more}


def streamed(url: str, request: dict[str, Any]) -> tuple[Summary, bytes, bytes]:
    """What a stream said, its bytes as they came, and as they were written again event by event."""
    came, written = b"", b""
    with httpx.stream("POST", url, json={**request, "stream": True}, timeout=60) as answer:
        kind = answer.headers["content-type"]
        framing, emit = reader(kind), writer(kind)
        assert answer.status_code == 200
        assert framing is not None
        assert emit is not None
        outcome = Outcome()
        for chunk in answer.iter_raw():
            came += chunk
            for event in framing.feed(chunk):
                outcome.hear(read(event))
                written += emit(event)
        assert framing.close() is None
    found = summary(came, kind)
    assert found is not None
    assert found.verdict == outcome.verdict()
    return found, came, written


def comparable(answer: dict[str, Any]) -> Any:
    """The answer without what differs each time, and without usage, which this server's streams do not have."""
    choices = [
        {**choice, "message": {**choice["message"], "tool_calls": calls(choice["message"])}}
        if "message" in choice
        else choice
        for choice in answer["choices"]
    ]
    return {name: answer[name] for name in ("object", "model")} | {"choices": choices}


def calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**call, "id": ""} for call in message.get("tool_calls") or ()]


@pytest.mark.parametrize(
    ("path", "request_body"),
    [
        ("chat/completions", chat()),
        ("chat/completions", chat(**CALL)),
        ("completions", {"model": "tiny-0", "temperature": 0, "max_tokens": 20, "prompt": "the customer is"}),
    ],
    ids=["chat", "tool call", "completion"],
)
def test_a_stream_is_gathered_into_the_answer_that_the_server_gives_without_one(
    server: str, path: str, request_body: dict[str, Any]
) -> None:
    whole = httpx.post(f"{server}/{path}", json=request_body, timeout=60).json()
    found, came, written = streamed(f"{server}/{path}", request_body)
    assert comparable(found.document) == comparable(whole)
    assert found.verdict.result == "complete"
    assert found.events["[DONE]"] == 1
    assert written == came


def test_a_prompt_that_is_too_long_is_refused_by_an_empty_stream_of_200(server: str) -> None:
    found, _, _ = streamed(f"{server}/chat/completions", chat(messages=[{"role": "user", "content": "a" * 3000}]))
    assert found.verdict.reason == "empty"


def test_a_stream_that_another_request_ended_has_failed_although_it_says_done(tmp_path: Path) -> None:
    with llama_server(tmp_path, interrupts=True) as url:
        for _ in range(30):  # until a stream was not already over when the other request came
            events = interrupted(f"{url}/chat/completions")
            outcome = Outcome()
            for event in events:
                outcome.hear(read(event))
            if outcome.verdict().failed:
                break
    assert [event.data for event in events].count(b"[DONE]") == 1
    assert {outcome.verdict(ending).reason for ending in Ending} == {"unfinished"}


def interrupted(url: str) -> list[Event]:
    """The events of a stream while another request is made; the server may break the connection after the last."""
    events: list[Event] = []
    request = chat(stream=True, max_tokens=400, logit_bias={"2": -100})
    with httpx.stream("POST", url, json=request, timeout=60) as answer, contextlib.suppress(httpx.RemoteProtocolError):
        framing = reader(answer.headers["content-type"])
        assert framing is not None
        for chunk in answer.iter_raw():
            first = not events
            events += framing.feed(chunk)
            if first:
                httpx.post(url, json=chat(max_tokens=1), timeout=60)
    return events
