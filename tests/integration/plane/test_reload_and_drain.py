"""A new configuration while exchanges run, and an end that loses nothing: what runs keeps what it has read."""

from __future__ import annotations

import asyncio
import threading

import pytest

from stepdown.decide.spec import encode
from stepdown.errors import ConfigError
from tests.kit import specs
from tests.kit.client import Client, EndedError
from tests.kit.looping import Gate, eventually
from tests.kit.upstream import OK, Peer, serve
from tests.kit.world import World, world

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
NEW = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"


def gated(gate: Gate):
    """Answer the first request when the gate opens, the others at once."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        await gate
        await peer.send(b"k")
        await serve(OK)(peer)

    return script


def first(*ports: int):
    """Only the first upstream."""
    return specs.plain(ports[0])


# --- reload ----------


def test_an_exchange_keeps_the_configuration_that_it_began_with():
    gate = Gate()
    with world(spec=first, upstreams=2) as here, here.client() as client:
        here.upstreams[0].script = gated(gate)
        here.upstreams[1].script = serve(NEW)
        client.send(GET)
        client.receive(b"\r\n\r\no")
        here.sidecar.reload(specs.plain(here.upstreams[1].port))
        assert here.ask(GET).body == b"new"
        gate.open()
        assert client.response().body == b"ok"
        client.send(GET)
        assert client.response().body == b"new"
        assert here.upstreams[0].peers[0].ended.wait()


def test_connections_of_an_endpoint_that_stays_are_kept_and_those_of_one_that_goes_are_closed():
    with world(spec=first, upstreams=2) as here:
        assert here.ask(GET).status == 200
        here.sidecar.reload(specs.plain(here.upstreams[0].port, trusted_hops=1))
        assert here.ask(GET).status == 200
        assert len(here.upstreams[0].peers) == 1
        here.sidecar.reload(specs.plain(here.upstreams[1].port))
        assert here.upstreams[0].peers[0].ended.wait()


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"{}",
        b'{"models": [], "routes": [], "unknown": 1}',
        encode(specs.adapted(1, [{"nonsense": 1}])),
        encode(specs.plain(endpoints=(specs.endpoint(1, set_headers=(("a\r\nb", "c"),)),))),
    ],
)
def test_a_specification_that_cannot_be_used_changes_nothing(encoded):
    with world() as here:
        digest = here.sidecar.status()["digest"]
        with pytest.raises(ConfigError):
            here.thread.run(lambda: here.sidecar.plane.prepare(encoded))
        assert here.sidecar.status()["digest"] == digest
        assert here.ask(GET).status == 200


def test_what_was_prepared_is_not_used_before_it_is_activated_and_nothing_else_can_be_activated():
    with world(spec=first, upstreams=2) as here:
        here.upstreams[1].script = serve(NEW)
        plane = here.sidecar.plane
        digest = here.thread.run(lambda: plane.prepare(encode(specs.plain(here.upstreams[1].port))))
        assert here.ask(GET).body == b"ok"
        with pytest.raises(ConfigError):
            here.thread.run(lambda: plane.activate("0" * 16))
        here.thread.run(lambda: plane.activate(digest))
        assert here.ask(GET).body == b"new"
        with pytest.raises(ConfigError):
            here.thread.run(lambda: plane.activate(digest))


def test_no_request_fails_while_the_configuration_changes_again_and_again():
    failures: list[object] = []
    answers = [0]
    over = threading.Event()

    def hammer(port: int) -> None:
        try:
            with Client(port) as client:
                while not over.is_set():
                    client.send(GET)
                    status = client.response().status
                    answers[0] += 1
                    if status != 200:
                        failures.append(status)
        except Exception as error:
            failures.append(error)

    with world(spec=first, upstreams=2) as here:
        ports = [upstream.port for upstream in here.upstreams]
        threads = [threading.Thread(target=hammer, args=(here.sidecar.port,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(30):
            seen = answers[0]
            assert eventually(lambda seen=seen: answers[0] > seen + 5 or failures)
            if number % 5 == 4:
                with pytest.raises(ConfigError):
                    here.thread.run(lambda: here.sidecar.plane.prepare(b"{"))
            here.sidecar.reload(
                specs.plain(*(ports if number % 3 else ports[number % 2 :][:1]), trusted_hops=number % 2)
            )
        over.set()
        for thread in threads:
            thread.join()
        assert failures == []
        status = here.sidecar.status()
        assert [each["pending"] for each in status["endpoints"].values()] == [0] * len(status["endpoints"])


def test_health_reports_take_endpoints_out_and_back_in():
    with world(upstreams=2) as here:
        plane = here.sidecar.plane
        bad = here.upstreams[0]
        keys = [key for key in here.sidecar.status()["endpoints"] if key.endswith(str(bad.port))]
        here.thread.run(lambda: plane.set_health(dict.fromkeys(keys, False)))
        assert [here.ask(GET).status for _ in range(6)] == [200] * 6
        assert not bad.requests
        here.thread.run(lambda: plane.set_health(dict.fromkeys(keys, True)))
        assert [here.ask(GET).status for _ in range(6)] == [200] * 6
        assert bad.requests


def test_when_all_is_reported_down_the_answer_says_when_to_come_back():
    with world() as here:
        plane = here.sidecar.plane
        keys = list(here.sidecar.status()["endpoints"])
        here.thread.run(lambda: plane.set_health(dict.fromkeys(keys, False)))
        response = here.ask(GET)
        assert (response.status, response.get(b"x-stepdown-error")) == (503, b"no-ready-version")
        assert int(response.get(b"retry-after")) >= 1
        assert not here.upstream.peers


# --- drain ----------


def begin_drain(here: World, grace: float):
    """Start to drain; the future of its end."""
    return asyncio.run_coroutine_threadsafe(here.sidecar.plane.drain(grace), here.thread.loop)


def nobody_listens(here: World) -> bool:
    """Whether a connection is refused; the listening socket is closed by the loop's next turn."""
    try:
        here.client().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_drain_lets_go_of_idle_clients_and_finishes_what_runs():
    gate = Gate()
    with world(gated(gate)) as here, here.client() as idle, here.client() as busy:
        assert eventually(lambda: here.sidecar.status()["connections"] == 2)
        busy.send(GET)
        busy.receive(b"\r\n\r\no")
        ended = begin_drain(here, 60)
        assert idle.until_close() == (b"", "fin")
        assert eventually(lambda: nobody_listens(here))
        assert not ended.done()
        gate.open()
        assert busy.response().body == b"ok"
        assert busy.until_close() == (b"", "fin")
        ended.result(20)
        assert here.upstream.peers[0].ended.wait()


def test_an_answer_that_begins_during_a_drain_says_that_its_connection_closes():
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await gate
        await peer.send(OK)

    with world(script) as here, here.client() as client:
        client.send(GET + GET)
        assert eventually(lambda: here.upstream.requests)
        ended = begin_drain(here, 60)
        assert eventually(lambda: here.sidecar.status()["draining"])
        gate.open()
        assert client.response().get(b"connection") == b"close"
        assert client.until_close() == (b"", "fin")
        ended.result(20)
        assert len(here.upstream.requests) == 1


def test_what_has_not_ended_within_the_grace_is_cut():
    with world(gated(Gate())) as here, here.client() as client:
        client.send(GET)
        client.receive(b"\r\n\r\no")
        begin_drain(here, 0.05).result(20)
        with pytest.raises(EndedError):
            client.response()
        assert here.upstream.peers[0].ended.wait()
