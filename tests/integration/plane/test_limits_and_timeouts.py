"""Every wait ends and every size has a bound; time passes only when the test says so."""

from __future__ import annotations

import pytest

from stepdown.decide.spec import Limits, Timeouts
from tests.kit import specs
from tests.kit.looping import Gate, eventually
from tests.kit.upstream import Peer, gated, silent
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"


def with_route(**options):
    """A specification whose route has these options."""
    return lambda *ports: specs.plain(*ports, route_options=options)


def begun(here: World, client, raw: bytes) -> None:
    """Send `raw` behind a good request, whose answer shows that all of it has been read."""
    client.send(GET + raw)
    assert client.response().status == 200


def arrived(here: World, count: int = 1) -> bool:
    """Whether that many connections have brought something to the upstream."""
    return len([peer for peer in here.upstream.peers if peer.arrived.is_open]) >= count


# --- waits ----------


def test_an_answer_that_does_not_begin_is_a_504_and_its_connection_is_closed():
    with world(silent(), frozen=True) as here, here.client() as client:
        client.send(GET)
        assert eventually(lambda: arrived(here))
        here.clock.advance(59)
        here.clock.advance(2)
        response = client.response()
        assert (response.status, response.get(b"x-stepdown-error")) == (504, b"upstream-timeout")
        assert here.upstream.peers[0].ended.wait()


def test_an_answer_that_stops_in_the_middle_is_cut_but_not_one_that_goes_on():
    gates = [Gate() for _ in range(3)]

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n#0\r\n")
        for number, gate in enumerate(gates, start=1):
            await gate
            await peer.send(b"2\r\n#%d\r\n" % number)

    with world(script, frozen=True) as here, here.client() as client:
        client.send(GET)
        client.receive(b"#0")
        for number, gate in enumerate(gates, start=1):
            here.clock.advance(50)
            gate.open()
            client.receive(b"#%d" % number)
        here.clock.advance(61)
        raw, how = client.until_close()
        assert how == "fin"
        assert not raw.endswith(b"0\r\n\r\n")
        assert here.upstream.peers[0].ended.wait()


def test_a_stream_may_be_silent_for_as_long_as_its_route_allows():
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n#0\r\n")
        await gate
        await peer.send(b"2\r\n#1\r\n0\r\n\r\n")

    patient = with_route(timeouts=Timeouts(response_body_idle=0))
    with world(script, spec=patient, frozen=True) as here, here.client() as client:
        client.send(GET)
        client.receive(b"#0")
        here.clock.advance(3600)
        gate.open()
        assert client.response().body == b"#0#1"


def test_a_head_has_ten_seconds_from_its_first_byte_however_it_trickles():
    with world(frozen=True) as here, here.client() as client:
        begun(here, client, b"GET /slow")
        for _ in range(3):
            here.clock.advance(3)
            client.send(b"x")
            assert client.is_quiet(0.05)
        here.clock.advance(2)
        response = client.response()
        assert (response.status, response.get(b"connection")) == (408, b"close")
        assert client.until_close()[0] == b""
        assert here.sidecar.log()[-1]["status"] == 408


def test_a_body_that_does_not_come_is_a_408_and_the_upstream_never_sees_a_whole_request():
    with world(frozen=True) as here, here.client() as client:
        begun(here, client, UPLOAD)
        here.upstream.failures.clear()
        assert eventually(lambda: b"abc" in here.upstream.received)
        here.clock.advance(61)
        response = client.response("POST")
        assert (response.status, response.get(b"connection")) == (408, b"close")
        assert all(peer.ended.wait() for peer in here.upstream.peers)
        assert len(here.upstream.requests) == 1
        here.upstream.failures.clear()  # the script was told of the request that ended early


def test_an_upload_that_the_upstream_does_not_take_is_its_fault():
    async def script(peer: Peer) -> None:
        await peer.head()
        peer.pause()
        await peer.ended

    size = 64 << 20
    with world(script, frozen=True) as here, here.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.socket.sendall(bytes(size))
        client.socket.settimeout(20)
        here.clock.advance(61)
        assert client.response("POST").status == 504


def test_an_idle_client_is_let_go_after_the_keep_alive_time():
    with world(frozen=True) as here, here.client() as fresh, here.client() as used:
        used.send(GET)
        assert used.response().status == 200
        assert eventually(lambda: here.sidecar.status()["connections"] == 2)
        here.clock.advance(74)
        assert used.is_quiet(0.05)
        here.clock.advance(2)
        assert used.until_close() == (b"", "fin")
        assert fresh.until_close() == (b"", "fin")


@pytest.mark.parametrize(("kind", "limited"), [(b"application/json", True), (b"text/event-stream", False)])
def test_the_whole_exchange_may_have_a_limit_of_its_own_unless_it_is_a_stream(kind, limited):
    gate, last = Gate(), Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
        await peer.send(head % kind + b"2\r\n#0\r\n")
        await gate
        await peer.send(b"2\r\n#1\r\n")
        await last
        await peer.send(b"0\r\n\r\n")

    with world(script, spec=with_route(timeouts=Timeouts(whole=5)), frozen=True) as here, here.client() as client:
        client.send(GET)
        client.receive(b"#0")
        here.clock.advance(3)
        gate.open()
        client.receive(b"#1")
        here.clock.advance(3)
        if not limited:
            last.open()
            client.receive(b"0\r\n\r\n")
            return
        assert client.until_close()[1] == "fin"
        assert here.upstream.peers[0].ended.wait()
        last.open()
        here.upstream.failures.clear()  # the script writes to a connection that was given up


# --- sizes ----------


@pytest.mark.parametrize(
    "raw",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + bytes(101),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"32\r\n"
        + bytes(50)
        + b"\r\n33\r\n"
        + bytes(51)
        + b"\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n",
    ],
)
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_body_over_the_routes_limit_is_a_413_and_never_whole_at_the_upstream(raw, bytewise):
    with world(spec=with_route(limits=Limits(request_body=100))) as here, here.client() as client:
        client.send_bytewise(raw) if bytewise else client.send(raw)
        response = client.response("POST")
        assert (response.status, response.interim) == (413, [])
        assert response.get(b"x-stepdown-error") == b"body-too-large"
        if response.get(b"connection"):  # unless all of it was there and could be read over
            assert client.until_close()[0] == b""
        assert not here.upstream.requests
        here.upstream.failures.clear()


def test_a_body_of_exactly_the_limit_is_let_through():
    with world(spec=with_route(limits=Limits(request_body=100))) as here:
        raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + bytes(100)
        assert here.ask(raw, "POST").status == 200


def test_connections_over_the_limit_are_told_so_and_the_others_go_on():
    with world(spec=lambda *ports: specs.plain(*ports, max_client_connections=2)) as here:
        with here.client() as one, here.client() as two:
            for client in (one, two):
                client.send(GET)
                assert client.response().status == 200
            with here.client() as three:
                response = three.response()
                assert (response.status, response.get(b"x-stepdown-error")) == (503, b"overloaded")
                assert response.get(b"retry-after")
                assert three.until_close() == (b"", "fin")
            one.send(GET)
            assert one.response().status == 200
        assert eventually(lambda: here.sidecar.status()["connections"] == 0)
        assert here.ask(GET).status == 200


def test_requests_over_the_pending_limit_are_told_so():
    gate = Gate()

    with world(gated(gate), spec=with_route(limits=Limits(connections=1, pending=2))) as here:
        clients = [here.client() for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(GET)
            assert eventually(lambda number=number: len(here.sidecar.log()) + here.sidecar.status()["active"] > number)
        refused = clients[3:]
        assert [client.response().status for client in refused] == [503, 503]
        gate.open()
        assert [client.response().status for client in clients[:3]] == [200, 200, 200]
        for client in clients:
            client.close()
        assert len(here.upstream.peers) == 1


def test_a_connection_goes_on_after_a_long_body_that_was_whole_before_its_request_could_be_sent():
    gate = Gate()

    def received() -> int:
        return sum(client.exchange.received for client in here.sidecar.plane.clients if client.exchange is not None)

    with world(gated(gate), spec=with_route(limits=Limits(connections=1))) as here, here.client() as client:
        with here.client() as first:
            first.send(GET)
            assert eventually(lambda: arrived(here))
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 66000\r\n\r\n" + b"x" * 60_000)
            assert eventually(lambda: received() == 60_000)
            client.send(b"x" * 6_000)  # past what is kept of a body that waits, and its end
            assert eventually(lambda: received() == 66_000)
            gate.open()
            assert first.response().status == 200
        assert client.response("POST").status == 200
        client.send(GET)
        assert client.response().status == 200


def test_a_preface_of_http_2_is_answered_in_http_1():
    with world() as here, here.client() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert client.response().status == 505


def test_a_head_that_comes_in_64_ki_pieces_costs_no_more_than_its_bytes():
    """Without a remembered search offset this takes minutes; with it, about a second."""
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"a" * 600) for n in range(95)) + b"\r\n"
    with world() as here, here.client() as client:
        client.send_pieces(raw[place : place + 8] for place in range(0, len(raw), 8))
        assert client.response().status == 200
