"""Streams through the data plane: stepped down event by event, the same however they arrive, never half as whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stepdown.decide.spec import Limits, SnapshotSpec
from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.compiling import compile_stream
from tests.kit import specs, streams
from tests.kit.looping import Gate, eventually
from tests.kit.mirroring import mirrored, shadow
from tests.kit.stream_adapters import CHAT, REASONING, section, step
from tests.kit.streams import sse
from tests.kit.upstream import Peer, Script, exact, serve
from tests.kit.world import World, world

POST = b'POST /v1/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n{"stream":true}'
OLD_POST = POST.replace(b"HTTP/1.1", b"HTTP/1.0")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
VLLM = streams.body("vllm-reasoning.sse")
RESPONSES = streams.body("openai-responses.sse")
RENAMED = StreamChain(compile_stream([step(REASONING)]), streams.SSE).feed(VLLM)


def chunk(payload: bytes) -> bytes:
    """One chunk; the last one of nothing."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def chunked(*pieces: bytes) -> bytes:
    """A whole answer in chunks."""
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunk, pieces)) + b"0\r\n\r\n"


def adapting(text: str = REASONING, *, response: Any = (), **options: Any) -> Callable[[int], SnapshotSpec]:
    """A specification whose streams are stepped down by this section."""
    return lambda port: specs.adapted(port, response, stream=section(text), **options)


def step_by_step(*pieces: bytes, gates: list[Gate], ending: str = "") -> Script:
    """Send the head, then each piece in a chunk when its gate opens, then end so, or not at all."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece, gate in zip(pieces, gates, strict=True):
            await gate
            await peer.send(chunk(piece))
        if ending:
            getattr(peer, ending)()

    return script


def failures(here: World) -> dict[str, float]:
    """How many streams failed, by reason."""
    reasons = ("error", "cut", "empty", "unfinished", "malformed", "adapter", "event-too-long")
    found = {name: here.sidecar.metric("stepdown_stream_failures_total", reason=name) for name in reasons}
    return {name: number for name, number in found.items() if number}


# --- what comes out ----------


def test_every_event_has_the_pinned_shape_and_the_head_says_so() -> None:
    with world(exact(chunked(VLLM)), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert response.body == RENAMED
        assert response.all(b"transfer-encoding") == [b"chunked"]
        assert response.get(b"content-length") is None
        assert (response.get(b"x-model-version"), response.get(b"x-model-served")) == (b"1.0.0", b"2.0.0")
        assert here.sidecar.log()[-1]["adapter"] == "adapted"
        assert not failures(here)
        events = here.sidecar.metric("stepdown_stream_events_total", pinned="1.0.0")
        assert events == VLLM.count(b"\n\n")
        assert here.sidecar.metric("stepdown_adapter_duration_seconds_count") == 1


@pytest.mark.parametrize("name", ["vllm-reasoning.sse", "openai-responses.sse"])
def test_the_client_gets_the_same_bytes_wherever_the_stream_was_cut_in_two(name: str) -> None:
    body = streams.body(name)
    text = REASONING if name.startswith("vllm") else CHAT
    answers = [chunked(first, second) for first, second in streams.two_way_splits(body) if first and second]
    with world(serve(chunked(body), *answers), spec=adapting(text)) as here, here.client() as client:
        client.send(POST)
        whole = client.response("POST").body
        for _ in answers:
            client.send(POST)
            assert client.response("POST").body == whole
        assert not failures(here)


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: %d\r\n\r\n" % len(VLLM) + VLLM,
        HEAD.replace(b"1.1", b"1.0") + b"\r\n" + VLLM,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunk, streams.bytewise(VLLM))) + b"0\r\n\r\n",
    ],
    ids=["length", "closed", "bytewise"],
)
@pytest.mark.parametrize("request_", [POST, OLD_POST], ids=["1.1", "1.0"])
def test_it_does_not_matter_how_either_side_is_framed(raw: bytes, request_: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)
        peer.fin()

    with world(script, spec=adapting()) as here, here.client() as client:
        client.send(request_)
        response = client.response("POST")
        assert response.body == RENAMED
        assert response.get(b"content-length") is None
        assert not failures(here)


def test_an_event_goes_out_as_soon_as_it_is_complete_and_none_before() -> None:
    first, second = sse({"choices": [{"delta": {"reasoning": "a"}}]}), sse({"choices": [{"delta": {"reasoning": "b"}}]})
    gates = [Gate(), Gate(), Gate()]
    script = step_by_step(first, second[:20], second[20:], gates=gates)
    with world(script, spec=adapting()) as here, here.client() as client:
        client.send(POST)
        client.receive(b"\r\n\r\n")
        gates[0].open()
        client.receive(b'{"reasoning_content":"a"}')
        gates[1].open()
        assert client.is_quiet()
        gates[2].open()
        client.receive(b'{"reasoning_content":"b"}')


def test_newline_delimited_json_is_adapted_by_the_line() -> None:
    rename = """{on: {/score: [{move: {from: /score, to: /probability}}]}}"""
    raw = chunked(b'{"score":0.5}\n{"score"', b":0.25}\n").replace(b"text/event-stream", b"application/x-ndjson")
    with world(exact(raw), spec=adapting(rename)) as here:
        body = here.ask(POST, "POST").body
        assert [json.loads(line) for line in body.splitlines()] == [{"probability": 0.5}, {"probability": 0.25}]


def test_documents_are_adapted_by_response_and_streams_by_stream_on_the_same_route() -> None:
    document = b'{"score": 0.5}'
    plain = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n" + document
    rename = [{"move": {"from": "/score", "to": "/probability"}}]
    with world(serve(plain, chunked(VLLM)), spec=adapting(response=rename)) as here, here.client() as client:
        client.send(POST)
        assert json.loads(client.response("POST").body) == {"probability": 0.5}
        client.send(POST)
        assert client.response("POST").body == RENAMED


def test_a_head_request_is_told_no_length_of_a_stream_that_would_be_adapted() -> None:
    raw = HEAD + b"Content-Length: 500\r\n\r\n"
    with world(serve(raw), spec=adapting()) as here:
        response = here.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
        assert (response.status, response.get(b"content-length")) == (200, None)


# --- what is passed on, and what is refused ----------


def test_a_chain_that_leaves_streams_as_they_are_passes_them_on_to_the_byte() -> None:
    rename = [{"move": {"from": "/score", "to": "/probability"}}]
    with world(exact(chunked(VLLM)), spec=adapting("{on: {}}", response=rename)) as here:
        response = here.ask(POST, "POST")
        assert response.body == VLLM
        assert response.get(b"x-model-version") == b"1.0.0"


def test_a_step_that_changes_documents_and_says_nothing_of_streams_refuses_them_at_the_head() -> None:
    rename = [{"move": {"from": "/score", "to": "/probability"}}]
    with world(exact(chunked(VLLM)), spec=lambda port: specs.adapted(port, rename)) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"stream-not-adaptable")
        assert "2.0.0 -> 1.0.0: the adapter has no 'stream'" in json.loads(response.body)["detail"]


@pytest.mark.parametrize(
    ("line", "why"),
    [(b"Content-Encoding: gzip\r\n", "content coding 'gzip'"), (b"", "text is in latin1")],
    ids=["coding", "charset"],
)
def test_what_is_no_plain_text_in_utf_8_is_refused_by_name(line: bytes, why: str) -> None:
    raw = chunked(VLLM).replace(b"Transfer", line + b"Transfer", 1)
    if not line:
        raw = raw.replace(b"text/event-stream", b"text/event-stream; charset=latin1", 1)
    with world(exact(raw), spec=adapting()) as here:
        response = here.ask(POST, "POST")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"stream-not-adaptable")
        assert why in json.loads(response.body)["detail"]


def test_a_server_of_adapted_streams_is_asked_for_no_content_coding() -> None:
    request = POST.replace(b"Host: a\r\n", b"Host: a\r\nAccept-Encoding: gzip\r\n")
    with world(exact(chunked(VLLM)), spec=adapting()) as here:
        here.ask(request, "POST")
        assert here.upstream.requests[0].all(b"accept-encoding") == [b"identity"]


# --- what goes wrong in the middle ----------


@pytest.mark.parametrize("request_", [POST, OLD_POST], ids=["1.1", "1.0"])
@pytest.mark.parametrize("ending", ["fin", "reset"])
def test_a_stream_that_its_server_breaks_off_is_cut_and_counted_once(request_: bytes, ending: str) -> None:
    gates = [Gate(), Gate()]
    event = sse({"choices": [{"delta": {"reasoning": "a"}}]})
    script = step_by_step(event, b"data: {", gates=gates, ending=ending)
    with world(script, spec=adapting()) as here, here.client() as client:
        client.send(request_)
        gates[0].open()
        client.receive(b'"reasoning_content":"a"')
        gates[1].open()
        raw, how = client.until_close()
        assert how == ("fin" if request_ is POST else "reset")
        assert not raw.endswith(b"0\r\n\r\n")
        assert failures(here) == {"cut": 1}
        assert here.sidecar.log()[-1]["error"] == "upstream-closed"


@pytest.mark.parametrize("request_", [POST, OLD_POST], ids=["1.1", "1.0"])
@pytest.mark.parametrize("whole", [True, False], ids=["at once", "in pieces"])
def test_an_event_that_the_adapter_cannot_take_cuts_the_answer_behind_those_before_it(
    request_: bytes, whole: bool
) -> None:
    text = """{on: {/score: [{cast: {path: /score, to: number}}]}}"""
    good, bad, more = sse({"score": "0.5"}), sse({"score": "high"}), sse({"score": "0.5"})
    answer = chunked(good + bad + more) if whole else chunked(good, bad, more)
    with world(exact(answer), spec=adapting(text)) as here, here.client() as client:
        client.send(request_)
        raw, how = client.until_close()
        assert how == ("fin" if request_ is POST else "reset")
        assert raw.count(b"data: ") == 1
        assert not raw.endswith(b"0\r\n\r\n")
        assert failures(here) == {"adapter": 1}
        line = here.sidecar.log()[-1]
        assert (line["status"], line["adapter"], line["error"]) == (200, "failed", "stream-broken")
        assert eventually(lambda: here.upstream.peers[0].ended.is_open or here.sidecar.status()["active"] == 0)


def test_an_adapter_that_fails_in_the_last_event_cuts_an_old_client_by_a_reset() -> None:
    text = """{on: {/score: [{cast: {path: /score, to: number}}]}}"""
    body = sse({"score": "0.5"}) + sse({"score": "high"}).rstrip()
    raw = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with world(exact(raw), spec=adapting(text)) as here, here.client() as client:
        client.send(OLD_POST)
        assert client.until_close()[1] == "reset"
        assert failures(here) == {"adapter": 1}


def test_an_event_over_the_limit_cuts_the_answer_and_what_came_before_it_is_not_lost() -> None:
    limits = Limits(adapted_body=1000)
    answer = chunked(sse({"choices": [{"delta": {"reasoning": "a"}}]}), b"data: " + b"a" * 2000)
    with world(exact(answer), spec=adapting(limits=limits)) as here, here.client() as client:
        client.send(POST)
        raw, how = client.until_close()
        assert how == "fin"
        assert b'"reasoning_content":"a"' in raw
        assert not raw.endswith(b"0\r\n\r\n")
        assert failures(here) == {"event-too-long": 1}


def test_a_broken_stream_is_never_asked_of_another_version() -> None:
    text = """{on: {/score: [{cast: {path: /score, to: number}}]}}"""
    answer = chunked(sse({"score": "0.5"}), sse({"score": "high"}))
    options = {"on_adapter_failure": "ask_native", "repeatable": True}
    with world(exact(answer), spec=adapting(text, native_port=9, **options)) as here, here.client() as client:
        client.send(POST)
        raw, _ = client.until_close()
        assert raw.count(b"HTTP/1.1") == 1


ERRORS = {
    "openai": sse({"choices": [{"index": 0, "delta": {"content": "a"}}]}, {"error": {"message": "m", "code": 500}}),
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n',
    "responses": sse({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "m"}}}),
    "finish": sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}),
}


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_inside_of_a_200_is_one_failure_and_its_bytes_stay(name: str, adapted: bool) -> None:
    body = ERRORS[name] + sse(b"[DONE]")
    spec = adapting() if adapted else specs.plain
    for pieces in ([body], streams.bytewise(body)):
        with world(exact(chunked(*pieces)), spec=spec) as here:
            response = here.ask(POST, "POST")
            assert (response.status, response.body) == (200, body)
            assert eventually(lambda: failures(here) == {"error": 1})


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
def test_an_empty_error_and_words_about_errors_are_none(adapted: bool) -> None:
    text = 'an "error" such as event: error or response.failed'
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": text}}], "error": ""}]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "error": None}]
    body = sse(*chunks, b"[DONE]")
    with world(exact(chunked(body)), spec=adapting() if adapted else specs.plain) as here:
        assert here.ask(POST, "POST").body == body
        assert not failures(here)


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
def test_a_client_that_leaves_takes_the_server_along_and_is_no_failure(adapted: bool) -> None:
    gates = [Gate(), Gate()]
    event = sse({"choices": [{"delta": {"reasoning": "a"}}]})
    script = step_by_step(event, event, gates=gates)
    with world(script, spec=adapting() if adapted else specs.plain) as here, here.client() as client:
        client.send(POST)
        gates[0].open()
        client.receive(b'"a"')
        client.close()
        assert here.upstream.peers[0].ended.wait()
        assert eventually(lambda: here.sidecar.status()["active"] == 0)
        assert not failures(here)


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
def test_a_client_that_leaves_once_its_stream_has_said_its_end_was_answered(adapted: bool) -> None:
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(chunked(VLLM[:-1]).removesuffix(b"0\r\n\r\n"))
        await gate
        await peer.send(b"1\r\n\n\r\n")  # the empty line, in a piece of its own
        await peer.ended

    with world(script, spec=adapting() if adapted else specs.plain) as here:
        with here.client() as client:
            client.send(POST)
            if not adapted:
                client.receive(b"data: [DONE]\n")
            gate.open()
            client.receive(b"data: [DONE]\n\n" if adapted else b"1\r\n\n\r\n")
        assert eventually(lambda: here.sidecar.metric("stepdown_requests_total", status_class="2xx") == 1)
        assert here.sidecar.metric("stepdown_client_aborts_total") == 0
        (line,) = here.sidecar.log()
        assert (line["status"], line["error"]) == (200, "")
        assert 0 < line["upstream_duration"] <= line["duration"]
        assert not failures(here)


def test_a_stream_that_is_passed_on_and_breaks_off_is_a_failure() -> None:
    gates = [Gate()]
    script = step_by_step(sse({"choices": []}), gates=gates, ending="fin")
    with world(script) as here, here.client() as client:
        client.send(POST)
        client.receive(b"\r\n\r\n")
        gates[0].open()
        client.until_close()
        assert failures(here) == {"cut": 1}


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
def test_a_stream_that_has_said_its_end_is_good_even_if_its_framing_lacks_one(adapted: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(chunked(RESPONSES).removesuffix(b"0\r\n\r\n"))
        peer.fin()

    with world(script, spec=adapting(CHAT) if adapted else specs.plain) as here, here.client() as client:
        client.send(POST)
        raw, _ = client.until_close()
        assert (b"data: [DONE]" if adapted else b'"response.completed"') in raw
        assert not raw.endswith(b"0\r\n\r\n")
        assert not failures(here)


@pytest.mark.parametrize("adapted", [True, False], ids=["adapted", "passed on"])
def test_a_server_that_falls_silent_in_the_middle_is_cut_and_counted(adapted: bool) -> None:
    gates = [Gate()]
    event = sse({"choices": [{"index": 0, "delta": {"reasoning": "a"}}]})
    script = step_by_step(event, gates=gates)
    with world(script, spec=adapting() if adapted else specs.plain, frozen=True) as here, here.client() as client:
        client.send(POST)
        gates[0].open()
        client.receive(b'"a"')
        here.clock.advance(61)
        assert client.until_close()[1] == "fin"
        assert here.upstream.peers[0].ended.wait()
        assert failures(here) == {"cut": 1}
        assert here.sidecar.log()[-1]["error"] == "upstream-timeout"


# --- a client that reads slowly ----------


def test_a_client_that_does_not_read_stops_an_adapted_stream_and_gets_all_of_it_in_the_end() -> None:
    event = sse({"choices": [{"delta": {"reasoning": "a" * 60_000}}]})
    count = 600

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(count):
            await peer.send(chunk(event))
            here.upstream.counted_out += 1
        await peer.send(b"0\r\n\r\n")

    with world(script, spec=adapting()) as here, here.client(receive_buffer=4096) as client:
        client.send(POST)
        sizes = [-1]

        def settled() -> bool:
            sizes.append(here.sidecar.status()["active"] and here.upstream.counted_out)
            return len(sizes) > 5 and sizes[-1] == sizes[-2] == sizes[-3]

        assert eventually(settled)
        assert sizes[-1] < count // 2
        received, tail = 0, b""
        while not tail.endswith(b"0\r\n\r\n"):
            piece = client.socket.recv(1 << 20)
            received += len(piece)
            tail = (tail + piece)[-8:]
        assert received > count * 60_000


# --- copies for shadows ----------


def test_a_shadow_is_told_the_servers_own_stream_and_not_what_was_made_of_it() -> None:
    with mirrored(exact(chunked(VLLM)), spec=adapting(shadows=(shadow(),))) as here:
        assert here.ask(POST).body == RENAMED
        _, _, answer, body = here.pair()
        assert (body, answer.missing, answer.outcome) == (VLLM, "", "adapted")


@pytest.mark.parametrize("whole", [True, False], ids=["at once", "in pieces"])
def test_a_stream_that_the_adapter_breaks_off_leaves_nothing_of_its_copy_behind(whole: bool) -> None:
    text = """{on: {/score: [{cast: {path: /score, to: number}}]}}"""
    good, bad = sse({"score": "0.5"}), sse({"score": "high"})
    answer = chunked(good + bad) if whole else chunked(good, bad, good)
    with mirrored(exact(answer, slice_every=0 if whole else 1), spec=adapting(text, shadows=(shadow(),))) as here:
        with here.client() as client:
            client.send(POST)
            client.until_close()
        _, _, answered, _ = here.pair()
        assert (answered.error, answered.outcome) == ("stream-broken", "failed")
        assert here.handoff.gathered == 0
