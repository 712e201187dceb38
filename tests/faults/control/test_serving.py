"""Clients of the status and admin servers that are slow, greedy, rude or gone."""

import pytest

from stepdown.control import admin, status
from tests.kit.client import Client, EndedError, ask
from tests.kit.controller_state import SetState, a_token, served

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
AUTHORIZED = b"Host: localhost\r\nAuthorization: Bearer s3cret\r\nContent-Type: application/json\r\n"


@pytest.fixture
def state():
    return SetState(tokens=(a_token("deploy", "operate", "s3cret"),))


def ends(client):
    """How a connection ends that the server has had enough of; nothing must have been answered."""
    seen, how = client.until_close()
    assert seen == b""
    return how


def test_every_answer_closes_its_connection(state):
    with served(lambda: status.application(state)) as server, Client(server.port) as client:
        client.send(GET + GET)
        assert client.response().status == 200
        assert client.until_close() == (b"", "fin")


def test_a_head_that_never_ends_is_cut_off(state):
    with served(lambda: status.application(state), lifetime=0.2) as server, Client(server.port) as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert ends(client) in {"fin", "reset"}


def test_a_connection_that_says_nothing_is_cut_off(state):
    with served(lambda: status.application(state), lifetime=0.2) as server, Client(server.port) as client:
        assert ends(client) in {"fin", "reset"}


def test_a_body_that_never_comes_is_cut_off_and_nothing_is_done(state):
    with served(lambda: admin.application(state), lifetime=0.2) as server, Client(server.port) as client:
        client.send(b"POST /v1/drain HTTP/1.1\r\n" + AUTHORIZED + b"Content-Length: 2\r\n\r\n{")
        assert ends(client) in {"fin", "reset"}
        assert state.asked == []


def test_who_only_holds_connections_open_keeps_nobody_out(state):
    with served(lambda: status.application(state), connections=4) as server:
        idle = [Client(server.port) for _ in range(10)]
        assert [ask(server.port, GET).status for _ in range(5)] == [200] * 5
        assert [ends(client) for client in idle[:6]].count("") == 0
        assert idle[-1].is_quiet()
        for client in idle:
            client.close()


@pytest.mark.parametrize("application", [status.application, admin.application])
@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: x\r\n" * 1000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-No-Colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n" * 10 + b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["long-field", "long-line", "many-fields", "no-colon", "tls", "h2", "nonsense", "two-framings"],
)
def test_a_head_that_is_too_much_or_no_head_is_refused_and_the_next_client_is_served(state, application, head):
    with served(lambda: application(state), lifetime=5.0) as server:
        with Client(server.port) as client:
            client.send_pieces([head])
            try:
                answered = client.response().status
            except EndedError:
                answered = None
        assert answered in {400, 431, None}
        assert ask(server.port, GET).status in {200, 403}


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(state):
    with served(lambda: status.application(state)) as server:
        for piece in (b"", b"GET", GET, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"):
            client = Client(server.port)
            client.send(piece)
            client.reset()
        assert ask(server.port, GET).status == 200
