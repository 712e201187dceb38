"""An old application with openai-python before a server of Anthropic's Messages, through a real sidecar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.kit.looping import LoopThread
from tests.kit.openai_python import chat
from tests.kit.processes import Processes, eventually
from tests.kit.streams import body
from tests.kit.upstream import Upstream, serve

CONFIG = """
listen: 127.0.0.1:0
status: 127.0.0.1:0
admin: {{listen: 127.0.0.1:0, tokens: [{{name: test, role: operate, token: {{env: STEPDOWN_TEST_TOKEN}}}}]}}
log: {{format: json}}
models:
  claude:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{schema: {{catalogue: openai/chat}}, input: {{catalogue: openai/chat}}}}
      "2.0.0":
        schema: {{catalogue: anthropic/messages}}
        input: {{catalogue: anthropic/messages}}
        endpoints:
          - url: http://127.0.0.1:{port}
            path: /v1/messages
            set_headers: {{anthropic-version: "2023-06-01", x-api-key: {{env: STEPDOWN_TEST_TOKEN}}}}
            remove_headers: [authorization]
    adapters:
      - {{from: "2.0.0", to: "1.0.0", use: anthropic/messages-to-chat}}
routes:
  chat: {{match: {{path: /v1/chat/completions}}, model: claude, errors: openai, split: {{"2.0.0": 100}}}}
"""
STREAM = body("anthropic-messages.sse")
MESSAGE = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4",
    "content": [
        {"type": "text", "text": "Okay."},
        {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {"location": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 472, "output_tokens": 89},
}
FAILED = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


def answer(content: bytes, kind: bytes = b"application/json", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(content), content)


def streaming(content: bytes) -> bytes:
    return answer(content, b"text/event-stream; charset=utf-8")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Processes, Upstream]]:
    """A sidecar and the server behind it, whose script each test sets."""
    file = tmp_path_factory.mktemp("anthropic") / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as upstream:
        file.write_text(CONFIG.format(port=upstream.port))
        with Processes(file) as running:
            yield running.started(), upstream


@contextmanager
def sidecar(both: tuple[Processes, Upstream], given: bytes) -> Iterator[tuple[Processes, Upstream]]:
    """Both, with a server that gives one answer to all."""
    running, upstream = both
    upstream.forget()
    upstream.script = serve(given)
    upstream.queue.clear()
    try:
        yield running, upstream
    finally:  # a connection that is kept would go on with its old script
        for peer in upstream.peers:
            upstream.on_loop(peer.fin)


def asked(running: Processes, **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Paris?"}]
    return chat(f"http://127.0.0.1:{running.port}/v1", model="claude-sonnet-4", messages=messages, **more)


def test_it_reads_a_message_as_a_chat_completion_and_the_server_was_asked_for_a_message(
    both: tuple[Processes, Upstream],
) -> None:
    with sidecar(both, answer(json.dumps(MESSAGE).encode())) as (running, upstream):
        found = asked(running)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("Okay.", "tool_calls")
        [call] = choice["message"]["tool_calls"]
        assert call["function"] == {"name": "get_weather", "arguments": '{"location":"Paris"}'}
        assert found["document"]["usage"]["total_tokens"] == 561
        request = upstream.requests[-1]
        assert request.target == b"/v1/messages"
        assert request.get(b"anthropic-version") == b"2023-06-01"
        assert request.get(b"x-api-key")
        assert request.get(b"authorization") is None
        assert json.loads(request.body) == {
            "model": "claude-sonnet-4",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": "Paris?"}],
            "system": [{"type": "text", "text": "Be kind."}],
        }


def test_it_reads_a_stream_of_a_message_as_one_of_a_chat_with_the_usage_that_it_asked_for(
    both: tuple[Processes, Upstream],
) -> None:
    with sidecar(both, streaming(STREAM)) as (running, upstream):
        found = asked(running, stream=True, stream_options={"include_usage": True})
        assert found["error"] == ""
        assert found["content"] == "Okay, let me look ☂."
        assert found["reasoning"] == "Paris, then the weather."
        parts = [
            call for chunk in found["chunks"] for one in chunk["choices"] for call in one["delta"].get("tool_calls", ())
        ]
        assert "".join(call["function"]["arguments"] for call in parts) == '{"location": "Paris"}'
        assert found["chunks"][-1]["usage"]["total_tokens"] == 561
        assert json.loads(upstream.requests[-1].body)["stream"] is True


def test_an_error_inside_a_stream_is_raised_and_counted(both: tuple[Processes, Upstream]) -> None:
    given = STREAM[: STREAM.index(b"event: message_delta")] + FAILED
    with sidecar(both, streaming(given)) as (running, _):
        found = asked(running, stream=True)
        assert found["content"] == "Okay, let me look ☂."
        assert found["error"] == "APIError"
        eventually(lambda: b"stepdown_stream_failures_total{" in running.get("status", "/metrics")[1])


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (b"529 Overloaded", "overloaded_error", "InternalServerError"),
        (b"429 Too Many Requests", "rate_limit_error", "RateLimitError"),
        (b"400 Bad Request", "invalid_request_error", "BadRequestError"),
    ],
)
def test_an_error_is_raised_as_what_it_is(
    both: tuple[Processes, Upstream], status: bytes, word: str, expected: str
) -> None:
    told = json.dumps({"type": "error", "error": {"type": word, "message": "why"}}).encode()
    with sidecar(both, answer(told, status=status)) as (running, _):
        assert asked(running)["error"] == expected


def test_what_messages_cannot_be_asked_is_a_mistake_of_the_request(both: tuple[Processes, Upstream]) -> None:
    with sidecar(both, answer(b"{}")) as (running, upstream):
        assert asked(running, n=2)["error"] == "UnprocessableEntityError"
        assert upstream.requests == []
