"""An answer's head: its own length, its persistence, and the lines that reach the client."""

from __future__ import annotations

import pytest

from stepdown.errors import BadResponseError
from stepdown.wire import CHUNKED, UNTIL_CLOSE, limits, parse_response


def head(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Raw head of an answer."""
    return b"\r\n".join([start, *lines, b"", b""])


def refused(raw: bytes, method: bytes = b"GET") -> str:
    """Sentence of the error that `raw` is refused with."""
    with pytest.raises(BadResponseError) as refusal:
        parse_response(raw, method)
    assert refusal.value.code == 502
    return refusal.value.detail


@pytest.mark.parametrize(
    ("method", "start", "fields", "length", "declared"),
    [
        (b"GET", b"HTTP/1.1 200 OK", [b"Content-Length: 5"], 5, 5),
        (b"GET", b"HTTP/1.1 200 OK", [b"Content-Length: 0"], 0, 0),
        (b"GET", b"HTTP/1.1 200 OK", [b"Transfer-Encoding:\tCHUNKED "], CHUNKED, CHUNKED),
        (b"GET", b"HTTP/1.1 200 OK", [], UNTIL_CLOSE, None),
        (b"HEAD", b"HTTP/1.1 200 OK", [b"Content-Length: 5"], 0, 5),
        (b"HEAD", b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"], 0, CHUNKED),
        (b"HEAD", b"HTTP/1.1 200 OK", [], 0, None),
        (b"GET", b"HTTP/1.1 204 No Content", [], 0, None),
        (b"GET", b"HTTP/1.1 304 Not Modified", [b"Content-Length: 5"], 0, 5),
        (b"GET", b"HTTP/1.1 100 Continue", [], 0, None),
        (b"GET", b"HTTP/1.1 205 Reset", [], UNTIL_CLOSE, None),
    ],
)
def test_the_length_follows_method_status_and_framing(method, start, fields, length, declared):
    answer = parse_response(head(*fields, start=start), method)
    assert (answer.length, answer.declared) == (length, declared)


@pytest.mark.parametrize(
    ("minor", "fields", "close"),
    [
        (b"1", [], False),
        (b"1", [b"Connection: close"], True),
        (b"1", [b"Connection: close", b"Connection: keep-alive"], True),
        (b"0", [], True),
        (b"0", [b"Connection: keep-alive"], False),
        (b"0", [b"Connection: close", b"Connection: keep-alive"], True),
    ],
)
def test_persistence_follows_the_version_and_close_wins(minor, fields, close):
    assert parse_response(head(b"Content-Length: 0", *fields, start=b"HTTP/1.%s 200 OK" % minor), b"GET").close is close


def test_an_answer_that_ends_with_its_connection_closes_it():
    assert parse_response(head(b"Connection: keep-alive", start=b"HTTP/1.0 200 OK"), b"GET").close


@pytest.mark.parametrize(
    "raw",
    [
        head(start=b"HTTP/1.1 099 X"),
        head(start=b"HTTP/1.1 600 X"),
        head(start=b"HTTP/1.1 2000 X"),
        head(start=b"HTTP/1.1  200 X"),
        head(start=b"HTTP/2 200 X"),
        head(start=b"HTTP/1.1 200 a\x00b"),
        head(start=b"HTTP/1.1 101 Switching Protocols"),
        head(b"Content-Length: 1", b"Content-Length: 1"),
        head(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
        head(b"Transfer-Encoding: chunked", b"Content-Length: 1"),
        head(b"Transfer-Encoding: gzip, chunked"),
        head(b"Transfer-Encoding: "),
        head(b"Content-Length: -1"),
        head(b"Content_Length: 1"),
        head(*[b"X: 1"] * (limits.FIELD_COUNT + 1)),
    ],
)
def test_an_ambiguous_head_is_refused(raw):
    assert refused(raw)


def test_the_refusal_of_a_length_says_whose_it_is():
    assert (
        refused(head(b"Content-Length: 1x")) == "The upstream's answer is refused: Content-Length is no decimal number"
    )


def test_end_to_end_lines_reach_the_client_and_hop_by_hop_and_own_lines_do_not():
    answer = parse_response(
        head(
            b"Content-Type: application/json",
            b"Set-Cookie: a=1",
            b"Set-Cookie: b=2",
            b"Keep-Alive: timeout=5",
            b"Trailer: X",
            b"Upgrade: h2c",
            b"X-Model-Version: 9",
            b"X-Model-Served: 9",
            b"Connection: X-Gone, Set-Cookie, Content-Type",
            b"X-Gone: 1",
            b"Via: 1.1 up ",
            b"Content-Length: 0",
            b"Expect: x",
        ),
        b"GET",
    )
    assert answer.lines == [b"Content-Type: application/json", b"Expect: x"]
    assert answer.via == [b"1.1 up"]


def test_fields_are_found_by_name():
    answer = parse_response(head(b"X-A: 1", b"CONTENT-type:  application/json "), b"GET")
    assert answer.get(b"content-type") == b"application/json"
    assert answer.get(b"a") is None
    assert answer.get(b"x-a") == b"1"


def test_interim_answers_are_known_as_such():
    assert parse_response(head(start=b"HTTP/1.1 103 Early Hints"), b"GET").interim
    assert not parse_response(head(), b"GET").interim
