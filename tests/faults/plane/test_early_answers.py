"""An upstream that answers before it has read the request (F7), and what a client that still sends gets of it."""

from __future__ import annotations

import pytest

from tests.kit.client import Client
from tests.kit.looping import Gate
from tests.kit.upstream import OK, Peer, early
from tests.kit.world import world

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"


def begin_upload(client: Client, framing: bytes) -> None:
    """Send a head and the beginning of a body."""
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    client.send(b"5\r\nhello\r\n" if b"chunked" in framing else b"hello")


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"])
def test_the_answer_is_relayed_and_the_connections_are_closed(framing):
    with world() as here, here.client() as client:
        here.upstream.queue.append(early(TOO_LARGE))
        begin_upload(client, framing)
        response = client.response("POST")
        assert (response.status, response.body) == (413, b"no")
        assert response.get(b"connection") == b"close"
        here.upstream.on_loop(here.upstream.peers[0].resume)
        assert here.upstream.peers[0].ended.wait()
        assert client.until_close() == (b"", "fin")
        assert here.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        assert len(here.upstream.peers) == 2


def test_a_client_that_goes_on_sending_for_a_while_still_gets_the_answer():
    with world(early(TOO_LARGE)) as here, here.client() as client:
        begin_upload(client, b"Content-Length: 1000000")
        client.receive(b"no")
        client.send_pieces([bytes(50_000)] * 4)
        assert client.response("POST").status == 413


def test_a_client_that_never_stops_sending_is_cut():
    with world(early(TOO_LARGE)) as here, here.client() as client:
        begin_upload(client, b"Content-Length: 100000000")
        client.receive(b"no")
        with pytest.raises(ConnectionError):
            client.send(bytes(90_000_000))


def test_what_is_left_of_an_upload_is_never_taken_for_a_request():
    hidden = b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"
    with world(early(TOO_LARGE)) as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (len(hidden) + 1))
        assert client.response("POST").status == 413
        client.send_pieces([hidden])
        assert client.until_close()[0] == b""
        assert b"/evil" not in here.upstream.received


def test_an_upload_goes_on_while_the_answer_streams():
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        body = await peer.exactly(10)
        await peer.send(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        await gate

    with world(script) as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234")
        client.receive(b"first")
        client.send(b"56789")
        assert client.response("POST").body == b"first0123456789"
        gate.open()


def test_an_interim_flood_is_no_answer():
    async def script(peer: Peer) -> None:
        await peer.request()
        for _ in range(1000):
            await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await peer.send(OK)

    with world(script) as here:
        response = here.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.status == 502
        assert here.upstream.peers[0].ended.wait()


@pytest.mark.parametrize("junk", [b"\x15\x03\x01\x00\x02\x02\x46", b"SSH-2.0-OpenSSH\r\n", b"\r\n\r\n", b"\0"])
def test_another_protocol_behind_the_port_is_a_bad_response(junk):
    async def script(peer: Peer) -> None:
        await peer.send(junk)
        await peer.ended

    with world(script) as here:
        response = here.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (response.status, response.get(b"x-stepdown-error")) == (502, b"bad-response")
        assert here.upstream.peers[0].ended.wait()
