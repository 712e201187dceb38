"""A client that goes away takes its work with it (F8); one that stays and does not read costs no memory and no time."""

from __future__ import annotations

import contextlib
import socket

import pytest

from stepdown.decide.spec import Limits
from tests.kit import specs
from tests.kit.client import Client
from tests.kit.looping import PATIENCE, Gate, eventually
from tests.kit.upstream import OK, Peer, gated, serve, silent
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello"
EVENT = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata:1\n\r\n"
FLOOD = 1 << 20


async def streaming(peer: Peer) -> None:
    """Send the first event of a stream, then nothing."""
    await peer.request()
    await peer.send(EVENT)


async def endless(peer: Peer) -> None:
    """Send as long as anybody takes it."""
    await peer.head()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def leave(client: Client, how: str) -> None:
    """End the client's connection."""
    client.close() if how == "fin" else client.reset()


def upstream_is_busy(here: World) -> bool:
    """Whether the request has arrived."""
    return bool(here.upstream.peers) and here.upstream.peers[0].arrived.is_open


@pytest.mark.parametrize("how", ["fin", "reset"])
@pytest.mark.parametrize(
    ("script", "request_", "mark"),
    [(silent(), GET, b""), (streaming, GET, b"data:1"), (silent(), UPLOAD, b""), (endless, GET, b"chunked")],
    ids=["waiting", "streaming", "uploading", "flooding"],
)
def test_the_upstream_sees_the_end_before_it_has_answered(script, request_, mark, how):
    with world(script) as here, here.client() as client:
        client.send(request_)
        if mark:
            client.receive(mark)
        assert eventually(lambda: upstream_is_busy(here))
        leave(client, how)
        peer = here.upstream.peers[0]
        assert peer.ended.wait()
        assert peer.how in ("fin", "reset")
        assert eventually(lambda: here.sidecar.status()["connections"] == 0)
        status = here.sidecar.status()
        assert status["active"] == 0
        assert [(each["pending"], each["open"]) for each in status["endpoints"].values()] == [(0, 0)]
        (line,) = here.sidecar.log()
        assert line["status"] == (200 if mark else 499)
        assert line["error"] == "client-gone"
        assert here.sidecar.metric("stepdown_client_aborts_total") == 1


def test_a_client_that_leaves_while_its_next_requests_wait_takes_them_along():
    with world(silent()) as here, here.client() as client:
        client.send(GET * 100)
        assert eventually(lambda: upstream_is_busy(here))
        client.close()
        assert here.upstream.peers[0].ended.wait()
        assert len(here.upstream.requests) <= 1
        assert len(here.upstream.peers) == 1


def test_a_client_that_leaves_while_it_waits_for_a_connection_frees_its_place_in_the_queue():
    gate = Gate()

    def spec(*ports: int):
        return specs.plain(*ports, route_options={"limits": Limits(connections=1, pending=1)})

    with world(gated(gate), spec=spec) as here, here.client() as first:
        first.send(GET)
        assert eventually(lambda: upstream_is_busy(here))
        with here.client() as second:
            second.send(GET)
            assert eventually(lambda: waiting(here) == 1)
        assert eventually(lambda: here.sidecar.status()["connections"] == 1)
        with here.client() as third, here.client() as fourth:
            third.send(GET)
            assert eventually(lambda: here.sidecar.status()["active"] == 2)
            fourth.send(GET)
            response = fourth.response()
            assert (response.status, response.get(b"x-stepdown-error")) == (503, b"overloaded")
            gate.open()
            assert first.response().status == 200
            assert third.response().status == 200
        assert len(here.upstream.peers) == 1


def waiting(here: World) -> int:
    """Exchanges in the endpoint's queue."""
    return sum(each["waiting"] for each in here.sidecar.status()["endpoints"].values())


# --- slow readers -----------------------------------------------------------------------------------------------------


def send_until_stuck(client: Client, data: bytes, most: int) -> int:
    """Send `data` again and again until nobody takes it any more; bytes that were taken."""
    client.socket.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < most:
            sent += client.socket.send(data[: most - sent])
    client.socket.settimeout(PATIENCE)
    return sent


def sent_before_the_upstream_was_stopped(here: World) -> int:
    """Bytes that the upstream could hand over; returns when that number no longer grows."""
    sizes = [-1]

    def settled() -> bool:
        sizes.append(here.sidecar.status()["active"] and here.upstream.counted_out)
        return sizes[-1] == sizes[-2] == sizes[-3] if len(sizes) > 4 else False

    assert eventually(settled)
    return sizes[-1]


def test_a_client_that_does_not_read_stops_the_upstream_and_gets_everything_in_the_end():
    size = 64 * FLOOD

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(64):
            await peer.send(bytes(FLOOD))
            here.upstream.counted_out += FLOOD
        await serve(OK)(peer)

    with world(script) as here, here.client(receive_buffer=4096) as client:
        client.send(GET)
        assert sent_before_the_upstream_was_stopped(here) < 24 * FLOOD  # what kernels buffer on the way
        received = 0
        while received < size:
            received += len(client.socket.recv(1 << 20))
        client.send(GET)
        assert client.receive(b"ok").endswith(b"\r\n\r\nok")


def test_an_upstream_that_does_not_read_stops_the_client_and_gets_everything_in_the_end():
    gate = Gate()
    size = 64 * FLOOD

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.pause()
        await gate
        here.upstream.counting = True
        peer.resume()
        while len(peer.received) - peer.consumed + here.upstream.counted < size:
            await peer.progress()
        await peer.send(OK)

    with world(script) as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        sent = send_until_stuck(client, bytes(FLOOD), size)
        assert sent < 24 * FLOOD
        gate.open()
        client.socket.sendall(bytes(size - sent))
        assert client.response("POST").status == 200


@pytest.mark.parametrize("ending", [b"Connection: close\r\n", b""], ids=["close", "keep-alive"])
def test_a_slow_reader_gets_its_last_answer_in_full_however_long_it_takes(ending):
    body = bytes(8 * FLOOD)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with world(serve(answer), frozen=True) as here, here.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + ending + b"\r\n")
        seen = bytearray()
        while seen.partition(b"\r\n\r\n")[2] != body:
            here.clock.advance(1.5)
            seen += client.socket.recv(1 << 17)
        if ending:
            assert client.until_close() == (b"", "fin")


@pytest.mark.parametrize("ending", [b"Connection: close\r\n", b""], ids=["close", "keep-alive"])
@pytest.mark.parametrize("size", [FLOOD * 8, 40_000], ids=["large", "small"])
def test_a_client_that_never_reads_is_given_up_with_its_upstream(size, ending):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    request = b"GET / HTTP/1.1\r\nHost: a\r\n" + ending + b"\r\n"
    count = 1 if ending else 400
    with world(serve(answer), frozen=True) as here, here.client(receive_buffer=4096) as client:
        client.send(request * count)
        assert eventually(lambda: here.upstream.requests)

        def gone() -> bool:
            here.clock.advance(20)
            return here.sidecar.status()["connections"] == 0

        assert eventually(gone)
        assert here.sidecar.status()["active"] == 0


def test_a_client_that_pipelines_and_never_reads_is_no_longer_read_from():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + bytes(60_000)
    with world(serve(answer)) as here, here.client(receive_buffer=4096) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        assert send_until_stuck(client, GET * 1000, 64 * FLOOD) < 16 * FLOOD
        assert len(here.upstream.requests) < 2000


def test_the_connection_of_an_answer_that_a_slow_reader_got_is_good_for_the_next_one():
    """Its head alone filled the client's buffer, so that reading from the upstream was paused as it was freed."""
    fields = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 600) for number in range(90))
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + fields + b"\r\n2\r\nok\r\n0\r\n\r\n"
    count = 200
    with world(serve(answer)) as here, here.client(receive_buffer=4096) as client:
        client.send(GET * count)
        assert eventually(lambda: here.upstream.requests)
        for _ in range(count):
            assert client.response().body == b"ok"
        assert here.ask(GET).body == b"ok"
