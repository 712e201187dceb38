"""The fakes themselves: a test that relies on a reset must have been given one."""

import pytest

from tests.kit.client import Client, EndedError
from tests.kit.looping import Gate, LoopThread
from tests.kit.upstream import OK, Upstream, early, exact, interim, serve, stepwise, then_fin, then_reset, unasked

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def thread():
    with LoopThread() as thread:
        yield thread


def test_an_answer_comes_exactly_as_written_and_the_request_is_recorded(thread):
    with Upstream(thread, serve(OK)) as upstream, Client(upstream.port) as client:
        client.send(GET + b"POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert client.response().raw == OK
        assert client.response().body == b"ok"
        first, second = upstream.requests
        assert first.raw == GET
        assert (second.method, second.target, second.body) == (b"POST", b"/y", b"abc")
        client.close()
        assert upstream.peers[0].ended.wait()
        assert upstream.peers[0].how == "fin"


def test_a_reset_is_a_reset_and_comes_after_the_bytes(thread):
    gate = Gate()
    with Upstream(thread, then_reset(OK[:-1], gate)) as upstream, Client(upstream.port) as client:
        client.send(GET)
        client.receive(b"o")
        gate.open()
        with pytest.raises(EndedError, match="reset"):
            client.response()
        assert upstream.peers[0].how == "ours"


def test_a_close_in_the_middle_is_a_fin(thread):
    with Upstream(thread, then_fin(OK[:-1])) as upstream, Client(upstream.port) as client:
        client.send(GET)
        with pytest.raises(EndedError, match="fin"):
            client.response()


def test_a_clients_reset_is_told_apart_from_its_fin(thread):
    with Upstream(thread) as upstream:
        client = Client(upstream.port)
        client.send(GET[:5])
        while not upstream.peers:
            pass
        upstream.peers[0].arrived.wait()
        client.reset()
        assert upstream.peers[0].ended.wait()
        assert upstream.peers[0].how == "reset"


def test_gates_hold_the_pieces_back(thread):
    gate = Gate()
    with Upstream(thread, stepwise(OK[:-1], OK[-1:], gates=[gate])) as upstream, Client(upstream.port) as client:
        client.send(GET)
        client.receive(b"\r\n\r\no")
        assert client.is_quiet()
        gate.open()
        assert client.response().body == b"ok"


def test_faults_of_every_kind(thread):
    with Upstream(thread) as upstream:
        upstream.queue.extend([interim(3), unasked(b"x"), early(OK), exact(OK, slice_every=1)])
        with Client(upstream.port) as client:
            client.send(GET)
            assert client.response().interim == [103, 103, 103]
        with Client(upstream.port) as client:
            assert client.receive(b"x") == b"x"
        with Client(upstream.port) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            assert client.response("POST").body == b"ok"
        with Client(upstream.port) as client:
            client.send(GET)
            assert client.response().raw == OK
        assert not upstream.failures
    assert not thread.errors
