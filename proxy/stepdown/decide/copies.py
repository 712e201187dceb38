"""How a copy of a request, and later of its answer, is written down for the comparer.

A worker hands over a `Copy` when a request's body is complete, without waiting for an answer, and an `Answer` with the
same id when the exchange has ended. Both travel through the ring of samples (`checks`); the first byte of a record says
which of the three it is. A copy whose answer never comes, because there was no room for it, is let go of after a while.
"""

from __future__ import annotations

import struct
from typing import TypeVar

import msgspec

SAMPLE, COPY, ANSWER = b"\x01", b"\x02", b"\x03"
"""First bytes of records."""

_LENGTH = struct.Struct("<I")


class Copy(msgspec.Struct, frozen=True, array_like=True, kw_only=True, omit_defaults=False):
    """A request as its client sent it, and what was decided about it."""

    id: int
    """Unique in its worker's ring for as long as anybody remembers."""
    digest: str
    """Of the specification that decided, by whose route and model everything else is known."""
    route: str
    rule: str
    pinned: str
    assigned: str
    served: str
    reason: str
    shadows: tuple[int, ...]
    """Places in the route's `shadows`, of those that get it."""
    recorded: bool
    """It is one of the route's recording."""
    at: float
    """Unix seconds."""
    client: str
    """The address of the client, as the route's decisions see it."""
    key: str
    """Hex digest (16 digits) of the sticky key with its source; empty where there is none."""
    params: tuple[bytes, ...]
    """Parts of the path, by the route's template."""
    head: bytes
    """The request's line and fields as they were read."""


class Answer(msgspec.Struct, frozen=True, array_like=True, kw_only=True, omit_defaults=False):
    """What became of a request whose copy was handed over."""

    id: int
    served: str
    """The version whose server answered at last; empty where none did."""
    outcome: str
    """`plane.plan.OUTCOMES`: `adapted` means that the client got the body stepped down to the pinned shape."""
    status: int
    """What the client got to see; 0 where the client left before there was an answer."""
    error: str
    """The problem of an answer that Stepdown made itself, or of one that was cut; empty where all went well."""
    elapsed: int
    """Nanoseconds from the request to the end of its answer."""
    upstream: int
    """Nanoseconds of them that the server took."""
    missing: str
    """Why the body is not here although there was one: `too-large`, `full`, `cut`; empty where it is here.

    A stream that was cut after its own end, as it seems, has its body all the same (`comparer.endings`)."""
    head: bytes
    """Status line and fields as the server sent them; empty where no server answered."""


def copy(about: Copy) -> bytes:
    """All of a copy but the request's body, which follows."""
    return _head(COPY, about)


def answer(about: Answer) -> bytes:
    """All of an answer but its body as the server sent it, framing taken off, codings left on; that follows."""
    return _head(ANSWER, about)


def parse_copy(record: bytes) -> tuple[Copy, bytes]:
    """Inverse of `copy(...) + body`; raises `ValueError` on anything else."""
    return _parse(_COPIES, COPY, record)


def parse_answer(record: bytes) -> tuple[Answer, bytes]:
    """Inverse of `answer(...) + body`; raises `ValueError` on anything else."""
    return _parse(_ANSWERS, ANSWER, record)


Record = TypeVar("Record")

_ENCODER = msgspec.msgpack.Encoder()
_COPIES = msgspec.msgpack.Decoder(Copy)
_ANSWERS = msgspec.msgpack.Decoder(Answer)


def _head(kind: bytes, about: Copy | Answer) -> bytes:
    encoded = _ENCODER.encode(about)
    return kind + _LENGTH.pack(len(encoded)) + encoded


def _parse(decoder: msgspec.msgpack.Decoder[Record], kind: bytes, record: bytes) -> tuple[Record, bytes]:
    start = len(kind) + _LENGTH.size
    if record[: len(kind)] != kind or len(record) < start:
        raise ValueError("no record of this kind")
    (length,) = _LENGTH.unpack_from(record, len(kind))
    if len(record) < start + length:
        raise ValueError("the record is cut")
    return decoder.decode(record[start : start + length]), record[start + length :]
