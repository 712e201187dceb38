"""Which answers that were cut are whole: streams up to the end that they gave themselves, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.comparer.endings import settled
from tests.kit import streams
from tests.kit.shadowing import an_answer

SPOKEN = {
    "azure-chat.sse": b"[DONE]",
    "anthropic-messages.sse": b"message_stop",
    "llama-chat.sse": b"[DONE]",
    "llama-completions.sse": b"[DONE]",
    "ollama.ndjson": b'"done": true',
    "openai-chat.sse": b"[DONE]",
    "openai-responses.sse": b'"type":"response.completed"',
    "vllm-reasoning.sse": b"[DONE]",
}
"""Streams whose dialect has an end, and what it says."""


def cut(media: str = streams.SSE, status: int = 200, *lines: str, **more: Any) -> Any:
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Type: {media}", *lines]) + "\r\n\r\n"
    return an_answer(**{"missing": "cut", "error": "client-gone", "status": status, "head": head.encode()} | more)


@pytest.mark.parametrize("error", ["", "client-gone", "upstream-closed", "upstream-timeout", "bad-response"])
@pytest.mark.parametrize("name", SPOKEN)
def test_a_stream_that_said_its_end_is_whole_however_its_connection_ended(name: str, error: str) -> None:
    body = streams.body(name)
    answer, kept = settled(cut(streams.content_type(name), error=error), body)
    assert (answer.missing, answer.error, kept) == ("", "", body)


@pytest.mark.parametrize("name", SPOKEN)
def test_one_that_was_cut_before_is_cut_wherever_that_was(name: str) -> None:
    body = streams.body(name)
    for place in range(1, body.rindex(SPOKEN[name]), 7):
        answer, kept = settled(cut(streams.content_type(name)), body[:place])
        assert (answer.missing, answer.error, kept) == ("cut", "client-gone", b"")


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (cut(), streams.body("llama-given-up.sse")),
        (cut(), streams.sse({"error": {"message": "m"}}, b"[DONE]")),
        (cut(streams.NDJSON), streams.body("rows.ndjson")),
        (cut("application/json"), b'{"a": "data: [DONE]"}'),
        (cut("text/plain"), streams.body("openai-chat.sse")),
        (cut(streams.SSE, 500), streams.body("openai-chat.sse")),
        (cut(streams.SSE, 200, "Content-Encoding: gzip"), streams.body("openai-chat.sse")),
        (cut(error="stream-broken"), streams.body("openai-chat.sse")),
    ],
    ids=["given up", "error", "no end", "document", "text", "status", "coding", "broken by an adapter"],
)
def test_no_other_answer_that_was_cut_is_whole(answer: Any, body: bytes) -> None:
    assert settled(answer, body) == (answer, b"")


def test_an_answer_that_was_not_cut_stays_as_it_is() -> None:
    for missing, body in (("", b"{"), ("too-large", b""), ("full", b""), ("cut", b"")):
        answer = an_answer(missing=missing)
        assert settled(answer, body) == (answer, body)
