"""An answer that was cut never looks whole (F1 to F3): not with a length, not in chunks, not to an HTTP/1.0 client."""

from __future__ import annotations

import pytest

from tests.kit.looping import Gate
from tests.kit.upstream import OK, Peer, serve
from tests.kit.world import world

HTTP_1_1 = b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\n"
HTTP_1_0 = b"GET /cut HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
CUT = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "between-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "last-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    "trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n",
    "until-close": b"HTTP/1.1 200 OK\r\n\r\nabc",
    "until-close-1.0": b"HTTP/1.0 200 OK\r\n\r\nabc",
}
GOOD = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def here():
    with world() as here:
        yield here


def ends(here, raw: bytes, ending: str, gate: Gate) -> Peer:
    """Let the next connection answer with `raw` and end so, once the gate is open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)
        await gate
        getattr(peer, ending)()

    for peer in here.upstream.peers:
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.forget()
    here.upstream.queue.append(script)


@pytest.mark.parametrize("request_", [HTTP_1_1, HTTP_1_0], ids=["1.1", "1.0"])
@pytest.mark.parametrize(
    ("name", "ending"),
    [(name, ending) for name in CUT for ending in ("fin", "reset") if not (ending == "fin" and "until" in name)],
)
def test_the_client_gets_all_that_came_and_then_an_end_that_is_none(here, name, ending, request_):
    gate = Gate()
    ends(here, CUT[name], ending, gate)
    with here.client() as client:
        client.send(request_)
        seen = client.receive(b"abc")
        gate.open()
        raw, how = client.until_close()
        framed = b"content-length" in seen or b"chunked" in seen
        assert how == ("fin" if framed else "reset")
        assert not raw.endswith(b"0\r\n\r\n")
        assert len(raw.partition(b"\r\n\r\n")[2]) < 10  # of the ten bytes that a length promised
    assert here.ask(GOOD).status == 200
    assert len(here.upstream.peers) == 2
    line = here.sidecar.log()[-2]
    assert (line["target"], line["status"], line["error"]) == ("/cut", 200, "upstream-closed")


@pytest.mark.parametrize("name", ["until-close", "until-close-1.0"])
@pytest.mark.parametrize("request_", [HTTP_1_1, HTTP_1_0], ids=["1.1", "1.0"])
def test_an_answer_that_its_connection_ends_is_whole_when_that_ends_properly(here, name, request_):
    gate = Gate()
    gate.open()
    ends(here, CUT[name], "fin", gate)
    with here.client() as client:
        client.send(request_)
        response = client.response()
        assert response.body == b"abc"
        assert response.get(b"transfer-encoding") == (b"chunked" if request_ is HTTP_1_1 else None)
        if request_ is HTTP_1_0:
            assert client.until_close() == (b"", "fin")


@pytest.mark.parametrize("ending", ["fin", "reset"])
@pytest.mark.parametrize("cut_at", [0, 1, 8, 17, 30, 38])
def test_a_cut_in_the_head_is_a_502(here, ending, cut_at):
    gate = Gate()
    gate.open()
    ends(here, CUT["length"][:cut_at], ending, gate)
    with here.client() as client:
        client.send(HTTP_1_1)
        response = client.response()
        assert response.status == 502
        assert response.get(b"x-stepdown-error") == b"upstream-closed"
        client.send(GOOD)
        assert client.response().body == b"ok"


@pytest.mark.parametrize("request_", [HTTP_1_1, HTTP_1_0], ids=["1.1", "1.0"])
def test_chunks_that_turn_to_garbage_cut_the_answer(here, request_):
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CUT["between-chunks"])
        await gate
        await peer.send(b"zz\r\n")

    ends(here, b"", "fin", gate)
    here.upstream.queue[0] = script
    with here.client() as client:
        client.send(request_)
        client.receive(b"abc")
        gate.open()
        raw, how = client.until_close()
        assert how == ("fin" if request_ is HTTP_1_1 else "reset")
        assert not raw.endswith(b"0\r\n\r\n")
    assert here.upstream.peers[0].ended.wait()


def test_what_came_before_a_cut_comes_in_full_even_when_it_is_much():
    body = bytes(range(256)) * 4096

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
        peer.fin()

    with world(script) as here, here.client() as client:
        client.send(HTTP_1_1)
        raw, how = client.until_close()
        assert how == "fin"
        assert raw.endswith(body)


@pytest.mark.parametrize("difference", [1, -1])
def test_a_length_that_lies_by_one_is_cut_or_ends_where_it_says(difference):
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % (3 + difference)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)
        await serve(OK)(peer)

    with world(script, frozen=True) as here, here.client() as client:
        client.send(HTTP_1_1)
        if difference < 0:
            assert client.response().body == b"ab"
            assert here.upstream.peers[0].ended.wait()
        else:
            client.receive(b"abc")
            here.clock.advance(61)
            assert client.until_close()[1] == "fin"
            assert here.upstream.peers[0].ended.wait()
