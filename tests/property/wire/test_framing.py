"""Any valid message, cut into any pieces, arrives the same; and a chunked body means what its grammar says."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepdown.errors import BadRequestError
from stepdown.wire import CHUNKED, UNTIL_CLOSE, limits, parse_request, reader_for
from stepdown.wire.request import METHODS
from stepdown.wire.serialise import LAST_CHUNK, chunk
from tests.kit.messages import bytewise, cut, read_request

TCHAR = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
names = st.text(alphabet=TCHAR.replace("_", ""), min_size=1, max_size=12).map(lambda name: b"x" + name.encode())
values = st.text(
    alphabet=st.characters(codec="latin-1", exclude_categories=["Cc"], include_characters="\t"), max_size=20
).map(lambda value: value.encode("latin-1").strip(b" \t\x85"))
blanks = st.sampled_from([b"", b" ", b"\t", b"  \t"])
targets = st.text(alphabet="abcXYZ09-._~%2F!$&'()*+,;=:@/?", max_size=30).map(lambda text: b"/" + text.encode())
pieces_at = st.lists(st.integers(0, 10_000), max_size=8)


@st.composite
def chunked_bodies(draw) -> tuple[bytes, bytes]:
    """A body and one of its many chunked forms: extensions, leading zeros, either case, trailers."""
    body, wire = b"", b""
    for payload in draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5)):
        zeros = b"0" * draw(st.integers(0, 4))
        size = b"%x" % len(payload) if draw(st.booleans()) else b"%X" % len(payload)
        extension = draw(st.sampled_from([b"", b";a", b";a=b", b' ; a="x y"', b";a;b=1"]))
        body += payload
        wire += zeros + size + extension + b"\r\n" + payload + b"\r\n"
    trailers = b"".join(draw(st.lists(st.sampled_from([b"T: 1\r\n", b"X-Sum:\r\n"]), max_size=2)))
    return body, wire + draw(st.sampled_from([b"0", b"000", b"0;last"])) + b"\r\n" + trailers + b"\r\n"


@st.composite
def requests(draw) -> tuple[bytes, list[bytes], bytes]:
    """Raw request, its plain field lines, its body."""
    method = draw(st.sampled_from(sorted(METHODS)))
    lines = [
        name + b":" + before + value + after
        for name, value, before, after in draw(st.lists(st.tuples(names, values, blanks, blanks), max_size=5))
    ]
    framing, body, wire = draw(
        st.one_of(
            st.just((b"", b"", b"")),
            st.binary(max_size=60).map(lambda body: (b"Content-Length: %d\r\n" % len(body), body, body)),
            chunked_bodies().map(lambda pair: (b"Transfer-Encoding: chunked\r\n", *pair)),
        )
    )
    head = method + b" " + draw(targets) + b" HTTP/1.1\r\nHost: a\r\n" + framing
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + wire, lines, body


@settings(max_examples=300, deadline=None)
@given(requests(), pieces_at, st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00garbage"]))
def test_a_valid_request_cut_anywhere_arrives_the_same_and_ends_where_it_ends(request, places, behind):
    raw, lines, body = request
    whole = read_request(raw + behind)
    assert (whole.body, whole.complete, whole.rest) == (body, True, behind)
    assert whole.head.lines == lines
    wire = raw[raw.index(b"\r\n\r\n") + 4 :] + behind
    for pieces in (cut(wire, places), bytewise(wire)):
        again = read_request(raw, pieces)
        assert (again.head.lines, again.body, again.complete, again.rest) == (lines, body, True, behind)


@settings(max_examples=200, deadline=None)
@given(requests(), st.data())
def test_a_body_that_is_cut_off_is_never_complete(request, data):
    raw, _, _ = request
    start = raw.index(b"\r\n\r\n") + 4
    if start == len(raw):
        return
    end = data.draw(st.integers(start, len(raw) - 1))
    message = read_request(raw[:end])
    assert not message.complete
    reader = reader_for(message.head.length)
    reader.feed(raw[start:end])
    assert not reader.at_eof()


@settings(max_examples=200, deadline=None)
@given(requests())
def test_fields_are_found_by_name_whatever_stands_around_them(request):
    raw, lines, _ = request
    head = parse_request(raw[: raw.index(b"\r\n\r\n") + 4])
    seen: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        seen.setdefault(name.lower(), []).append(value.strip(b" \t"))
    for name, expected in seen.items():
        assert head.get(name) == expected[0]
        assert head.get_all(name) == expected
    assert head.get(b"not-there") is None
    assert head.get_all(b"not-there") == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=6), pieces_at)
def test_what_is_framed_anew_is_read_back(payloads, places):
    wire = b"".join(chunk(payload) for payload in payloads) + LAST_CHUNK
    reader = reader_for(CHUNKED)
    assert b"".join(reader.feed(piece) for piece in cut(wire, places)) == b"".join(payloads)
    assert reader.done
    assert reader.rest == b""


# --- the oracle -----------------------------------------------------------------------------------------------------

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n")


def naive(wire: bytes) -> tuple[bytes, bytes] | None:
    """Body and rest of a complete chunked body, by the grammar and without any state; `None` for anything else."""
    body = b""
    while (match := _CHUNK.match(wire)) is not None:
        size, wire = int(match[1], 16), wire[match.end() :]
        if size == 0:
            end = _TRAILERS.match(wire)
            return (body, wire[end.end() :]) if end else None
        if wire[size : size + 2] != b"\r\n":
            return None
        body, wire = body + wire[:size], wire[size + 2 :]
    return None


alphabet = st.sampled_from([b"0", b"1", b"2", b"A", b"\r", b"\n", b"\r\n", b";", b" ", b"\t", b"x", b":", b"T: 1\r\n"])


@settings(max_examples=2000, deadline=None)
@given(st.lists(alphabet, max_size=14).map(b"".join), pieces_at)
@example(b"1\r\nZ\r\n0\r\n\r\n1\r\nZ\r\n", [1, 2])
@example(b"1\r\nZ\r0\r\n\r\n", [])
@example(b"0\r\n\r", [3])
def test_the_decoder_agrees_with_a_naive_reading_however_the_bytes_come(wire, places):
    expected = naive(wire)
    for pieces in ([wire], cut(wire, places), bytewise(wire)):
        reader = reader_for(CHUNKED)
        body, rest = b"", b""
        try:
            for piece in pieces:
                if reader.done:
                    rest += piece
                else:
                    body += reader.feed(piece)
                    rest += reader.rest
        except BadRequestError:
            assert expected is None
            continue
        assert ((body, rest) if reader.done else None) == expected


@given(st.sampled_from([b"", b"1", b"1;", b"0\r\n", b"0\r\nT: ", b"1\r\nZ"]), st.integers(1, 5000))
def test_the_length_of_a_line_that_has_not_ended_is_bounded_in_every_state(start, step):
    reader = reader_for(CHUNKED)
    reader.feed(start)

    def flood() -> None:
        for _ in range(2 * limits.CHUNK_EXTENSION_BYTES // step + 2):
            reader.feed(b"a" * step)
            assert len(reader.pending) <= limits.CHUNK_EXTENSION_BYTES + 100

    with pytest.raises(BadRequestError, match="chunk"):
        flood()


def test_a_body_that_the_end_of_the_connection_ends_is_whole_only_then():
    reader = reader_for(UNTIL_CLOSE)
    assert reader.feed(b"abc") == b"abc"
    assert not reader.done
    assert reader.at_eof()
    assert reader.done
