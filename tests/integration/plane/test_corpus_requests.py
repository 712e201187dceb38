"""Every request of the conformance corpus from a real client through a real sidecar to a real upstream.

Each comes whole, byte by byte, and as the second of a pipeline, with the access log on. Whatever it is, it may disturb
nothing else: a good request follows every case.
"""

from __future__ import annotations

import orjson
import pytest

from tests.kit import corpus
from tests.kit.client import EndedError
from tests.kit.upstream import OK, Peer, PeerGoneError, serve
from tests.kit.world import World, world

CASES = corpus.load("client->proxy")
REFUSED = [case for case in CASES if case.statuses]
BY_ID = {case.id: case for case in CASES}
GOOD = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"
SLICINGS = ["whole", "bytewise", "second"]
LARGE = 32 * 1024
"""A client that sends more than this after it was refused may lose the answer to a reset, as RFC 9112 9.6 says."""


async def lenient(peer: Peer) -> None:
    """Serve, and accept that a request ends in the middle."""
    try:
        await serve(OK)(peer)
    except Exception as error:
        if not isinstance(error, PeerGoneError) and "peer unexpectedly closed" not in str(error):
            raise


@pytest.fixture(scope="module")
def here():
    with world(lenient) as here:
        yield here


def send(client, raw: bytes, slicing: str) -> None:
    """Send a case; `second`: behind a good request, in one write."""
    if slicing == "bytewise" and len(raw) < LARGE:
        client.send_bytewise(raw)
    elif slicing == "second":
        client.send_pieces([GOOD + raw])
    else:
        client.send_pieces([raw])


def play(here: World, raw: bytes, slicing: str):
    """Send a case on a connection of its own; the client, with a good first answer taken off."""
    here.upstream.forget()
    client = here.client()
    send(client, raw, slicing)
    if slicing == "second":
        assert client.response().status == 200
    return client


def whole_requests(here: World, slicing: str) -> list:
    """What the upstream got as whole requests, without the good first one."""
    targets = [request for request in here.upstream.requests if request.target != b"/good"]
    assert len(here.upstream.requests) - len(targets) == (slicing == "second")
    return targets


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_a_refused_request_gets_its_status_and_a_close_and_is_never_whole_at_the_upstream(here, case, slicing):
    with play(here, case.raw, slicing) as client:
        try:
            response = client.response()
            assert response.status in case.statuses
            problem = orjson.loads(response.body)
            assert problem["status"] == response.status
            assert problem["detail"]
            if "close" in case.expect:
                assert response.get(b"connection") == b"close"
                assert client.until_close()[0] == b""
        except EndedError:
            if len(case.raw) <= LARGE:
                raise
    assert whole_requests(here, slicing) == []
    assert here.ask(GOOD).status == 200


FORWARDED = {
    # name: (method, target, host, fields that have to be there in this order, names that may not, body)
    "te-case": (b"POST", b"/", b"a", [], [], b"Z"),
    "te-tab": (b"POST", b"/", b"a", [], [], b""),
    "cl-leading-zero": (b"POST", b"/", b"a", [(b"content-length", b"10")], [], b"0123456789"),
    "get-body": (b"GET", b"/", b"a", [(b"content-length", b"3")], [], b"abc"),
    "chunk-ext": (b"POST", b"/", b"a", [], [b"trailer"], b"Z"),
    "chunk-last-xx": (b"POST", b"/", b"a", [], [b"x"], b""),
    "obs-text-value": (b"GET", b"/", b"a", [(b"x", b"caf\xe9")], [], b""),
    "empty-value": (b"GET", b"/", b"a", [(b"x-empty", b""), (b"y", b"1")], [], b""),
    "dup-header": (b"GET", b"/", b"a", [(b"x", b"1"), (b"x", b"2")], [], b""),
    "method-query": (b"QUERY", b"/", b"a", [(b"content-length", b"1")], [], b"Z"),
    "absolute-form": (b"GET", b"/x", b"b", [], [], b""),
    "upgrade-h2c": (b"GET", b"/", b"a", [], [b"upgrade", b"http2-settings"], b""),
    "upgrade-pipelined": (b"GET", b"/", b"a", [], [b"upgrade"], b""),
    "connection-close-more": (b"GET", b"/", b"a", [], [], b""),
    "keepalive-and-close": (b"GET", b"/", b"a", [], [], b""),
    "proxy-connection": (b"GET", b"/", b"a", [], [b"proxy-connection", b"te", b"keep-alive"], b""),
    "expect-get-nobody": (b"GET", b"/", b"a", [], [b"expect"], b""),
}


EMPTY = {"te-tab", "chunk-last-xx"}
"""They have a body of no bytes, which is not the same as none."""


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize("name", FORWARDED)
def test_a_forwarded_request_arrives_with_its_meaning_and_our_own_framing(here, name, slicing):
    method, target, host, fields, absent, body = FORWARDED[name]
    with play(here, BY_ID[name].raw, slicing) as client:
        assert client.response().status == 200
    request = whole_requests(here, slicing)[0]
    assert (request.method, request.target, request.get(b"host"), request.body) == (method, target, host, body)
    pairs = [(key.lower(), value) for key, value in request.headers]
    wanted = [name for name, _ in fields]
    assert [pair for pair in pairs if pair[0] in wanted] == fields
    assert not {key for key, _ in pairs} & {*absent, b"connection"}
    assert len([value for key, value in pairs if key in (b"content-length", b"transfer-encoding")]) == bool(
        body or name in EMPTY
    )
    assert request.raw.startswith(method + b" " + target + b" HTTP/1.1\r\n")
    assert target.decode() in [line["target"] for line in here.sidecar.log()[-2:]]


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize("name", ["connection-close-more", "keepalive-and-close"])
def test_close_wins_and_what_follows_is_ignored(here, name, slicing):
    with play(here, BY_ID[name].raw, slicing) as client:
        response = client.response()
        assert response.get(b"connection") == b"close"
        assert client.until_close()[0] == b""
    assert [request.target for request in whole_requests(here, slicing)] == [b"/"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_a_refused_request_leaves_one_line_in_the_access_log_that_says_what_the_client_saw(here, case):
    before = len(here.sidecar.log())
    with play(here, case.raw, "whole") as client:
        try:
            status = client.response().status
        except EndedError:
            status = min(case.statuses)
    (line,) = here.sidecar.log()[before:]
    assert line["status"] == status
    assert line["error"]


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("get-body", [b"/", b"/2"]),
        ("upgrade-pipelined", [b"/", b"/2"]),
        ("pipeline-3", [b"/1", b"/2", b"/3"]),
    ],
)
def test_pipelined_requests_are_answered_in_order(here, name, targets, slicing):
    with play(here, BY_ID[name].raw, slicing) as client:
        assert [client.response().status for _ in targets] == [200] * len(targets)
        client.send(GOOD)
        assert client.response().status == 200
    assert [request.target for request in here.upstream.requests if request.target != b"/good"] == targets


@pytest.mark.parametrize("slicing", SLICINGS)
def test_an_error_does_not_kill_the_answer_before_it(here, slicing):
    with play(here, BY_ID["pipeline-bad-2nd"].raw, slicing) as client:
        assert client.response().status == 200
        response = client.response()
        assert response.status == 400
        assert client.until_close()[0] == b""
    assert [request.target for request in whole_requests(here, slicing)] == [b"/1"]


@pytest.mark.parametrize("slicing", SLICINGS)
def test_a_connection_field_may_not_nominate_host_or_framing(here, slicing):
    with play(here, BY_ID["connection-nominates-host"].raw, slicing) as client:
        assert client.response().status == 400
    assert whole_requests(here, slicing) == []


@pytest.mark.parametrize("slicing", SLICINGS)
def test_a_continue_comes_before_the_body_and_the_answer_after_it(here, slicing):
    with play(here, BY_ID["expect-100"].raw, slicing) as client:
        assert client.receive(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"Z")
        response = client.response("POST")
        assert (response.status, response.interim) == (200, [100])
    (request,) = whole_requests(here, slicing)
    assert request.body == b"Z"
    assert request.get(b"expect") is None


def test_a_flood_of_pipelined_requests_is_answered_one_after_another(here):
    with play(here, BY_ID["pipeline-flood"].raw, "whole") as client:
        for _ in range(2000):
            assert client.response().status == 200
    assert len(here.upstream.requests) == 2000
    assert len(here.upstream.peers) == 1


def test_every_case_is_in_one_of_the_tables():
    elsewhere = {
        "pipeline-3",
        "pipeline-bad-2nd",
        "connection-nominates-host",
        "expect-100",
        "pipeline-flood",
    }
    assert set(BY_ID) == {case.id for case in REFUSED} | set(FORWARDED) | elsewhere
