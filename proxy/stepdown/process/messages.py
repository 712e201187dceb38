"""What a worker and the controller say to each other, and how it is framed: no I/O.

A frame is a length of four bytes (big-endian, of what follows), one byte of version, and one message as MessagePack
with its type's name in it. A frame that is too long, of another version, or that does not decode to a message which the
reader expects ends the conversation: the two ends are processes of one release, so there is nothing to negotiate.

    controller -> worker                     worker -> controller
                                             Hello (first, with what it serves with)
    Prepare (a specification)                Prepared, or Refused with the reason
    Activate (what was prepared)             Activated
    Health (what the probes say)
    StatusRequest                            Status
                                             FlagQuestions (about flags of a provider)
    FlagAnswers
    FlagsChanged
                                             Evidence (of a rollout; also from the comparer)
    EvidenceTaken
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from stepdown.decide.flag_questions import Answer, Question
from stepdown.rollout.batch import Batch, Cell, Counts, Sighting

VERSION = 1
_LENGTH = 4

TO_WORKER_BYTES = 64 * 1024 * 1024
"""Longest frame that a worker reads: a whole specification with its contracts."""
TO_CONTROLLER_BYTES = 4 * 1024 * 1024


class ChannelError(Exception):
    """The peer's bytes are no conversation that this release understands."""


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all messages."""


class Hello(Message, frozen=True):
    """A worker's first words on every new channel."""

    index: int
    pid: int
    digest: str
    """What it serves with."""


class Prepare(Message, frozen=True):
    """Compile this, and keep serving with what you have."""

    ticket: int
    encoded: bytes


class Prepared(Message, frozen=True):
    """It compiles."""

    ticket: int
    digest: str


class Refused(Message, frozen=True):
    """It does not compile or was never prepared; nothing changed."""

    ticket: int
    finding: str


class Activate(Message, frozen=True):
    """Serve with what was prepared under this digest from now on."""

    ticket: int
    digest: str


class Activated(Message, frozen=True):
    """Requests that start now are served with this."""

    ticket: int
    digest: str


class Health(Message, frozen=True):
    """What active probes say: by `model/version/endpoint-id`, whether it may get requests."""

    states: dict[str, bool]


class StatusRequest(Message, frozen=True):
    """How are you?"""

    ticket: int


class Status(Message, frozen=True):
    """`Plane.status()`."""

    ticket: int
    report: dict[str, Any]


class FlagQuestions(Message, frozen=True):
    """What does the provider say?"""

    questions: tuple[Question, ...]


class FlagAnswers(Message, frozen=True):
    """To some of what was asked, in the order in which it was found out."""

    answers: tuple[Answer, ...]


class FlagsChanged(Message, frozen=True):
    """What the provider said before may be wrong by now."""


class Evidence(Message, frozen=True):
    """A batch (`rollout.batch.Batch`); it is sent again, as it is, until it was taken."""

    rollout: str
    run: int
    source: str
    sequence: int
    sightings: tuple[Sighting, ...] = ()
    deltas: tuple[tuple[Cell, Counts], ...] = ()


class EvidenceTaken(Message, frozen=True):
    """The store has the batch, or the run takes nothing any more: send the next one."""

    rollout: str
    run: int
    source: str
    sequence: int


def evidence(batch: Batch) -> Evidence:
    """A batch as it is sent."""
    return Evidence(
        rollout=batch.rollout,
        run=batch.run,
        source=batch.source,
        sequence=batch.sequence,
        sightings=tuple(batch.sightings),
        deltas=tuple(batch.deltas.items()),
    )


ToWorker = Prepare | Activate | Health | StatusRequest | FlagAnswers | FlagsChanged | EvidenceTaken
ToController = Hello | Prepared | Refused | Activated | Status | FlagQuestions | Evidence

Incoming = TypeVar("Incoming", bound=Message)

_ENCODER = msgspec.msgpack.Encoder()


def frame(message: Message) -> bytes:
    """The message as it travels."""
    body = _ENCODER.encode(message)
    return (len(body) + 1).to_bytes(_LENGTH, "big") + bytes([VERSION]) + body


class Reader(Generic[Incoming]):
    """Turns bytes, however they were cut, back into messages."""

    def __init__(self, expected: Any, limit: int) -> None:
        """`expected` is `ToWorker` or `ToController`; `limit` is the longest frame in bytes."""
        self._decoder: msgspec.msgpack.Decoder[Incoming] = msgspec.msgpack.Decoder(expected)
        self._limit = limit
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Incoming]:
        """The messages that are complete now.

        Raises:
            ChannelError: too long, another version, or no message that is expected here.
        """
        self._pending += data
        while len(self._pending) > _LENGTH:
            length = int.from_bytes(self._pending[:_LENGTH], "big")
            if not 1 < length <= self._limit:
                raise ChannelError(f"a frame of {length} bytes, where 2 to {self._limit} are allowed")
            if self._pending[_LENGTH] != VERSION:
                raise ChannelError(f"version {self._pending[_LENGTH]}, where {VERSION} is spoken")
            if len(self._pending) < _LENGTH + length:
                return
            body = bytes(self._pending[_LENGTH + 1 : _LENGTH + length])
            del self._pending[: _LENGTH + length]
            try:
                message = self._decoder.decode(body)
            except (msgspec.DecodeError, ValueError) as error:
                raise ChannelError(f"no message: {error}") from error
            yield message
