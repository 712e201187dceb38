"""The one output function: nothing that passes it can end a line, so nothing computed can split a message."""

from __future__ import annotations

import pytest

from stepdown.wire import serialise
from stepdown.wire.serialise import STATUS_LINES, chunk, field


@pytest.mark.parametrize("byte", [*range(32), 127])
def test_a_control_byte_in_a_value_is_refused(byte):
    value = b"a" + bytes([byte]) + b"b"
    if byte == 9:
        assert field(b"X", value) == b"X: a\tb\r\n"
        return
    with pytest.raises(ValueError, match="control byte"):
        field(b"X", value)
    with pytest.raises(ValueError, match="control byte"):
        field("X", value.decode("latin-1"))


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: evil=1", "a\n", "\r", "\0", " a", "\ta"])
def test_a_value_cannot_begin_a_new_line_or_with_a_blank(value):
    with pytest.raises(ValueError, match="control byte or leading"):
        field("X", value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "a\0", "(a)"])
def test_a_name_is_a_token(name):
    with pytest.raises(ValueError, match="no field name"):
        field(name, "x")


@pytest.mark.parametrize(("name", "value"), [("é", "x"), ("X", "€"), ("X", "a\u2028b")])
def test_text_that_is_no_latin_1_is_refused(name, value):
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError is the ValueError meant
        field(name, value)


def test_an_empty_value_and_eight_bit_text_are_fine():
    assert field("X", "") == b"X: \r\n"
    assert field("X", "café") == b"X: caf\xe9\r\n"


def test_every_status_has_a_line_that_was_not_written_by_an_upstream():
    assert STATUS_LINES[200] == b"HTTP/1.1 200 OK\r\n"
    assert STATUS_LINES[299] == b"HTTP/1.1 299 Unknown\r\n"
    assert all(line.count(b"\r\n") == 1 and line.endswith(b"\r\n") for line in STATUS_LINES)


def test_empty_content_makes_no_chunk_since_that_would_end_the_body():
    assert chunk(b"") == b""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert serialise.LAST_CHUNK == b"0\r\n\r\n"
