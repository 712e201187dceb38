"""Whatever is a valid request or answer passes through the sidecar unchanged in meaning, in any cut, in any framing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.messages import cut
from tests.kit.upstream import OK, Peer, Script, serve
from tests.kit.world import world

bodies = st.one_of(st.binary(max_size=50), st.integers(0, 200_000))
"""A body, or how many zeros it has; `bytes` of either is the body."""
chunk_sizes = st.integers(1, 5000)
places = st.lists(st.integers(0, 1 << 20), max_size=6)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30).map(str.encode)
names = st.from_regex(r"x-[a-z0-9-]{1,12}", fullmatch=True).map(str.encode)
fields = st.lists(st.tuples(names, values), max_size=8)
patient = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def framed(start: bytes, lines: list[tuple[bytes, bytes]], body: bytes, chunk: int | None) -> bytes:
    """A raw message with a length, or in chunks of `chunk` bytes."""
    head = start + b"\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    if chunk is None:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces = [body[place : place + chunk] for place in range(0, len(body), chunk)]
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + wire + b"0\r\n\r\n"


@pytest.fixture
def here():
    with world(serve(lambda request: OK[:-2] if request.method == b"HEAD" else OK)) as here:
        yield here


@patient
@given(fields, bodies, st.none() | chunk_sizes, places)
def test_a_request_arrives_with_its_fields_and_its_body(here, lines, body, chunk, places):
    body = bytes(body)
    here.upstream.forget()
    with here.client() as client:
        client.send_pieces(cut(framed(b"POST /p?q HTTP/1.1\r\nHost: a", lines, body, chunk), places))
        assert client.response("POST").status == 200
    (request,) = here.upstream.requests
    assert request.body == body
    assert [pair for pair in request.headers if pair in lines] == lines


@patient
@given(fields, bodies, st.none() | chunk_sizes, places, st.sampled_from([b"1", b"0"]))
def test_an_answer_arrives_with_its_fields_and_its_body(here, lines, body, chunk, places, minor):
    body = bytes(body)
    raw = framed(b"HTTP/1.1 200 OK", lines, body, chunk)
    here.upstream.script = sending(cut(raw, places))
    for peer in here.upstream.peers:
        here.upstream.on_loop(peer.fin)
        assert peer.ended.wait()
    here.upstream.forget()
    response = here.ask(b"GET / HTTP/1.%b\r\nHost: a\r\n\r\n" % minor)
    assert response.body == body
    assert [pair for pair in response.headers if pair in lines] == lines
    here.upstream.script = serve(OK)


def sending(pieces: list[bytes]) -> Script:
    """Answer with these pieces, one write each."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.send(piece)

    return script


@patient
@given(
    st.lists(st.tuples(st.sampled_from([b"GET", b"POST", b"HEAD"]), bodies, st.none() | chunk_sizes), max_size=6),
    places,
)
def test_a_pipeline_is_answered_in_order_and_arrives_one_by_one(here, requests, places):
    here.upstream.forget()
    raw = b"".join(
        framed(b"%b /%d HTTP/1.1\r\nHost: a" % (method, number), [], bytes(body), chunk)
        for number, (method, body, chunk) in enumerate(requests)
    )
    with here.client() as client:
        client.send_pieces(cut(raw, places))
        for method, _, _ in requests:
            assert client.response(method.decode()).status == 200
    assert [(got.target, got.body) for got in here.upstream.requests] == [
        (b"/%d" % number, bytes(body)) for number, (_, body, _) in enumerate(requests)
    ]
    assert len([peer for peer in here.upstream.peers if peer.requests]) <= 1
