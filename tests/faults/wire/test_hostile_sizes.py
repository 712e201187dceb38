"""Input made to be expensive is refused after as much work as it has bytes, whatever it repeats."""

from __future__ import annotations

import sys

import pytest

from stepdown.errors import BadRequestError, BadResponseError
from stepdown.wire import CHUNKED, parse_request, parse_response, reader_for

LONG = 60_000


def work(function, *arguments) -> int:
    """Lines of Python that a call runs: a measure of work that does not depend on the machine."""
    lines = [0]

    def trace(_frame, event, _argument):
        lines[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    except (BadRequestError, BadResponseError):
        pass
    finally:
        sys.settrace(before)
    return lines[0]


HEADS = {
    "one-value": b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n",
    "no-colon": b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n",
    "one-name": b"GET / HTTP/1.1\r\nHost: a\r\n%b: 1\r\n\r\n",
    "method": b"%b / HTTP/1.1\r\nHost: a\r\n\r\n",
    "host": b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n",
    "length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\n\r\n",
    "connection": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: %b\r\n\r\n",
    "coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %b\r\n\r\n",
}


@pytest.mark.parametrize("filler", [b"a", b"1", b" ", b"\t", b",", b"a,", b"=", b"\x80", b"\r", b"\n", b"\0"])
@pytest.mark.parametrize("name", HEADS)
def test_a_head_of_one_repeated_byte_is_read_or_refused_in_no_more_steps_than_it_has_bytes(name, filler):
    raw = HEADS[name] % (filler * (LONG // len(filler)))
    assert work(parse_request, raw) < 3000 + LONG


@pytest.mark.parametrize("filler", [b"a", b" ", b"\x80", b"\r", b"\n", b"\0"])
def test_so_is_an_answers_head(filler):
    for raw in (b"HTTP/1.1 200 %b\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n", b"%b\r\n\r\n"):
        assert work(parse_response, raw % (filler * LONG), b"GET") < 3000


def test_many_small_chunks_cost_a_bounded_number_of_steps_each():
    count = 2000
    wire = b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    assert work(reader_for(CHUNKED).feed, wire) < 60 * count


def test_a_nesting_of_commas_in_connection_does_not_multiply():
    small = work(parse_request, HEADS["connection"] % (b"a," * 1000))
    large = work(parse_request, HEADS["connection"] % (b"a," * 20_000))
    assert large < 30 * small
