"""openai-python as the old application, of newer APIs behind a sidecar, and of a real server of chats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stepdown.decide.spec import SnapshotSpec
from stepdown_adapters.stream import SseReader
from tests.kit.catalogue import configuration
from tests.kit.configuration import Folder
from tests.kit.llama import llama_server
from tests.kit.looping import LoopThread
from tests.kit.openai_python import chat, complete
from tests.kit.sidecar import Sidecar
from tests.kit.streams import body, sse, whole
from tests.kit.upstream import Peer, serve
from tests.kit.world import World, world

BOTH = ("openai/responses-to-chat", "openai/chat-to-completions")
MESSAGES = [{"role": "user", "content": "Hello"}]
RECORDED = body("openai-responses.sse")
EVENTS = whole(SseReader(), RECORDED)
DOCUMENT: dict[str, Any] = json.loads(EVENTS[-1].data or b"")["response"]
SPOKEN: dict[str, Any] = {
    **DOCUMENT,
    "output": [item for item in DOCUMENT["output"] if item["type"] != "function_call"],
}


def document(found: dict[str, Any]) -> bytes:
    raw = json.dumps(found).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(raw), raw)


def streamed(events: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(events)
    return head + events


def configured(folder: Path, *chain: str, asks: str, sends: str) -> Callable[[int], SnapshotSpec]:
    return lambda port: Folder(folder).load(configuration(chain, port, asks, sends)).spec


@contextmanager
def responses(folder: Path, answer: bytes, steps: int) -> Iterator[World]:
    """A server of Responses, and clients that are so many APIs behind."""
    asks = ("/v1/chat/completions", "/v1/completions")[steps - 1]
    with world(serve(answer), spec=configured(folder, *BOTH[:steps], asks=asks, sends="/v1/responses")) as here:
        yield here


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def sent(here: World) -> tuple[bytes, dict[str, Any]]:
    [request] = here.upstream.requests
    return request.target, json.loads(request.body)


def test_it_reads_a_response_as_a_chat_completion(tmp_path: Path) -> None:
    with responses(tmp_path, document(DOCUMENT), 1) as here:
        found = chat(url(here.sidecar.port), model="m", messages=MESSAGES, max_tokens=5)
        assert found["error"] == ""
        [choice] = found["document"]["choices"]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", "Hi there!")
        assert choice["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
        assert found["document"]["usage"]["total_tokens"] == 48
        target, asked = sent(here)
        assert target == b"/v1/responses"
        assert asked["input"] == [{"type": "message", **MESSAGES[0]}]
        assert (asked["max_output_tokens"], asked["store"]) == (5, False)


@pytest.mark.parametrize("usage", [True, False])
def test_it_reads_a_stream_of_responses_as_chunks_and_usage_if_it_asked_for_it(tmp_path: Path, usage: bool) -> None:
    with responses(tmp_path, streamed(RECORDED), 1) as here:
        options = {"stream_options": {"include_usage": True}} if usage else {}
        found = chat(url(here.sidecar.port), model="m", messages=MESSAGES, stream=True, **options)
        assert (found["error"], found["content"]) == ("", "Hi there!")
        assert [chunk["usage"]["total_tokens"] for chunk in found["chunks"] if chunk.get("usage")] == [48] * usage
        reasons = [choice["finish_reason"] for chunk in found["chunks"] for choice in chunk["choices"]]
        assert [reason for reason in reasons if reason] == ["tool_calls"]
        assert sent(here)[1]["stream"] is True
        assert "stream_options" not in sent(here)[1]


def test_it_reads_responses_as_text_completions_over_both_steps(tmp_path: Path) -> None:
    with responses(tmp_path / "document", document(SPOKEN), 2) as here:
        found = complete(url(here.sidecar.port), model="m", prompt="Hello")
        assert found["error"] == ""
        assert found["document"]["object"] == "text_completion"
        assert found["document"]["choices"][0]["text"] == "Hi there!"
        assert sent(here) == (
            b"/v1/responses",
            {
                "model": "m",
                "input": [{"type": "message", "role": "user", "content": "Hello"}],
                "max_output_tokens": 16,
                "store": False,
            },
        )
    spoken = b"".join(e.raw for e in EVENTS if b"function_call" not in e.raw or e.event == "response.completed")
    with responses(tmp_path / "stream", streamed(spoken), 2) as here:
        found = complete(url(here.sidecar.port), model="m", prompt="Hello", stream=True)
        assert (found["error"], found["content"]) == ("", "Hi there!")


def test_it_is_told_of_failures_inside_of_a_200(tmp_path: Path) -> None:
    error = {"code": "server_error", "message": "no"}
    failed = {**DOCUMENT, "status": "failed", "error": error, "output": []}
    with responses(tmp_path / "document", document(failed), 1) as here:
        assert chat(url(here.sidecar.port), model="m", messages=MESSAGES)["error"] == "InternalServerError"
    last = sse({"type": "response.failed", "response": {"error": error}})
    with responses(tmp_path / "stream", streamed(EVENTS[0].raw + last), 1) as here:
        found = chat(url(here.sidecar.port), model="m", messages=MESSAGES, stream=True)
        assert found["error"] == "APIError"


def test_it_is_told_of_a_stream_that_breaks_off(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(RECORDED)
        await peer.send(head + RECORDED[: RECORDED.index(b"event: response.completed")])
        peer.fin()

    spec = configured(tmp_path, BOTH[0], asks="/v1/chat/completions", sends="/v1/responses")
    with world(script, spec=spec) as here:
        found = chat(url(here.sidecar.port), model="m", messages=MESSAGES, stream=True)
        assert found["content"] == "Hi there!"
        assert found["error"]


def test_what_it_cannot_ask_of_the_newer_api_is_an_error_that_it_knows(tmp_path: Path) -> None:
    with responses(tmp_path, document(DOCUMENT), 1) as here:
        found = chat(url(here.sidecar.port), model="m", messages=MESSAGES, n=2)
        assert found["error"] == "UnprocessableEntityError"
        assert not here.upstream.requests


# --- a real server of chats ----------


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as server:
        yield server


@pytest.mark.real
@pytest.mark.xdist_group("llama")
@pytest.mark.parametrize("stream", [False, True])
def test_a_real_chat_is_the_text_completion_that_it_reads(llama: str, tmp_path: Path, stream: bool) -> None:
    port = int(llama.split(":")[2].partition("/")[0])
    spec = configured(tmp_path, BOTH[1], asks="/v1/completions", sends="/v1/chat/completions")(port)
    with LoopThread() as thread, Sidecar(thread, spec) as sidecar:
        asked = {"model": "tiny-0", "temperature": 0, "max_tokens": 20}
        direct = chat(llama, messages=MESSAGES, **asked)["document"]["choices"][0]
        found = complete(url(sidecar.port), prompt="Hello", stream=stream, **asked)
        assert found["error"] == ""
        if stream:
            assert found["content"] == direct["message"]["content"] != ""
            assert {chunk["object"] for chunk in found["chunks"]} == {"text_completion"}
            assert found["chunks"][-1]["choices"][0]["finish_reason"] == direct["finish_reason"]
        else:
            assert found["document"]["object"] == "text_completion"
            assert found["document"]["choices"][0]["text"] == direct["message"]["content"] != ""
