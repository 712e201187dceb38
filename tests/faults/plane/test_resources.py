"""Memory stays flat whatever passes through, and a worker without descriptors recovers (F18)."""

from __future__ import annotations

import threading
import time

import pytest

from tests.kit import specs
from tests.kit.client import Client, ask
from tests.kit.looping import LoopThread, eventually
from tests.kit.plane_process import PlaneProcess
from tests.kit.upstream import OK, Peer, Upstream, serve

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
GROWTH = 32 * MEBIBYTE


@pytest.fixture
def thread():
    with LoopThread() as thread:
        yield thread


async def send_much(peer: Peer, size: int, framing: bytes) -> None:
    """Send an answer of `size` zeros."""
    await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
    block = bytes(MEBIBYTE)
    piece = b"100000\r\n" + block + b"\r\n" if b"chunked" in framing else block
    for _ in range(size // MEBIBYTE):
        await peer.send(piece)
    if b"chunked" in framing:
        await peer.send(b"0\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("framing", [b"Content-Length: %d" % GIBIBYTE, b"Transfer-Encoding: chunked"])
def test_a_gibibyte_to_the_client_needs_no_more_than_32_mebibytes(thread, framing):
    async def script(peer: Peer) -> None:
        await peer.request()
        await send_much(peer, GIBIBYTE, framing)

    with Upstream(thread, script) as upstream, PlaneProcess(specs.plain(upstream.port)) as plane:
        before = plane.resident()
        with Client(plane.port) as client:
            client.send(GET)
            received = 0
            while received < GIBIBYTE:
                received += len(client.socket.recv(MEBIBYTE))
        assert plane.peak() - before <= GROWTH


@pytest.mark.slow
@pytest.mark.parametrize("framing", [b"Content-Length: %d" % GIBIBYTE, b"Transfer-Encoding: chunked"])
def test_a_gibibyte_to_the_upstream_needs_no_more_than_32_mebibytes(thread, framing):
    chunked = b"chunked" in framing

    async def script(peer: Peer) -> None:
        await peer.head()
        upstream.counting = True
        while len(peer.received) - peer.consumed + upstream.counted < GIBIBYTE:
            await peer.progress()
        await peer.send(OK)

    with Upstream(thread, script) as upstream, PlaneProcess(specs.plain(upstream.port)) as plane:
        before = plane.resident()
        with Client(plane.port, timeout=60) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
            block = bytes(MEBIBYTE)
            piece = b"100000\r\n" + block + b"\r\n" if chunked else block
            for _ in range(GIBIBYTE // MEBIBYTE):
                client.send(piece)
            if chunked:
                client.send(b"0\r\n\r\n")
            assert client.response("POST").status == 200
        assert plane.peak() - before <= GROWTH


def test_twenty_clients_that_do_not_read_cost_no_more_than_what_is_buffered_for_each(thread):
    async def script(peer: Peer) -> None:
        await peer.request()
        await send_much(peer, 100 * MEBIBYTE, b"Content-Length: %d" % (100 * MEBIBYTE))

    with Upstream(thread, script) as upstream, PlaneProcess(specs.plain(upstream.port)) as plane:
        before = plane.resident()
        clients = [Client(plane.port) for _ in range(20)]
        for client in clients:
            client.send(GET)
            client.socket.recv(1)
        sizes = [0]

        def settled() -> bool:
            time.sleep(0.1)
            sizes.append(plane.resident())
            return sizes[-1] == sizes[-2]

        assert eventually(settled)
        assert plane.peak() - before <= GROWTH
        for client in clients:
            client.close()
        assert eventually(lambda: all(peer.ended.is_open for peer in upstream.peers))


def test_a_worker_without_descriptors_neither_spins_nor_stays_deaf(thread):
    with Upstream(thread, serve(OK)) as upstream, PlaneProcess(specs.plain(upstream.port), descriptors=64) as plane:
        assert ask(plane.port, GET).status == 200
        clients = [Client(plane.port) for _ in range(120)]
        for client in clients:
            client.send(GET)
        before = plane.cpu_seconds()
        threading.Event().wait(1.0)
        assert plane.cpu_seconds() - before < 0.5
        for client in clients:
            client.close()

        def recovered() -> bool:
            try:
                return ask(plane.port, GET).status == 200
            except (OSError, Exception):
                return False

        assert eventually(recovered)


def test_ten_thousand_requests_leave_nothing_behind(thread):
    with Upstream(thread, serve(OK)) as upstream, PlaneProcess(specs.plain(upstream.port)) as plane:

        def many(count: int) -> None:
            with Client(plane.port) as client:
                for start in range(0, count, 100):
                    client.send(
                        b"".join(
                            b"GET /%d HTTP/1.1\r\nHost: h%d\r\nX-%d: 1\r\n\r\n" % (n, n, n)
                            for n in range(start, start + 100)
                        )
                    )
                    for _ in range(100):
                        assert client.response().status == 200

        many(3000)
        before = plane.resident()
        many(7000)
        assert plane.resident() - before < 4 * MEBIBYTE
