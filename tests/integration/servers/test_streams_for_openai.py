"""An old application with openai-python: streams of newer servers in the shape it reads, of real servers too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from stepdown.decide import spec
from tests.kit import specs, streams
from tests.kit.llama import llama_server
from tests.kit.looping import LoopThread
from tests.kit.openai_python import chat
from tests.kit.sidecar import Sidecar
from tests.kit.stream_adapters import CHAT, REASONING, section
from tests.kit.upstream import Peer, serve
from tests.kit.world import world

MESSAGES = [{"role": "user", "content": "will the customer stay"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
THINKING = {"on": {"/choices/*/delta/content": [{"in": "/choices/*/delta", "do": [{"move": {"from": "/content", "to": "/reasoning", "on_missing": "skip"}}]}]}}  # fmt: skip  # noqa: E501
"""Stands for a server that reasons: what it says is moved to where such servers think."""


def answer(name: str) -> bytes:
    body = streams.body(name)
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def asked(port: int, **more: Any) -> dict[str, Any]:
    """What the application reads through the sidecar."""
    return chat(f"http://127.0.0.1:{port}/v1", model="tiny-0", messages=MESSAGES, **more)


@pytest.mark.parametrize(
    ("name", "text", "content", "reasoning"),
    [
        ("vllm-reasoning.sse", REASONING, "Hello!", "The user greets."),
        ("openai-responses.sse", CHAT, None, ""),
    ],
)
def test_it_reads_what_a_newer_server_streams(name: str, text: str, content: str | None, reasoning: str) -> None:
    adapting = lambda port: specs.adapted(port, (), stream=section(text))  # noqa: E731
    with world(serve(answer(name)), spec=adapting) as here:
        found = asked(here.sidecar.port, stream=True)
        assert found["error"] == ""
        assert found["reasoning"] == reasoning
        assert found["content"] == content or (content is None and found["content"])
        assert all(chunk["object"] == "chat.completion.chunk" for chunk in found["chunks"])


def test_it_is_told_when_a_stream_breaks_off() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        event = streams.sse({"choices": [{"index": 0, "delta": {"reasoning": "a"}}]})
        await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(event), event))
        peer.fin()

    with world(script, spec=lambda port: specs.adapted(port, (), stream=section(REASONING))) as here:
        found = asked(here.sidecar.port, stream=True)
        assert found["reasoning"] == "a"
        assert found["error"]


# --- a real server ----------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama_server(tmp_path_factory.mktemp("llama")) as url:
        yield url


@contextmanager
def sidecar_before(url: str, *sections: Any) -> Iterator[int]:
    """A sidecar whose server is at this URL, and whose clients are as many steps behind as there are sections."""
    port = int(url.split(":")[2].partition("/")[0])
    ids = [f"{number}.0.0" for number in range(1, len(sections) + 2)]
    *older, newest = ids
    steps = tuple(
        spec.Step(source=source, target=target, streams=json.dumps(one))
        for source, target, one in zip(ids[:0:-1], older[::-1], sections, strict=True)
    )
    chain = spec.Chain(served=newest, pinned=ids[0], steps=steps)
    versions = [specs.version(one) for one in older] + [specs.version(newest, port)]
    model = specs.model(*versions, default=ids[0], chains=(chain,) if steps else ())
    with LoopThread() as thread, Sidecar(thread, specs.snapshot(specs.route({newest: 100}), models=[model])) as sidecar:
        yield sidecar.port


@pytest.mark.real
@pytest.mark.xdist_group("llama")
def test_a_real_stream_passes_through_and_its_events_come_one_by_one(server: str) -> None:
    with sidecar_before(server) as port:
        direct = chat(server, model="tiny-0", messages=MESSAGES, stream=True, temperature=0, max_tokens=20)
        found = asked(port, stream=True, temperature=0, max_tokens=20)
        assert (found["error"], found["content"]) == ("", direct["content"])
        assert len(found["chunks"]) == len(direct["chunks"]) > 2


@pytest.mark.real
@pytest.mark.xdist_group("llama")
def test_what_a_real_server_thinks_is_read_where_the_old_application_looks_for_it(server: str) -> None:
    with sidecar_before(server, THINKING, section(REASONING)) as port:
        direct = chat(server, model="tiny-0", messages=MESSAGES, stream=True, temperature=0, max_tokens=20)
        found = asked(port, stream=True, temperature=0, max_tokens=20)
        assert found["error"] == found["content"] == ""
        assert found["reasoning"] == direct["content"] != ""
        assert len(found["chunks"]) == len(direct["chunks"])
        request = {"model": "tiny-0", "messages": MESSAGES, "stream": True, "max_tokens": 20}
        with httpx.stream("POST", f"http://127.0.0.1:{port}/v1/chat/completions", json=request) as raw:
            assert raw.headers["x-model-version"] == "1.0.0"
            assert raw.read().count(b"data: [DONE]") == 1


@pytest.mark.real
@pytest.mark.xdist_group("llama")
def test_without_a_stream_the_same_application_gets_the_document_as_it_is(server: str) -> None:
    with sidecar_before(server, section(REASONING)) as port:
        found = asked(port, temperature=0, max_tokens=20)
        assert found["document"]["object"] == "chat.completion"
