"""Bodies, framed by our own rules: a counter, a strict decoder of chunks, and an end-of-file flag.

A reader is fed bytes as they arrive and says how many of them belong to the body. It keeps its own completeness flag,
so a connection that ends early is never mistaken for a message that has ended:

    reader.feed(data) -> payload            bytes of content found in `data`
    reader.done                             the body is complete; `reader.rest` holds what came after it
    reader.at_eof() -> bool                 whether an end of file here is a proper end

Chunk framing is never relayed: extensions and trailers are read within bounds and dropped, and what goes on is framed
anew by `serialise.chunk`.
"""

from __future__ import annotations

import re
from typing import Protocol

from stepdown.errors import BadRequestError
from stepdown.wire import limits
from stepdown.wire.request import CHUNKED
from stepdown.wire.response import UNTIL_CLOSE


class FramingError(BadRequestError):
    """Chunk framing that two parsers could read differently."""


class BodyReader(Protocol):
    """What the data plane needs of a body, whatever its framing."""

    done: bool
    rest: bytes

    def feed(self, data: bytes) -> bytes:
        """Content in `data`; sets `done` and `rest` when the body ends within it."""
        ...

    def at_eof(self) -> bool:
        """Whether the connection may end here."""
        ...


def reader_for(length: int) -> BodyReader:
    """The reader for a head's `length`."""
    if length == CHUNKED:
        return ChunkedReader()
    if length == UNTIL_CLOSE:
        return UntilCloseReader()
    return LengthReader(length)


class LengthReader:
    """A body of known length."""

    __slots__ = ("done", "left", "rest")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take up to what is left."""
        left = self.left
        size = len(data)
        if size < left:
            self.left = left - size
            return data
        self.left = 0
        self.done = True
        if size == left:
            return data
        self.rest = data[left:]
        return data[:left]

    def at_eof(self) -> bool:
        """Only a complete body may end."""
        return self.done


class UntilCloseReader:
    """A body that the end of the connection ends; whether it was cut nobody can tell."""

    __slots__ = ("done", "rest")

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """All of it is content."""
        return data

    def at_eof(self) -> bool:
        """The end of file is the end."""
        self.done = True
        return True


# A chunk's first line. Extensions are any visible text in which no CR, LF or control byte can hide, since the line has
# to end with exactly CRLF. (RFC 9112 section 7.1.1 allows quoted strings; a quoted CRLF is what "funky chunks" are.)
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*+;[\t\x20-\x7e\x80-\xff]*+)?)\r\n")
_TRAILER_LINE = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+)?\r\n")
_LONGEST_SIZE_LINE = limits.CHUNK_DIGITS + limits.CHUNK_EXTENSION_BYTES + 2

_SIZE, _DATA, _DATA_END, _TRAILER = range(4)


class ChunkedReader:
    """A strict decoder of the chunked coding (RFC 9112 section 7.1)."""

    __slots__ = ("done", "extension_bytes", "left", "pending", "rest", "state", "trailer_bytes")

    def __init__(self) -> None:
        self.state = _SIZE
        self.left = 0
        """Bytes missing of the current chunk's data."""
        self.pending = b""
        """The beginning of a line whose end has not arrived."""
        self.extension_bytes = 0
        self.trailer_bytes = 0
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """Content found in `data`; raises `FramingError` (400, or 413 for an absurd size)."""
        if self.pending:
            data = self.pending + data
            self.pending = b""
        pieces: list[bytes] = []
        position, size = 0, len(data)
        while position < size and not self.done:
            if self.state == _DATA:
                piece = data[position : position + self.left]
                pieces.append(piece)
                position += len(piece)
                self.left -= len(piece)
                if not self.left:
                    self.state = _DATA_END
                continue
            end = data.find(b"\n", position) + 1
            if not end:
                self._keep(data[position:])
                break
            self._line(data[position:end])
            position = end
        if self.done:
            self.rest = data[position:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def at_eof(self) -> bool:
        """Only after the last chunk and the trailer section."""
        return self.done

    def _keep(self, tail: bytes) -> None:
        if self.state == _DATA_END and tail != b"\r":
            raise FramingError("A chunk's data is not followed by CRLF")
        if len(tail) > _LONGEST_SIZE_LINE:
            raise FramingError("A line of the chunked coding is too long")
        if self.state == _SIZE and _BAD_SIZE_START.match(tail):
            raise FramingError("A chunk size is no hexadecimal number")
        self.pending = tail

    def _line(self, line: bytes) -> None:
        if self.state == _SIZE:
            self._size_line(line)
        elif self.state == _DATA_END:
            if line != b"\r\n":
                raise FramingError("A chunk's data is not followed by CRLF")
            self.state = _SIZE
        else:
            self._trailer_line(line)

    def _size_line(self, line: bytes) -> None:
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise FramingError("A chunk does not begin with `size CRLF`")
        self.extension_bytes += len(match[2])
        if self.extension_bytes > limits.CHUNK_EXTENSION_BYTES:
            raise FramingError("Too many bytes of chunk extensions")
        self.left = int(match[1], 16)
        if self.left > limits.BODY_BYTES:
            raise FramingError("A chunk is larger than any body", status=413)
        self.state = _DATA if self.left else _TRAILER

    def _trailer_line(self, line: bytes) -> None:
        self.trailer_bytes += len(line)
        if self.trailer_bytes > limits.TRAILER_BYTES:
            raise FramingError("The trailer section is too long")
        if _TRAILER_LINE.fullmatch(line) is None:
            raise FramingError("A trailer line is not `name: value`")
        self.done = line == b"\r\n"


_BAD_SIZE_START = re.compile(rb"[^0-9A-Fa-f]|[0-9A-Fa-f]{17}")
