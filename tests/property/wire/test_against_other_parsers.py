"""Nothing that `wire` accepts may be read in another way by h11, nor by httptools: generated and mutated requests.

A request that one parser ends earlier than another is how a second request is smuggled behind the first. h11 is strict
and shares no code with us; httptools (llhttp) is the parser of uvicorn and thus of many model servers.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field

import h11
import httptools
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepdown.errors import StepdownError
from tests.kit.messages import Message, head_of, read_request, read_response

# Bytes at which parsers disagree: line ends, white space, separators, signs, alphabets of Python's int(), 8-bit bytes.
SHARP = [bytes([byte]) for byte in b"\r\n\t \x00\x0b\x0c\x1f\x7f\x80\x85\xa0\xff:;,=\"'()/\\_-+.*@#?%0159aAfFxX"]
WORDS = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"chunked",
    b"identity",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"transfer_encoding: chunked\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 0\r\n",
    b"content-length : 3\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: Transfer-Encoding\r\n",
    b"Upgrade: x\r\n",
    b"Expect: 100-continue\r\n",
    b"Host: b\r\n",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"0\r\n\r\n",
    b"1\r\nZ\r\n",
    b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
]
SEEDS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /v2/models/m/infer?x=1 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nX-Y:  v \r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;e=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
    b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nZ",
    b"GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.0 200\r\n\r\nbody until the end",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
]


@st.composite
def mutated(draw, seeds: list[bytes]) -> bytes:
    """A message with a few bytes or words inserted, replaced, doubled or taken out, mostly in its head."""
    raw = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(raw)))
        action = draw(st.integers(0, 4))
        piece = draw(st.sampled_from(SHARP + WORDS))
        if action == 0:
            raw = raw[:place] + piece + raw[place:]
        elif action == 1:
            raw = raw[:place] + piece + raw[place + len(piece) :]
        elif action == 2:
            raw = raw[:place] + raw[place + draw(st.integers(1, 3)) :]
        elif action == 3:
            start = raw.find(b"\r\n", place)
            line_end = raw.find(b"\r\n", start + 2)
            if 0 <= start < line_end:
                raw = raw[:line_end] + raw[start : line_end + 2] + raw[line_end + 2 :]
        else:
            start = raw.find(b"\r\n", place) + 2
            raw = raw[:start] + piece + raw[start:] if start > 1 else raw
    return raw


@dataclass
class Reading:
    """What another parser made of the same bytes."""

    start: tuple[bytes | int, ...]
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    rest: bytes = b""


def read_with_h11(raw: bytes, role: type, method: bytes = b"POST", *, eof: bool = False) -> Reading:
    """The first message, as h11 reads it; raises `h11.RemoteProtocolError`."""
    parser = h11.Connection(role, max_incomplete_event_size=1 << 20)
    if role is h11.CLIENT:
        parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        parser.send(h11.EndOfMessage())
    parser.receive_data(raw)
    if eof:
        parser.receive_data(b"")
    reading: Reading | None = None
    while True:
        event = parser.next_event()
        if isinstance(event, h11.Request):
            version = event.http_version
            reading = Reading((event.method, event.target, version), list(event.headers))
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            reading = Reading((event.status_code, event.http_version), list(event.headers))
            if isinstance(event, h11.InformationalResponse):
                reading.complete, reading.rest = True, bytes(parser.trailing_data[0])
                return reading
        elif isinstance(event, h11.Data):
            assert reading is not None
            reading.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert reading is not None
            reading.complete, reading.rest = True, bytes(parser.trailing_data[0])
            return reading
        else:
            assert reading is not None, event
            return reading


class _Collector:
    """Callbacks of httptools; it stops at the end of the first message."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = False

    def on_url(self, url: bytes) -> None:
        if not self.complete:
            self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.complete:
            self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def read_with_httptools(raw: bytes) -> _Collector | None:
    """The first request, as llhttp reads it, or `None` where it refuses the head or the body."""
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    try:
        for place in range(len(raw)):  # byte by byte: what follows the first message must not spoil it
            parser.feed_data(raw[place : place + 1])
            if collector.complete:
                return collector
    except httptools.HttpParserError:
        return collector if collector.complete else None
    return collector


def accepted(raw: bytes) -> Message | None:
    """What `wire` makes of it, or `None` where it refuses it or lacks the end of the head."""
    if b"\r\n\r\n" not in raw:
        return None
    with contextlib.suppress(StepdownError):
        return read_request(raw)
    return None


def _is_same_target(theirs: bytes, ours: bytes) -> bool:
    """Absolute form is taken apart by us, and its empty path is `/`."""
    _, scheme, rest = theirs.partition(b"://")
    return theirs == ours or (bool(scheme) and (rest.endswith(ours) or ours in (b"/", b"/" + rest[rest.find(b"?") :])))


def _has_blank_before_extension(raw: bytes) -> bool:
    """RFC 9112 section 7.1.1 allows white space before the `;` of a chunk extension; h11 does not."""
    return b" ;" in raw or b"\t;" in raw


def _has_coding_in_trailer(raw: bytes) -> bool:
    """h11 judges a trailer as if it were a head; here trailers are read over and dropped, framing fields or not."""
    return _TRAILING_CODING.search(head_of(raw)[1]) is not None


_TRAILING_CODING = re.compile(rb"(?:^|\r\n)0+[^\r\n]*\r\n(?:[^\r\n]+\r\n)*?transfer-encoding:", re.IGNORECASE)


def _is_listed(raw: bytes) -> bool:
    """The differences from h11 that are meant, each with its reason."""
    return _has_blank_before_extension(raw) or _has_coding_in_trailer(raw)


@settings(max_examples=1500, deadline=None)
@given(mutated(SEEDS))
@example(
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nZ\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"
)
@example(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc")
@example(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
def test_h11_reads_every_accepted_request_in_the_same_way(raw):
    message = accepted(raw)
    if message is None:
        return
    head = message.head
    try:
        other = read_with_h11(raw, h11.SERVER)
    except h11.RemoteProtocolError as error:
        if _is_listed(raw) or _is_junk_behind_a_whole_body(message, raw):
            return
        raise AssertionError(f"accepted, and refused by h11: {raw!r}") from error
    method, target, version = other.start
    assert method == head.method
    assert _is_same_target(target, head.target)
    assert version == b"1.%d" % head.minor
    assert other.body == message.body
    assert other.complete == message.complete
    assert other.rest == message.rest
    theirs = {(name, value) for name, value in other.headers}
    for line in head.lines:
        name, _, value = line.partition(b":")
        assert (name.lower(), value.strip(b" \t")) in theirs


def _is_junk_behind_a_whole_body(message: Message, raw: bytes) -> bool:
    """h11 looks at the first bytes of the next request before it is asked to; only the first message is compared."""
    if not message.complete or not message.rest:
        return False
    try:
        read_with_h11(raw[: len(raw) - len(message.rest)], h11.SERVER)
    except h11.RemoteProtocolError:
        return False
    return True


@settings(max_examples=1500, deadline=None)
@given(mutated(SEEDS))
def test_httptools_reads_every_accepted_request_in_the_same_way(raw):
    message = accepted(raw)
    if message is None:
        return
    head = message.head
    if b"upgrade" in head.raw.lower():
        return  # llhttp stops there and skips the body; Upgrade is never forwarded
    if b"chunked\t" in head.raw.lower():
        return  # llhttp refuses a trailing HTAB, which is white space (RFC 9110 section 5.5)
    other = read_with_httptools(raw)
    if other is None:
        # llhttp wants tokens and quoted strings in chunk extensions; here any visible text is read over and dropped.
        assert head.chunked, raw
        assert b";" in head_of(raw)[1], raw
        return
    assert _is_same_target(other.target, head.target)
    assert other.body == message.body
    assert other.complete == message.complete


@settings(max_examples=1500, deadline=None)
@given(mutated(ANSWERS), st.sampled_from([b"GET", b"HEAD", b"POST"]))
def test_h11_reads_every_accepted_answer_in_the_same_way(raw, method):
    if b"\r\n\r\n" not in raw:
        return
    try:
        message = read_response(raw, method)
    except StepdownError:
        return
    head = message.head
    try:
        other = read_with_h11(raw, h11.CLIENT, method)
    except h11.RemoteProtocolError as error:
        if _is_listed(raw):
            return
        raise AssertionError(f"accepted, and refused by h11: {raw!r}") from error
    status, version = other.start
    assert (status, version) == (head.status, b"1.%d" % head.minor)
    assert other.body == message.body
    if other.complete or message.complete:
        assert other.complete == message.complete
        assert other.rest == message.rest
