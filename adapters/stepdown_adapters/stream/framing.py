"""What all framings of streams share: events that keep their bytes, and a reader that is fed as bytes arrive.

A reader cuts a stream into *events*, each with all of its bytes, so that the events' `raw` in a row is the stream to
the byte. Where the bytes were cut on their way never shows: the same stream gives the same events. Memory is bounded by
`limit`, and time is linear in the stream however it is cut, for what was searched once is not searched again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from stepdown_adapters.errors import AdaptersError

LIMIT = 1 << 20
"""Bytes of the longest event, unless said otherwise."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a server-sent stream, or one line of newline-delimited JSON.

    What has no `data` is no event to a client, but may matter on the way: a comment keeps a connection alive, an `id`
    or `retry` alone changes how a client reconnects, and an empty line is a byte that has to be passed on.
    """

    raw: bytes = b""
    """The bytes that it arrived as, its end included; empty for an event that was made here."""
    data: bytes | None = None
    """The payload, several lines joined by a newline; `None` where there was no such field."""
    event: str = ""
    """The type; empty where there was none, which clients take as `message`."""
    id: str | None = None
    """The id that a client would reconnect with."""
    retry: int | None = None
    """Milliseconds that a client is to wait before it reconnects."""
    comments: tuple[bytes, ...] = ()
    """Lines that clients ignore, without their colon and the space behind it."""
    cut: bool = False
    """The stream ended before the event did."""

    def with_data(self, data: bytes) -> Event:
        """The same event with another payload; it no longer has the bytes that it arrived as."""
        return Event(b"", data, self.event, self.id, self.retry, self.comments)


class EventTooLongError(AdaptersError):
    """An event is longer than the reader's limit; what follows in the stream cannot be read.

    `before` are the events that were complete before it in the bytes of this call: they are good, and not lost.
    """

    def __init__(self, limit: int, before: tuple[Event, ...] = ()) -> None:
        super().__init__(f"an event of the stream is longer than {limit} bytes")
        self.limit = limit
        self.before = before


class Reader(ABC):
    """Cuts one stream into events, as its bytes arrive."""

    __slots__ = ("_limit", "_partial", "_refused", "_searched")

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        # Per stream: an event that has begun, and how much of it holds no end for certain.
        self._partial = bytearray()
        self._searched = 0
        self._refused = False

    @property
    def pending(self) -> int:
        """Bytes of an event that has begun and not ended: what the reader holds."""
        return len(self._partial)

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete; raises `EventTooLongError`, and nothing else."""
        if self._refused:
            raise EventTooLongError(self._limit)
        partial = self._partial
        if partial:
            partial += chunk
            return self._cut(partial, self._searched)
        return self._cut(chunk, 0)

    def close(self) -> Event | None:
        """The event that the stream ended in, or `None` where it ended between events.

        It is marked as `cut`, and has all the bytes that are left. Browsers would drop it; servers that forget the last
        empty line are common enough that nobody else should.
        """
        left = bytes(self._partial)
        self._partial = bytearray()
        self._searched = 0
        return self._event(left, cut=True) if left else None

    def _cut(self, buffer: bytes | bytearray, searched: int) -> list[Event]:
        events: list[Event] = []
        limit = self._limit
        size = len(buffer)
        start = 0
        end = self._end(buffer, 0, searched) if size else -1
        while end > 0 and end - start <= limit:
            events.append(self._event(bytes(buffer[start:end])))
            start = end
            end = self._end(buffer, start, start) if start < size else -1
        if end > 0 or size - start > limit:
            self._partial = bytearray()
            self._refused = True
            raise EventTooLongError(limit, tuple(events))
        self._searched = size - start
        if buffer is not self._partial:
            self._partial += buffer[start:]
        elif start:
            self._partial = buffer[start:]  # a new one, since a buffer that was once large would stay so
        return events

    @abstractmethod
    def _end(self, buffer: bytes | bytearray, start: int, searched: int) -> int:
        """Where the event that begins at `start` ends, or -1; that there is no end before `searched` is known."""

    @abstractmethod
    def _event(self, raw: bytes, cut: bool = False) -> Event:
        """What these bytes say."""
