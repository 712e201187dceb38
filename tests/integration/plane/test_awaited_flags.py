"""Requests that wait for what a provider says: in time, too late, with bodies, and with clients that leave."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stepdown.decide import spec
from stepdown.decide.flag_questions import Answer
from stepdown.decide.when import FlagIs
from stepdown.plane import flag_desk
from tests.kit.client import Client
from tests.kit.looping import eventually
from tests.kit.mirroring import mirrored, shadow
from tests.kit.provided_plane import LONG, Controller, answer, counted, head, provided, says, served, sidecar
from tests.kit.upstream import serve


def test_a_request_that_waits_gets_what_the_provider_says() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head())
        [question] = controller.asked(1)
        assert client.is_quiet()
        controller.take(says("new")(question))
        assert served(client.response("POST")) == "2.0.0"
        client.send(head())
        assert served(client.response("POST")) == "2.0.0", "known by now"
        assert counted(here) == counted(here, reason="TARGETING_MATCH", variant="new") == 2
        assert here.sidecar.metric("stepdown_flag_waits_total", result="answered") == 1


def test_a_wait_that_is_over_takes_the_default() -> None:
    with sidecar(first_wait=0.01) as (here, controller):
        assert served(here.ask(head(), "POST")) == "1.0.0"
        [question] = controller.asked(1)
        assert counted(here) == counted(here, reason="CACHE_MISS", variant="none") == 1
        assert here.sidecar.metric("stepdown_flag_waits_total", result="over") == 1
        controller.take(says("new")(question))
        assert served(here.ask(head(), "POST")) == "2.0.0"


def test_a_failure_ends_the_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        controller.says = lambda question: Answer(question.ticket, error="GENERAL", message="it is down")
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert counted(here) == counted(here, reason="ERROR") == 1


def test_without_a_controller_nobody_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        controller.unlink()
        assert served(here.ask(head(), "POST")) == "1.0.0"
        assert here.sidecar.metric("stepdown_flag_waits_total") == 0
        assert counted(here, reason="CACHE_MISS") == 1


def test_two_flags_are_waited_for_one_after_the_other_within_one_time() -> None:
    with sidecar(first_wait=LONG, second=True) as (here, controller):
        controller.says = lambda question: says("false" if question.flag == "beta" else "new")(question)
        assert served(here.ask(head(), "POST")) == "2.0.0"
        assert [question.flag for question in controller.questions] == ["beta", "ranker"]
        assert counted(here, flag="beta") == counted(here, flag="ranker") == 1


def test_one_key_ends_the_wait_of_all_who_have_it() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        clients = [here.client() for _ in range(5)]
        for client in clients:
            client.send(head())
        [question] = controller.asked(1)
        controller.take(says("new")(question))
        assert [served(client.response("POST")) for client in clients] == ["2.0.0"] * 5
        for client in clients:
            client.close()


def test_a_body_may_come_while_its_request_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        body = bytes(range(256)) * 4096  # 1 MiB: more than is kept while nobody can take it
        client.send(head(length=len(body)) + body[:100])
        [question] = controller.asked(1)
        client.send(body[100:70_000])
        controller.take(says("new")(question))
        client.send(body[70_000:])
        assert served(client.response("POST")) == "2.0.0"
        [request] = here.upstreams[1].requests
        assert request.body == body


def test_a_large_body_does_not_fill_memory_while_its_request_waits() -> None:
    with sidecar(first_wait=LONG) as (here, controller), Client(here.sidecar.port, timeout=0.5) as client:
        body = bytes(32 * 1024 * 1024)
        client.send(head(length=len(body)))
        [question] = controller.asked(1)
        with pytest.raises(TimeoutError):
            client.socket.sendall(body)
        [connection] = here.sidecar.plane.clients
        assert connection.exchange is not None
        assert len(connection.exchange.body) < 1024 * 1024
        controller.take(says("new")(question))


def test_a_client_that_leaves_while_it_waits_takes_its_request_along() -> None:
    with sidecar(first_wait=LONG) as (here, controller):
        client = here.client()
        client.send(head())
        [question] = controller.asked(1)
        client.close()
        assert eventually(lambda: here.sidecar.status()["connections"] == 0)
        controller.take(says("new")(question))
        assert here.sidecar.status()["active"] == 0
        assert here.upstreams[0].requests == here.upstreams[1].requests == []
        (line,) = here.sidecar.log()
        assert (line["status"], line["error"]) == (499, "client-gone")


def test_what_comes_behind_a_request_that_waits_keeps_its_order() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head("ann") + head("bob"))
        [question] = controller.asked(1)
        controller.take(says("new")(question))
        assert served(client.response("POST")) == "2.0.0"
        controller.take(says("old")(controller.asked(2)[1]))
        assert served(client.response("POST")) == "1.0.0"


def test_so_many_may_wait_and_the_others_take_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_desk, "MOST_WAITING", 3)
    with sidecar(first_wait=LONG) as (here, controller):
        clients = [here.client() for _ in range(3)]
        for number, client in enumerate(clients):
            client.send(head(f"u{number}"))
        controller.asked(3)
        assert served(here.ask(head("late"), "POST")) == "1.0.0"
        assert here.sidecar.metric("stepdown_flag_waits_total", result="crowded") == 1
        for question in controller.asked(4)[:3]:
            controller.take(says("new")(question))
        assert [served(client.response("POST")) for client in clients] == ["2.0.0"] * 3
        for client in clients:
            client.close()


def test_a_request_that_cannot_be_served_is_told_so_after_its_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head("ann", "X-Model-Version: 9"))
        for question in controller.asked(1):
            controller.take(says("new")(question))
        assert client.response("POST").status == 406


def test_a_flag_that_only_a_shadow_asks_is_waited_for_by_nobody_and_counted_at_once() -> None:
    def mirrored_to_testers(*ports: int) -> spec.SnapshotSpec:
        made = provided(*ports, first_wait=LONG)
        copied = shadow(version="2.0.0", when=FlagIs(flag="beta"))
        return replace(made, routes=[replace(made.routes[0], shadows=(copied,))])

    with mirrored(serve(answer), spec=mirrored_to_testers, upstreams=2, frozen=True) as here:
        controller = Controller(here)
        controller.says = lambda question: says("old")(question) if question.flag == "ranker" else None
        assert served(here.ask(head())) == "1.0.0"
        assert [question.flag for question in controller.asked(2)] == ["ranker", "beta"]
        assert counted(here, flag="beta") == counted(here, flag="beta", reason="CACHE_MISS") == 1
        assert counted(here, flag="ranker") == counted(here, flag="ranker", reason="TARGETING_MATCH") == 1


def test_a_new_visitor_keeps_the_key_that_was_asked_for() -> None:
    cookie = spec.SetCookie(secrets=("a-secret-of-some-length",), ttl=1000)
    key = (spec.KeySource(cookie="uid", set_cookie=cookie),)
    with sidecar(first_wait=LONG, key=key) as (here, controller), here.client() as client:
        client.send(head(""))
        [question] = controller.asked(1)
        assert question.key
        controller.take(says("new")(question))
        response = client.response("POST")
        assert served(response) == "2.0.0"
        line = response.get(b"set-cookie") or b""
        assert question.key.encode() in line
        client.send(head("", f"Cookie: {line.decode().partition(';')[0]}"))
        assert served(client.response("POST")) == "2.0.0"
        assert len(controller.questions) == 1


def test_a_drain_waits_for_those_who_wait() -> None:
    with sidecar(first_wait=LONG) as (here, controller), here.client() as client:
        client.send(head())
        [question] = controller.asked(1)
        here.thread.loop.call_soon_threadsafe(lambda: [one.drain() for one in here.sidecar.plane.clients])
        controller.take(says("new")(question))
        response = client.response("POST")
        assert served(response) == "2.0.0"
        assert client.until_close()[1] == "fin"
