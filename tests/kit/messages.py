"""Reads messages from bytes with `wire` alone, without any I/O: the smallest user that `wire` can have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stepdown.errors import StepdownError
from stepdown.wire import RequestHead, ResponseHead, parse_request, parse_response, reader_for


@dataclass
class Message:
    """One request or answer, as far as it got."""

    head: RequestHead | ResponseHead
    body: bytes
    complete: bool
    rest: bytes = b""
    """What came after it."""


def bytewise(raw: bytes) -> Iterator[bytes]:
    """Single bytes."""
    return (raw[place : place + 1] for place in range(len(raw)))


def cut(raw: bytes, places: Iterable[int]) -> list[bytes]:
    """`raw` in pieces, cut at `places` (any order, taken modulo its length)."""
    edges = sorted({place % (len(raw) + 1) for place in places} | {0, len(raw)})
    return [raw[start:end] for start, end in itertools.pairwise(edges)]


def head_of(raw: bytes) -> tuple[bytes, bytes]:
    """Raw head with its blank line, and the rest; all of it is head where there is no blank line."""
    end = raw.find(b"\r\n\r\n")
    return (raw[: end + 4], raw[end + 4 :]) if end >= 0 else (raw, b"")


def read_request(raw: bytes, pieces: Iterable[bytes] | None = None) -> Message:
    """The first request in `raw`, its body fed in `pieces`; raises what `wire` raises."""
    head, rest = head_of(raw)
    return _read(parse_request(head), [rest] if pieces is None else pieces)


def read_response(raw: bytes, method: bytes = b"POST", pieces: Iterable[bytes] | None = None) -> Message:
    """The first answer in `raw`."""
    head, rest = head_of(raw)
    return _read(parse_response(head, method), [rest] if pieces is None else pieces)


def _read(head: RequestHead | ResponseHead, pieces: Iterable[bytes]) -> Message:
    reader = reader_for(head.length)
    body, rest = bytearray(), bytearray()
    for piece in pieces:
        if reader.done:
            rest += piece
        else:
            body += reader.feed(piece)
            rest += reader.rest
    return Message(head, bytes(body), reader.done, bytes(rest))


def read_requests(raw: bytes, limit: int = 10_000) -> tuple[list[Message], StepdownError | None]:
    """All requests of a pipeline, and the error that ended it, if one did."""
    messages: list[Message] = []
    while raw and len(messages) < limit:
        try:
            message = read_request(raw)
        except StepdownError as error:
            return messages, error
        messages.append(message)
        if not message.complete:
            break
        raw = message.rest
    return messages, None
