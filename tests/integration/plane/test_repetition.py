"""When a connection is used again and when a request is sent again: never twice unless that is allowed.

The rule: a request is sent again only when it was not fully sent, or no connection could be had, or the model is
`repeatable` and no byte of the answer went out; within a budget.
"""

from __future__ import annotations

import pytest

from stepdown.decide.spec import HealthCheck, Limits, Timeouts
from tests.kit import specs
from tests.kit.client import EndedError
from tests.kit.looping import Gate, eventually
from tests.kit.upstream import (
    OK,
    Blackhole,
    Peer,
    exact,
    gated,
    reset_on_request,
    serve,
    serve_then_close,
    silent,
    then_fin,
    then_reset,
)
from tests.kit.world import world

POST = b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ONCE = specs.plain


def repeatable(*ports: int):
    """The same, and asking twice does no harm."""
    return specs.plain(*ports, repeatable=True)


# --- reuse ----------


def test_one_connection_serves_many_requests_one_after_another():
    with world() as here:
        for _ in range(5):
            assert here.ask(POST).status == 200
        assert len(here.upstream.peers) == 1
        assert here.sidecar.metric("stepdown_upstream_connects_total", outcome="ok") == 1


def test_requests_at_the_same_time_get_connections_of_their_own():
    gate = Gate()

    with world(gated(gate)) as here, here.client() as one, here.client() as two:
        one.send(GET)
        two.send(GET)
        assert eventually(lambda: len(here.upstream.requests) == 2)
        gate.open()
        assert one.response().status == two.response().status == 200
        assert len(here.upstream.peers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_will_be_closed_is_not_used_again(answer):
    with world(exact(answer)) as here:
        for count in (1, 2):
            assert here.ask(GET).body == b"ok"
            assert len(here.upstream.requests) == count
            assert here.upstream.peers[count - 1].ended.wait()


def test_an_http_1_0_upstream_that_keeps_its_connection_is_used_again():
    with world(serve(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")) as here:
        assert [here.ask(GET).body for _ in range(3)] == [b"ok"] * 3
        assert len(here.upstream.peers) == 1


def test_a_connection_that_was_idle_for_four_seconds_is_not_used_again():
    with world(frozen=True) as here:
        assert here.ask(GET).status == 200
        here.clock.advance(3.9)
        assert here.ask(GET).status == 200
        assert len(here.upstream.peers) == 1
        here.clock.advance(4.0)
        assert here.upstream.peers[0].ended.wait()
        assert here.ask(GET).status == 200
        assert len(here.upstream.peers) == 2


def test_an_idle_connection_that_the_upstream_closes_is_forgotten():
    gate = Gate()
    with world(serve_then_close(OK, gate)) as here:
        assert here.ask(POST).status == 200
        gate.open()
        assert here.upstream.peers[0].ended.wait()
        assert eventually(lambda: all(not each["open"] for each in here.sidecar.status()["endpoints"].values()))
        assert here.ask(POST).status == 200
        assert len(here.upstream.peers) == 2
        assert here.sidecar.metric("stepdown_retries_total") == 0


def test_bytes_on_an_idle_connection_end_it():
    gate = Gate()

    async def script(peer: Peer) -> None:
        await serve_one(peer)
        await gate
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    async def serve_one(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)

    with world(frozen=True) as here:  # so that it is not the idle time that ends it
        here.upstream.queue.append(script)
        assert here.ask(GET).body == b"ok"
        gate.open()
        assert here.upstream.peers[0].ended.wait()
        assert here.ask(GET).body == b"ok"


@pytest.mark.parametrize("excess", [b"x", b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"])
@pytest.mark.parametrize(
    "answer",
    [OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("first", [0, 1, 2, 5])
def test_bytes_behind_an_answer_end_its_connection(answer, excess, first):
    cut = answer.index(b"\r\n\r\n") + 4 + first if first else len(answer)
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send((answer + excess)[:cut] if first else answer + excess)
        if first:
            await gate
            await peer.send((answer + excess)[cut:])

    with world(frozen=True) as here, here.client() as client:
        here.upstream.queue.append(script)
        client.send(GET)
        if first:
            client.receive(b"\r\n\r\n")
            gate.open()
        assert client.response().body == b"ok"
        assert here.upstream.peers[0].ended.wait()
        client.send(GET)
        assert client.response().body == b"ok"
        assert client.buffer == b""


# --- repetition ----------


@pytest.mark.parametrize("request_", [POST, GET], ids=["post", "get"])
@pytest.mark.parametrize("earlier", [0, 1], ids=["fresh", "reused"])
def test_what_was_fully_sent_is_never_sent_twice_unless_the_model_is_repeatable(request_, earlier):
    with world(spec=ONCE) as here:
        here.upstream.queue.append(reset_on_request(earlier))
        for _ in range(earlier):
            assert here.ask(GET).status == 200
        response = here.ask(request_)
        assert response.status == 502
        assert response.get(b"x-stepdown-error") == b"upstream-closed"
        assert len(here.upstream.requests) == earlier + 1
        assert len(here.upstream.peers) == 1


@pytest.mark.parametrize("ending", [then_fin(b""), reset_on_request(0), then_fin(b"HTTP/1.1 200 OK\r\nX: ")])
def test_a_repeatable_models_request_is_sent_again_on_a_new_connection(ending):
    with world(spec=repeatable) as here:
        here.upstream.queue.append(ending)
        assert here.ask(POST).body == b"ok"
        assert [request.body for request in here.upstream.requests] == [b"hello", b"hello"]
        assert len(here.upstream.peers) == 2
        assert here.sidecar.metric("stepdown_retries_total") == 1


def test_not_even_then_once_a_byte_of_the_answer_went_out():
    gate = Gate()
    with world(spec=repeatable) as here, here.client() as client:
        here.upstream.queue.append(then_reset(OK[:-1], gate))
        client.send(POST)
        client.receive(b"\r\n\r\no")
        gate.open()
        with pytest.raises(EndedError):
            client.response()
        assert len(here.upstream.requests) == 1


def test_attempts_are_bounded():
    with world(then_fin(b""), spec=repeatable) as here:
        assert here.ask(POST).status == 502
        assert len(here.upstream.requests) == 3


@pytest.mark.parametrize(("minimum", "attempts"), [(0, 1), (1, 3)])
def test_repetition_has_a_budget(minimum, attempts):
    def spec(*ports: int):
        return specs.plain(*ports, repeatable=True, retry_budget=0.0, retry_minimum=minimum)

    with world(then_fin(b""), spec=spec) as here:
        for count in (1, 2):
            assert here.ask(POST).status == 502
            assert len(here.upstream.requests) == attempts * count


def test_a_request_that_was_not_fully_sent_is_sent_again():
    gate = Gate()

    async def reset_early(peer: Peer) -> None:
        await peer.head()
        await peer.exactly(3)
        peer.reset()

    with world(spec=ONCE) as here, here.client() as client:
        here.upstream.queue.append(reset_early)
        client.send(POST[:-2])
        assert eventually(lambda: len(here.upstream.peers) == 2)
        gate.open()
        client.send(POST[-2:])
        assert client.response("POST").status == 200
        (request,) = here.upstream.requests
        assert request.body == b"hello"


def test_a_chunked_request_that_was_not_fully_sent_is_sent_again_whole():
    async def reset_early(peer: Peer) -> None:
        await peer.until(b"abc")
        peer.reset()

    with world(spec=ONCE) as here, here.client() as client:
        here.upstream.queue.append(reset_early)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        assert eventually(lambda: len(here.upstream.peers) == 2)
        client.send(b"2\r\nde\r\n0\r\n\r\n")
        assert client.response("POST").status == 200
        assert [request.body for request in here.upstream.requests] == [b"abcde"]


def test_a_body_that_is_no_longer_kept_cannot_be_sent_again():
    size = 300_000

    async def reset_late(peer: Peer) -> None:
        await peer.head()
        await peer.exactly(200_000)
        peer.reset()

    with world(spec=repeatable) as here, here.client() as client:
        here.upstream.queue.append(reset_late)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + bytes(200_000))
        response = client.response("POST")
        assert response.status == 502
        assert response.get(b"connection") == b"close"
        assert len(here.upstream.peers) == 1


# --- no connection ----------


def test_a_refused_connection_lets_the_next_endpoint_answer_whatever_the_request_is():
    with world(upstreams=2, spec=ONCE) as here:
        here.upstreams[1].stop()
        assert [here.ask(POST).status for _ in range(6)] == [200] * 6
        assert len(here.upstream.requests) == 6


def test_when_nobody_accepts_the_answer_says_so():
    with world(spec=ONCE) as here:
        here.upstream.stop()
        response = here.ask(POST)
        assert response.status == 502
        assert response.get(b"x-stepdown-error") == b"upstream-connect"
        assert b"refused" in response.body
        here.upstream.start()
        assert here.ask(POST).status == 200


def test_requests_that_wait_for_the_one_connection_are_all_told_when_it_cannot_be_had():
    def spec(*ports: int):
        return specs.plain(*ports, route_options={"limits": Limits(connections=1)}, retry_minimum=0, retry_budget=0.0)

    with world(spec=spec) as here:
        here.upstream.stop()
        clients = [here.client() for _ in range(5)]
        for client in clients:
            client.send(GET)
        assert [client.response().status for client in clients] == [502] * 5
        for client in clients:
            client.close()


def test_an_answer_that_takes_too_long_is_not_asked_for_again_unless_repeatable():
    with world(silent(), spec=ONCE, frozen=True) as here, here.client() as client:
        client.send(POST)
        assert eventually(lambda: here.upstream.peers and here.upstream.peers[0].arrived.is_open)
        here.clock.advance(60.5)
        assert client.response("POST").status == 504
        assert here.upstream.peers[0].ended.wait()
        assert len(here.upstream.peers) == 1


# --- ejection ----------


def test_an_endpoint_that_fails_again_and_again_is_set_aside_and_tried_again_later():
    health = HealthCheck(eject_after=3, eject_base=5.0)

    def spec(*ports: int):
        return specs.plain(*ports, health=health)

    with world(upstreams=2, spec=spec, frozen=True) as here:
        bad = here.upstream
        bad.script = serve(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno")
        assert {here.ask(GET).status for _ in range(8)} == {200, 500}
        assert len(bad.requests) == 3
        here.clock.advance(4.9)
        assert [here.ask(GET).status for _ in range(4)] == [200] * 4
        here.clock.advance(0.2)
        assert {here.ask(GET).status for _ in range(4)} == {200, 500}
        assert here.sidecar.metric("stepdown_ejections_total") >= 1


def test_a_single_endpoint_is_never_set_aside():
    health = HealthCheck(eject_after=1)
    with world(spec=lambda *ports: specs.plain(*ports, health=health)) as here:
        here.upstream.script = serve(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno", OK)
        assert [here.ask(GET).status for _ in range(3)] == [500, 200, 200]


def test_an_endpoint_that_does_not_accept_is_a_504_after_the_connect_timeout():
    with Blackhole() as hole:

        def spec(_port: int):
            return specs.plain(hole.port, route_options={"timeouts": Timeouts(connect=0.2)})

        with world(spec=spec) as here:
            response = here.ask(GET)
            assert response.status == 504
            assert response.get(b"x-stepdown-error") == b"upstream-timeout"
