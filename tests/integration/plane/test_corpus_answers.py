"""Every answer of the conformance corpus from a real upstream through a real sidecar to a real client.

Each comes whole, byte by byte, and as the second answer on a kept connection. An answer that two parsers could read
differently is a 502; bytes behind an answer never become the next client's answer.
"""

from __future__ import annotations

import orjson
import pytest

from tests.kit import corpus
from tests.kit.client import EndedError
from tests.kit.looping import Gate
from tests.kit.upstream import OK, Peer, Script, serve
from tests.kit.world import World, world

CASES = corpus.load("upstream->proxy")
BY_ID = {case.id: case for case in CASES}
BAD = [case for case in CASES if case.statuses]
GET = b"GET /case HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD /case HTTP/1.1\r\nHost: a\r\n\r\n"
SLICINGS = ["whole", "bytewise", "second"]


def answering(raw: bytes, slicing: str, *, end: bool) -> Script:
    """Answer with a case; `second`: after a good answer on the same connection; `end`: then close."""

    async def script(peer: Peer) -> None:
        if slicing == "second":
            await peer.request()
            await peer.send(OK)
        await peer.request()
        await peer.send(raw, slice_every=1 if slicing == "bytewise" and len(raw) < 10_000 else 0)
        if end:
            peer.fin()
        await serve(OK)(peer)

    return script


@pytest.fixture(scope="module")
def here():
    with world(frozen=True) as here:  # nothing is closed because it was idle
        yield here


def play(here: World, raw: bytes, slicing: str, request: bytes = GET, *, end: bool = False):
    """Ask for a case; the client, with a good first answer taken off, and the upstream's connection."""
    for peer in here.upstream.peers:  # so that the case's script gets a connection of its own
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.forget()
    here.upstream.queue.append(answering(raw, slicing, end=end))
    client = here.client()
    if slicing == "second":
        client.send(GET)
        assert client.response().body == b"ok"
    client.send(request)
    return client


def assert_undisturbed(here: World, client) -> None:
    """The client's connection and the upstream serve on."""
    client.send(GET)
    assert client.response().body == b"ok"


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize("case", BAD, ids=lambda case: case.id)
def test_an_ambiguous_answer_is_a_502_and_its_connection_is_closed(here, case, slicing):
    with play(here, case.raw, slicing) as client:
        response = client.response()
        assert response.status == 502
        assert orjson.loads(response.body)["type"].endswith("bad-response")
        assert response.get(b"x-stepdown-error") == b"bad-response"
        assert here.upstream.peers[0].ended.wait()
        assert_undisturbed(here, client)
    assert len(here.upstream.peers) == 2
    assert here.sidecar.log()[-2]["status"] == 502


GOOD = {
    # name: (request, status, body, may the upstream connection be used again)
    "r-head-cl": (HEAD, 200, b"", False),
    "r-204-cl": (GET, 204, b"", False),
    "r-204-te": (GET, 204, b"", False),
    "r-304-cl": (GET, 304, b"", False),
    "r-205-body": (GET, 205, b"hi", True),
    "r-103": (GET, 200, b"", True),
    "r-no-reason": (GET, 200, b"", True),
    "r-extra": (GET, 200, b"ok", False),
    "r-extra-full": (GET, 200, b"ok", False),
    "r-chunk-trailers": (GET, 200, b"ok", True),
    "r-upgrade-hdr-200": (GET, 200, b"ok", True),
}


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize("name", GOOD)
def test_an_answer_ends_where_its_own_framing_says(here, name, slicing):
    request, status, body, reusable = GOOD[name]
    with play(here, BY_ID[name].raw, slicing, request) as client:
        response = client.response(request[:4].strip().decode())
        assert (response.status, response.body) == (status, body)
        if not reusable:
            assert here.upstream.peers[0].ended.wait()
        assert_undisturbed(here, client)
    names = {key.lower() for key, _ in response.headers}
    assert not names & {b"upgrade", b"trailer", b"keep-alive", b"set-cookie", b"server-timing"}
    if status == 204:
        assert not names & {b"content-length", b"transfer-encoding"}


@pytest.mark.parametrize("slicing", SLICINGS)
def test_a_close_delimited_answer_is_forwarded_in_chunks(here, slicing):
    with play(here, BY_ID["r-http10-noframing"].raw, slicing, end=True) as client:
        response = client.response()
        assert (response.status, response.body) == (200, b"body")
        assert response.get(b"transfer-encoding") == b"chunked"
        assert_undisturbed(here, client)


@pytest.mark.parametrize("slicing", SLICINGS)
@pytest.mark.parametrize(("name", "body"), [("r-trunc-cl", b"abc"), ("r-trunc-chunked", b"abc")])
def test_a_truncated_answer_reaches_the_client_as_far_as_it_came_and_never_looks_whole(here, name, body, slicing):
    with play(here, BY_ID[name].raw, slicing, end=True) as client:
        with pytest.raises(EndedError) as end:
            client.response()
        assert body in end.value.seen.replace(b"\r\n", b"").replace(b"1a", b"a").replace(b"1b", b"b").replace(
            b"1c", b"c"
        )
        assert not end.value.seen.endswith(b"0\r\n\r\n")
    assert here.ask(GET).status == 200


def test_every_case_is_in_one_of_the_tables():
    elsewhere = {"r-http10-noframing", "r-trunc-cl", "r-trunc-chunked"}
    assert set(BY_ID) == {case.id for case in BAD} | set(GOOD) | elsewhere


@pytest.mark.parametrize("name", ["r-head-cl", "r-204-cl", "r-204-te", "r-304-cl", "r-extra", "r-extra-full"])
def test_bytes_that_come_behind_an_answer_a_moment_later_are_nobodys_answer(here, name):
    request, status, body, _ = GOOD[name]
    raw = BY_ID[name].raw
    cut = raw.index(b"\r\n\r\n") + 4 + len(body)
    gate = Gate()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw[:cut])
        await gate
        await peer.send(raw[cut:])

    for peer in here.upstream.peers:
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.forget()
    here.upstream.queue.append(script)
    with here.client() as client:
        client.send(request)
        assert client.response(request[:4].strip().decode()).status == status
        gate.open()
        assert here.upstream.peers[0].ended.wait()
        assert_undisturbed(here, client)
