"""Calls of the admin API: what was refused, what could not be reached, and what is not known."""

from __future__ import annotations

import socket

import pytest

from stepdown.cli.admin_client import AdminError, call
from tests.kit.looping import Gate, LoopThread
from tests.kit.upstream import Peer, Upstream, serve

PROBLEM = b'{"type": "urn:stepdown:problem:colour-not-ready", "detail": "green is not ready."}'


def answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def test_an_answer_is_decoded_and_the_token_was_sent() -> None:
    with LoopThread() as thread, Upstream(thread, serve(answer(b"200 OK", b'{"a": 1}'))) as admin:
        assert call(f"http://127.0.0.1:{admin.port}/", "secret", "POST", "/v1/x", {"colour": "green"}) == {"a": 1}
        (request,) = admin.requests
    assert (request.method, request.target, request.body) == (b"POST", b"/v1/x", b'{"colour": "green"}')
    assert request.get(b"authorization") == b"Bearer secret"
    assert request.get(b"content-type") == b"application/json"


def test_a_problem_is_told_in_its_words() -> None:
    with (
        LoopThread() as thread,
        Upstream(thread, serve(answer(b"409 Conflict", PROBLEM))) as admin,
        pytest.raises(AdminError) as caught,
    ):
        call(f"127.0.0.1:{admin.port}", "secret", "GET", "/v1/x")
    assert str(caught.value) == "Refused with 409 (colour-not-ready): green is not ready."
    assert (caught.value.status, caught.value.lost) == (409, False)


@pytest.mark.parametrize("body", [b"ok\n", b"[]", b""])
def test_what_is_no_admin_api_is_told(body: bytes) -> None:
    with (
        LoopThread() as thread,
        Upstream(thread, serve(answer(b"200 OK", body))) as admin,
        pytest.raises(AdminError, match="answers 200, and not as an admin API does"),
    ):
        call(f"http://127.0.0.1:{admin.port}", "secret", "GET", "/v1/x")


def test_the_address_for_clients_is_told_from_the_one_of_the_admin_api() -> None:
    problem = answer(
        b"404 Not Found", b'{"type": "urn:stepdown:problem:no-route", "detail": "Nothing matches GET /v1/x"}'
    )
    with LoopThread() as thread, Upstream(thread, serve(problem)) as clients, pytest.raises(AdminError) as caught:
        call(f"http://127.0.0.1:{clients.port}", "secret", "GET", "/v1/x")
    told = "is where clients ask; the admin API has an address of its own, `admin.listen` of the file"
    assert str(caught.value) == f"http://127.0.0.1:{clients.port} {told}"


def test_where_nobody_listens_nothing_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(AdminError, match="cannot be reached: Connection refused") as caught:
        call(f"http://127.0.0.1:{port}", "secret", "POST", "/v1/x", {})
    assert not caught.value.lost


@pytest.mark.parametrize("admin", ["", "ftp://a", "http://"])
def test_an_address_that_is_none_is_told(admin: str) -> None:
    with pytest.raises(AdminError, match="found no URL such as"):
        call(admin, "secret", "GET", "/v1/x")


@pytest.mark.parametrize(
    ("method", "path", "lost", "told"),
    [
        ("POST", "/v1/x", True, r": whether the call was done is not known. `stepdown switch --status` tells\.$"),
        ("POST", "/v1/shadows/r/s/reset", True, "is not known. `stepdown shadow report` tells"),
        ("POST", "/v1/rollouts/r/start", True, "is not known. `stepdown rollout status` tells"),
        ("GET", "/v1/x", False, r"ended before its answer came \([^)]*\)\.$"),
    ],
)
def test_a_call_whose_answer_never_came_may_have_been_done(method: str, path: str, lost: bool, told: str) -> None:
    async def leave(peer: Peer) -> None:
        await peer.request()
        peer.fin()

    with (
        LoopThread() as thread,
        Upstream(thread, leave) as admin,
        pytest.raises(AdminError, match=told) as caught,
    ):
        call(f"http://127.0.0.1:{admin.port}", "secret", method, path)
    assert caught.value.lost is lost


def test_while_an_answer_is_long_in_coming_it_is_looked_how_far_it_is() -> None:
    with LoopThread() as thread:
        gate = thread.run(Gate)
        looks: list[int] = []

        async def answer_late(peer: Peer) -> None:
            await peer.request()
            await gate
            await peer.send(answer(b"200 OK", b'{"a": 1}'))

        def look() -> bool:
            looks.append(1)
            thread.run(gate.open)
            return True

        with Upstream(thread, answer_late) as admin:
            assert call(f"http://127.0.0.1:{admin.port}", "secret", "POST", "/v1/x", {}, watch=look) == {"a": 1}
        assert looks


def test_whoever_stops_waiting_leaves_and_a_connection_that_ends_is_told() -> None:
    def stop() -> bool:
        raise KeyboardInterrupt

    async def silent(peer: Peer) -> None:
        await peer.request()

    async def leave(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    with LoopThread() as thread:
        with Upstream(thread, silent) as admin:
            with pytest.raises(KeyboardInterrupt):
                call(f"http://127.0.0.1:{admin.port}", "secret", "POST", "/v1/x", {}, watch=stop)
            (peer,) = admin.peers
            assert peer.ended.wait()
        with Upstream(thread, leave) as admin, pytest.raises(AdminError, match="whether the call was done") as caught:
            call(f"http://127.0.0.1:{admin.port}", "secret", "POST", "/v1/x", {}, watch=stop)
        assert caught.value.lost
