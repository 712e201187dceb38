"""Copies of answers: what the last server sent, to the byte and not adapted, and what the client got to see."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from stepdown.decide import spec
from stepdown.plane.handoff import GATHERED_BYTES
from tests.kit import specs
from tests.kit.client import EndedError
from tests.kit.looping import Gate, eventually
from tests.kit.mirroring import Mirrored, in_chunks, mirrored, shadow
from tests.kit.upstream import OK, Peer, exact, interim, serve, stepwise, then_fin

POST = b"POST /infer HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}"
NEW = b'{"score": 0.25, "model": "m"}'
RENAME = [{"move": {"from": "/score", "to": "/probability"}}]
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSED = b"HTTP/1.0 200 Fine by me\r\nContent-Type: application/json\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE_MIB = 1024 * 1024


def plain(limit: int = ONE_MIB, **options: Any) -> Callable[..., spec.SnapshotSpec]:
    shadows = (shadow(max_body=limit),)
    return lambda *ports: specs.plain(*ports, route_options={"shadows": shadows, **options})


def adapted(limit: int = ONE_MIB, **options: Any) -> Callable[..., spec.SnapshotSpec]:
    shadows = (shadow(max_body=limit),)

    def chosen(new: int, old: int | None = None) -> spec.SnapshotSpec:
        return specs.adapted(new, RENAME, native_port=old, shadows=shadows, **options)

    return chosen


def with_length(body: bytes, status: bytes = b"200 OK", *lines: bytes) -> bytes:
    fields = b"".join(line + b"\r\n" for line in (b"Content-Type: application/json", *lines))
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    ("head", "wire"),
    [(LENGTH % len(NEW), NEW), (CHUNKED, in_chunks(NEW, 5)), (EVENTS, in_chunks(NEW, 5))],
    ids=["length", "chunks", "stream"],
)
@pytest.mark.parametrize("compared", [False, True])
def test_an_answer_that_nobody_compares_goes_without_its_body(head: bytes, wire: bytes, compared: bool) -> None:
    warmed = (shadow("warm", "1.0.0", idle=True), *([shadow()] if compared else []))
    chosen = lambda *ports: specs.plain(*ports, route_options={"shadows": warmed})  # noqa: E731
    with mirrored(then_fin(head + wire), spec=chosen) as here:
        assert here.ask(POST).body == NEW
        about, _, answer, body = here.pair()
        assert about.shadows == ((0, 1) if compared else (0,))
        assert (answer.head, answer.status, answer.missing) == (head, 200, "")
        assert body == (NEW if compared else b"")


# --- passed on and adapted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [plain(), adapted()], ids=["passed on", "adapted"])
@pytest.mark.parametrize("slice_every", [0, 1, 7])
@pytest.mark.parametrize(
    ("head", "wire"),
    [
        (LENGTH % len(NEW), NEW),
        (CHUNKED, in_chunks(NEW, 5)),
        (CHUNKED, in_chunks(NEW, 1)),
        (CLOSED, NEW),
    ],
    ids=["length", "chunks", "bytes", "closed"],
)
def test_an_answer_is_what_its_server_sent(
    head: bytes, wire: bytes, slice_every: int, chosen: Callable[..., spec.SnapshotSpec]
) -> None:
    with mirrored(then_fin(head + wire, slice_every=slice_every), spec=chosen) as here:
        response = here.ask(POST)
        _, _, answer, body = here.pair()
        assert (answer.head, body) == (head, NEW)
        assert (answer.status, answer.error, answer.missing) == (200, "", "")
        assert answer.outcome == ("none" if response.body == NEW else "adapted")
        assert answer.served == ("1.0.0" if response.body == NEW else "2.0.0")
        assert 0 < answer.upstream <= answer.elapsed


@pytest.mark.parametrize("raw", [LENGTH % len(NEW) + NEW, CHUNKED + in_chunks(NEW, 8)], ids=["length", "chunks"])
def test_an_answer_is_the_same_wherever_it_is_split(raw: bytes) -> None:
    splits = range(1, len(raw))

    async def script(peer: Peer) -> None:
        for place in splits:
            await peer.request()
            await peer.send(raw[:place])
            await peer.send(raw[place:])

    with mirrored(script, spec=plain()) as here, here.client() as client:
        for _ in splits:
            client.send(POST)
            assert client.response("POST").body == NEW
        assert {body for _, body in here.answers()} == {NEW}
        assert len(here.answers()) == len(splits)
        assert here.handoff.gathered == 0


@pytest.mark.parametrize("chosen", [plain(), adapted()], ids=["passed on", "adapted"])
def test_codings_are_left_on(chosen: Callable[..., spec.SnapshotSpec]) -> None:
    packed = gzip.compress(NEW)
    with mirrored(serve(with_length(packed, b"200 OK", b"Content-Encoding: gzip")), spec=chosen) as here:
        assert here.ask(POST).status == 200
        _, _, answer, body = here.pair()
        assert body == packed
        assert b"Content-Encoding: gzip\r\n" in answer.head


def test_an_answer_that_is_adapted_elsewhere_is_what_its_server_sent() -> None:
    large = b'{"score": 0.25, "pad": "' + b"x" * 400_000 + b'"}'
    with mirrored(serve(with_length(large)), spec=adapted()) as here:
        assert b"probability" in here.ask(POST).body
        _, _, answer, body = here.pair()
        assert (answer.outcome, body) == ("adapted", large)


def test_interim_answers_are_not_the_answer() -> None:
    with mirrored(interim(2), spec=plain()) as here:
        assert here.ask(POST).status == 200
        _, _, answer, body = here.pair()
        assert (answer.head, body) == (OK[:-2], b"ok")


@pytest.mark.parametrize(
    ("raw", "method"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "POST"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "POST"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST"),
    ],
    ids=["204", "length 0", "head", "304", "no chunks"],
)
def test_an_answer_without_a_body_has_none_missing(raw: bytes, method: str) -> None:
    request = POST if method == "POST" else method.encode() + b" / HTTP/1.1\r\nHost: a\r\n\r\n"
    with mirrored(serve(raw), spec=plain()) as here:
        status = here.ask(request, method).status
        _, _, answer, body = here.pair()
        assert (answer.status, answer.missing, body) == (status, "", b"")
        assert answer.head == raw[: raw.index(b"\r\n\r\n") + 4]


def test_a_stream_of_events_is_copied_when_it_has_ended() -> None:
    first, second = b"data: 1\n\n", b"data: 2\n\n"
    gate = Gate()
    pieces = EVENTS + in_chunks(first, 99)[:-5], in_chunks(second, 99)
    with mirrored(stepwise(*pieces, gates=[gate]), spec=plain()) as here, here.client() as client:
        client.send(POST)
        client.receive(first)
        assert here.handoff.gathered == len(first)
        assert here.answers() == []
        gate.open()
        assert client.response("POST").body == first + second
        _, _, answer, body = here.pair()
        assert (body, answer.missing) == (first + second, "")


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [plain, adapted], ids=["passed on", "adapted"])
@pytest.mark.parametrize("delivery", ["length", "length in pieces", "chunks in pieces"])
def test_an_answer_as_long_as_the_limit_is_copied_and_one_byte_more_is_missing(
    delivery: str, chosen: Callable[..., Callable[..., spec.SnapshotSpec]]
) -> None:
    at_limit, over = NEW[:-1] + b" }", NEW[:-1] + b"  }"
    limit = len(at_limit)
    answers = [with_length(body) if "length" in delivery else CHUNKED + in_chunks(body, 9) for body in (at_limit, over)]

    async def script(peer: Peer) -> None:
        for raw in answers:
            await peer.request()
            await peer.send(raw, slice_every=0 if delivery == "length" else 10)

    with mirrored(script, spec=chosen(limit)) as here, here.client() as client:
        for _ in answers:
            client.send(POST)
            assert client.response("POST").status == 200
        assert [(answer.missing, body) for answer, body in here.answers()] == [("", at_limit), ("too-large", b"")]
        assert here.handoff.gathered == 0


def test_an_answer_is_copied_up_to_the_largest_limit_of_those_who_got_the_request() -> None:
    shadows = (shadow("a", max_body=10), shadow("b", "8.0.0", max_body=100), shadow("c", "1.0.0", max_body=1000))
    sizes = [11, 100, 101]
    answers = [with_length(b"x" * size) for size in sizes]
    with (
        mirrored(serve(*answers), spec=lambda port: specs.plain(port, route_options={"shadows": shadows})) as here,
        here.client() as client,
    ):
        for _ in sizes:
            client.send(POST)
            assert client.response("POST").status == 200
        assert [(answer.missing, len(body)) for answer, body in here.answers()] == [
            ("", 11),
            ("", 100),
            ("too-large", 0),
        ]


def test_an_answer_that_its_server_floods_is_passed_on_and_not_gathered_beyond_the_limit() -> None:
    body = b"x" * (3 * ONE_MIB)
    with mirrored(serve(CHUNKED + in_chunks(body, 60_000)), spec=plain()) as here:
        assert here.ask(POST).body == body
        _, _, answer, copied = here.pair()
        assert (answer.missing, copied) == ("too-large", b"")


def test_all_answers_in_pieces_together_have_a_bound() -> None:
    size = ONE_MIB - 100
    gate = Gate()
    pieces = LENGTH % (size + 1) + b"x" * size, b"x"
    with mirrored(stepwise(*pieces, gates=[gate]), spec=plain(), size=16 * ONE_MIB) as here:
        clients = [here.client() for _ in range(7)]
        for client in clients:
            client.send(POST)
            client.receive(b"x" * size)
        assert 3 * ONE_MIB < here.handoff.gathered <= GATHERED_BYTES
        gate.open()
        for client in clients:
            assert client.response("POST").status == 200
            client.close()
        assert sorted(answer.missing for answer, _ in here.answers()) == ["", "", "", "", "full", "full", "full"]
        assert here.handoff.gathered == 0


# --- what goes wrong ------------------------------------------------------------------------------------------------


def ended(here: Mirrored) -> None:
    """One request, however it ends."""
    with here.client() as client, suppress(EndedError):
        client.send(POST)
        client.response("POST")


@pytest.mark.parametrize("status", [b"400 Bad Request", b"404 Not Found", b"500 Oops", b"503 Busy"])
@pytest.mark.parametrize("chosen", [plain(), adapted()], ids=["passed on", "adapted"])
def test_an_error_answer_of_the_server_is_an_answer(status: bytes, chosen: Callable[..., spec.SnapshotSpec]) -> None:
    raw = with_length(b'{"error": "no"}', status)
    with mirrored(serve(raw), spec=chosen) as here:
        assert here.ask(POST).status == int(status[:3])
        _, _, answer, body = here.pair()
        assert (answer.status, answer.outcome, answer.error, body) == (int(status[:3]), "none", "", b'{"error": "no"}')


@pytest.mark.parametrize("chosen", [plain(), adapted()], ids=["passed on", "adapted"])
def test_an_answer_that_its_server_cuts_is_missing(chosen: Callable[..., spec.SnapshotSpec]) -> None:
    with mirrored(then_fin(LENGTH % len(NEW) + NEW[:9]), spec=chosen) as here:
        ended(here)
        _, _, answer, body = here.pair()
        assert (answer.missing, body, answer.error) == ("cut", b"", "upstream-closed")
        assert answer.head == LENGTH % len(NEW)


def test_a_server_that_nobody_reaches_has_not_answered() -> None:
    with mirrored(spec=plain()) as here:
        here.upstreams[0].stop()
        assert here.ask(POST).status == 502
        about, _, answer, body = here.pair()
        assert (about.served, answer.served, answer.head, body) == ("1.0.0", "", b"", b"")
        assert (answer.status, answer.error, answer.missing) == (502, "upstream-connect", "")


def test_bytes_that_are_no_answer_are_none() -> None:
    with mirrored(exact(b"SSH-2.0-OpenSSH\r\n\r\n"), spec=plain()) as here:
        assert here.ask(POST).status == 502
        _, _, answer, _ = here.pair()
        assert (answer.served, answer.head, answer.status) == ("", b"", 502)
        assert answer.error != ""


@pytest.mark.parametrize("pieces", [1, 2], ids=["before an answer", "in the middle of one"])
def test_a_server_that_takes_too_long_is_told_of(pieces: int) -> None:
    timeouts = spec.Timeouts(response_head=3.0, response_body_idle=3.0)

    async def script(peer: Peer) -> None:
        await peer.request()
        if pieces == 2:
            await peer.send(LENGTH % 9 + b"12345")

    with mirrored(script, spec=plain(timeouts=timeouts), frozen=True) as here, here.client() as client:
        client.send(POST)
        if pieces == 2:
            client.receive(b"12345")
        assert eventually(lambda: here.upstreams[0].requests)
        here.clock.advance(4)
        with suppress(EndedError):
            client.response("POST")
        _, _, answer, body = here.pair()
        assert (answer.error, body) == ("upstream-timeout", b"")
        assert (answer.status, answer.missing) == ((504, "") if pieces == 1 else (200, "cut"))


@pytest.mark.parametrize(
    ("policy", "status", "outcome"), [("fail", 502, "failed"), ("passthrough", 200, "passthrough")]
)
@pytest.mark.parametrize("slice_every", [0, 1])
def test_an_answer_that_cannot_be_adapted_is_handed_over_as_it_is(
    policy: str, status: int, outcome: str, slice_every: int
) -> None:
    raw = with_length(b'{"score"}')
    with mirrored(exact(raw, slice_every=slice_every), spec=adapted(on_adapter_failure=policy)) as here:
        assert here.ask(POST).status == status
        _, _, answer, body = here.pair()
        assert (answer.status, answer.outcome, body) == (status, outcome, b'{"score"}')
        assert answer.error == ("adapter-failed" if policy == "fail" else "")


def test_a_stream_that_cannot_be_adapted_is_refused_and_missing() -> None:
    with mirrored(exact(EVENTS + in_chunks(b"data: 1\n\n", 9)), spec=adapted()) as here:
        assert here.ask(POST).status == 502
        _, _, answer, body = here.pair()
        assert (answer.head, answer.missing, body) == (EVENTS, "cut", b"")
        assert answer.outcome == "failed"


@pytest.mark.parametrize("slice_every", [0, 1])
def test_where_another_version_is_asked_there_is_one_copy_and_the_last_answer(slice_every: int) -> None:
    native = with_length(b'{"probability": 1}')
    chosen = adapted(on_adapter_failure="ask_native", repeatable=True)
    with mirrored(exact(with_length(b"{]"), slice_every=slice_every), spec=chosen, upstreams=2) as here:
        here.upstreams[1].script = exact(native, slice_every=slice_every)
        assert here.ask(POST).body == b'{"probability": 1}'
        about, _, answer, body = here.pair()
        assert (about.served, answer.served) == ("2.0.0", "1.0.0")
        assert (answer.outcome, answer.status, body) == ("native", 200, b'{"probability": 1}')


def test_where_the_other_version_does_not_answer_there_is_no_answer() -> None:
    chosen = adapted(on_adapter_failure="ask_native", repeatable=True)

    async def gone(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    with mirrored(exact(with_length(b"{]")), spec=chosen, upstreams=2) as here:
        here.upstreams[1].script = gone
        assert here.ask(POST).status == 502
        _, _, answer, body = here.pair()
        assert (answer.served, answer.head, body, answer.missing) == ("", b"", b"", "")


# --- clients that leave ---------------------------------------------------------------------------------------------


def test_a_client_that_leaves_before_its_answer_takes_no_copy_back() -> None:
    with mirrored(stepwise(b"", b"", gates=[Gate()]), spec=plain()) as here:
        with here.client() as client:
            client.send(POST)
            assert eventually(lambda: len(here.copies()) == 1)
        _, _, answer, body = here.pair()
        assert (answer.status, answer.error, answer.head, body) == (0, "client-gone", b"", b"")


@pytest.mark.parametrize("chosen", [plain(), adapted()], ids=["passed on", "adapted"])
def test_a_client_that_leaves_in_the_middle_of_its_answer_has_seen_its_status(
    chosen: Callable[..., spec.SnapshotSpec],
) -> None:
    script = stepwise(LENGTH % len(NEW) + NEW[:9], NEW[9:], gates=[Gate()])
    with mirrored(script, spec=chosen) as here:
        with here.client() as client:
            client.send(POST)
            assert eventually(lambda: here.handoff.gathered == 9)
        _, _, answer, body = here.pair()
        assert (answer.error, answer.missing, body) == ("client-gone", "cut", b"")
        assert answer.status in (0, 200)


@pytest.mark.parametrize("leaves", ["client", "server"])
def test_a_stream_that_is_cut_after_its_own_end_keeps_its_body(leaves: str) -> None:
    gate = Gate()
    events = b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"
    pieces = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(EVENTS + pieces[0])
        await gate
        await peer.send(pieces[1])
        if leaves == "server":
            peer.fin()
        await peer.ended

    with mirrored(script, spec=plain()) as here:
        with here.client() as client:
            client.send(POST)
            client.receive(events[0])
            gate.open()
            client.receive(events[1])
            if leaves == "server":
                client.until_close()  # who closes first decides whose error it is
        _, _, answer, body = here.pair()
        assert (answer.missing, answer.status, body) == ("cut", 200, b"".join(events))
        assert answer.error == ("" if leaves == "client" else "upstream-closed")
        assert 0 < answer.upstream <= answer.elapsed


def test_a_stream_whose_client_leaves_before_its_end_has_no_body() -> None:
    event = b'data: {"choices": []}\n\n'
    with mirrored(stepwise(EVENTS + in_chunks(event, 99)[:-5], b"", gates=[Gate()]), spec=plain()) as here:
        with here.client() as client:
            client.send(POST)
            client.receive(event)
        _, _, answer, body = here.pair()
        assert (answer.missing, answer.error, body) == ("cut", "client-gone", b"")


def test_a_drain_that_cuts_lets_go_of_everything() -> None:
    script = stepwise(LENGTH % len(NEW) + NEW[:9], NEW[9:], gates=[Gate()])
    with mirrored(script, spec=plain()) as here, here.client() as client:
        client.send(POST)
        client.receive(NEW[:9])
        here.sidecar.reload(specs.plain(here.upstreams[0].port))
        here.sidecar._thread.call(here.sidecar.plane.drain(0.0))
        _, _, answer, _ = here.pair()
        assert (answer.status, answer.error) == (200, "client-gone")
