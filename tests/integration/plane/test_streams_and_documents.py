"""Clients that cannot take what the server gives: one document collected of a stream, a stream made of a document."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stepdown.decide.spec import SnapshotSpec
from tests.kit import specs
from tests.kit.stream_adapters import section
from tests.kit.streams import sse
from tests.kit.upstream import Peer, exact, serve
from tests.kit.world import world

COLLECTED = """
fold:
  text: {on: /text, join: /text}
on:
  /text: [{move: {from: /text, to: /content}}]
collect:
  data: {content: {carried: text}}
"""
UNFOLDED = """
on: {}
unfold:
  - emit: {data: {content: {field: /text}}}
  - emit: "[DONE]"
"""
PARTS = sse({"text": "Hel"}, {"text": "lo"}, b"[DONE]")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(PARTS) + PARTS
DOCUMENT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"text":"Hello"}'


def post(body: bytes, *lines: bytes) -> bytes:
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"POST /v1 HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (fields, len(body), body)


def adapting(text: str, **options: object) -> Callable[[int], SnapshotSpec]:
    """A server that streams whatever it is asked, and clients that may have asked for no stream."""
    request = [{"add": {"path": "/stream", "value": True}}]
    return lambda port: specs.adapted(port, (), request, stream=section(text), **options)  # type: ignore[arg-type]


ASKED_FOR_NONE = [post(b'{"stream":false}'), post(b"{}"), post(b'{"stream":false}', b"Accept: text/event-stream")]
ASKED = [post(b'{"stream":true}'), post(b'{"stream":"?"}', b"Accept: Text/Event-Stream")]


@pytest.mark.parametrize("request_", ASKED_FOR_NONE)
@pytest.mark.parametrize("slice_every", [0, 1])
def test_a_client_that_asked_for_no_stream_gets_one_document(request_: bytes, slice_every: int) -> None:
    with world(exact(STREAM, slice_every=slice_every), spec=adapting(COLLECTED)) as here:
        response = here.ask(request_, "POST")
        assert json.loads(response.body) == {"content": "Hello"}
        assert response.all(b"content-type") == [b"application/json"]
        assert response.all(b"content-length") == [b"%d" % len(response.body)]
        assert response.get(b"x-model-version") == b"1.0.0"
        assert json.loads(here.upstream.requests[0].body)["stream"] is True


@pytest.mark.parametrize("request_", ASKED)
def test_a_client_that_asked_for_a_stream_gets_one(request_: bytes) -> None:
    with world(exact(STREAM), spec=adapting(COLLECTED)) as here:
        assert here.ask(request_, "POST").body == sse({"content": "Hel"}, {"content": "lo"}, b"[DONE]").replace(
            b'": "', b'":"'
        )


GATHERED = """
on: {/choices/*/delta/reasoning: {in: "/choices/*/delta", do: [{move: {from: /reasoning, to: /reasoning_content, on_missing: skip}}]}}
collect: true
"""  # noqa: E501


def chunks() -> bytes:
    delta = {"index": 0, "delta": {"role": "assistant", "reasoning": "Hm", "content": "Hel"}, "finish_reason": None}
    last = {"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = sse({**head, "choices": [delta]}, {**head, "choices": [last]}, b"[DONE]")
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(events) + events


def test_the_document_is_the_apis_own_where_the_file_asks_for_that() -> None:
    with world(exact(chunks()), spec=adapting(GATHERED)) as here:
        document = json.loads(here.ask(post(b'{"stream":false}'), "POST").body)
        assert document["object"] == "chat.completion"
        assert (document["id"], document["model"]) == ("c", "m")
        [choice] = document["choices"]
        assert choice["message"] == {"role": "assistant", "reasoning_content": "Hm", "content": "Hello"}
        assert choice["finish_reason"] == "stop"


def test_who_asked_for_the_stream_of_such_a_file_gets_it() -> None:
    with world(exact(chunks()), spec=adapting(GATHERED)) as here:
        streamed = here.ask(post(b'{"stream":true}'), "POST")
        assert streamed.get(b"content-type") == b"text/event-stream"
        assert b'"reasoning_content":"Hm"' in streamed.body
        assert streamed.body.endswith(b"data: [DONE]\n\n")


def test_a_stream_that_is_not_whole_becomes_no_document() -> None:
    part = sse({"choices": [{"index": 0, "delta": {"content": "a"}}]})
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(part) + part
    broken = answer.replace(b"Content-Length: ", b"Content-Length: 1")

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(broken)
        peer.fin()

    with world(exact(answer), spec=adapting(COLLECTED)) as here:
        response = here.ask(ASKED_FOR_NONE[0], "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"adapter-failed")
        assert "not complete: cut" in json.loads(response.body)["detail"]
    with world(script, spec=adapting(COLLECTED)) as here:
        response = here.ask(ASKED_FOR_NONE[0], "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"upstream-closed")


@pytest.mark.parametrize("slice_every", [0, 1])
def test_where_a_stream_becomes_no_document_a_version_that_has_the_shape_is_asked_once(slice_every: int) -> None:
    events = sse({"text": {}}, b"[DONE]")
    raw = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(events) + events
    text = COLLECTED.replace("[{move:", "[{cast: {path: /text, to: number}}, {move:")
    request = [{"add": {"path": "/stream", "value": True}}]

    def spec(new: int, old: int) -> SnapshotSpec:
        policy = {"repeatable": True, "on_adapter_failure": "ask_native"}
        return specs.adapted(new, (), request, stream=section(text), native_port=old, **policy)  # type: ignore[arg-type]

    with world(exact(raw, slice_every=slice_every), spec=spec, upstreams=2) as here:
        here.upstreams[1].script = serve(DOCUMENT)
        assert here.ask(ASKED_FOR_NONE[0], "POST").body == b'{"text":"Hello"}'
        assert len(here.upstreams[1].requests) == 1
        assert here.sidecar.log()[-1]["adapter"] == "native"
        assert here.sidecar.metric("stepdown_retries_total") == 1


@pytest.mark.parametrize("request_", ASKED)
@pytest.mark.parametrize("slice_every", [0, 1])
def test_a_client_that_asked_for_a_stream_gets_the_events_that_a_document_stands_for(
    request_: bytes, slice_every: int
) -> None:
    with world(exact(DOCUMENT, slice_every=slice_every), spec=adapting(UNFOLDED)) as here:
        response = here.ask(request_, "POST")
        assert response.body == b'data: {"content":"Hello"}\n\ndata: [DONE]\n\n'
        assert response.all(b"content-type") == [b"text/event-stream"]


def test_a_document_stays_one_for_who_asked_for_it_and_a_stream_stays_one() -> None:
    with world(serve(DOCUMENT, STREAM), spec=adapting(UNFOLDED)) as here, here.client() as client:
        client.send(ASKED_FOR_NONE[0])
        assert client.response("POST").body == b'{"text":"Hello"}'
        client.send(ASKED[0])
        assert client.response("POST").body == PARTS
