"""Fourth phase, for streams that are passed on as they are: to the byte, and counted where they tell of an error.

A stream is not read for it: that would cost each event its decoding. Each piece is asked whether a certain word is in
it; only lines that have it are decoded. So errors are found wherever a server may say them, and what is only a word of
an answer is none. Whether such a stream was complete in the eyes of its dialect is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepdown.plane.relay import Relay
from stepdown.plane.streaming import complete, ending
from stepdown.wire import ResponseHead
from stepdown_adapters.stream import Ending, Event, read
from stepdown_adapters.stream.signals import Choices, Signal, error_of

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan

LINE_BYTES = 16 * 1024
"""A line that is longer is not looked at where it comes in pieces; errors are short."""


class WatchedRelay(Relay):
    """Passes a stream on, and counts it as failed where it tells of an error, or is cut."""

    __slots__ = ("_begun", "_last", "_open", "_plan")

    def __init__(self, exchange: Exchange, plan: Plan, head: ResponseHead) -> None:
        super().__init__(exchange, head, plan.lines)
        self._plan = plan
        self._begun = b""
        """A line that has not ended yet."""
        self._last = b""
        """The piece that came last and says anything."""
        self._open = True
        """Nothing was counted yet."""

    def on_body(self, payload: bytes) -> None:
        """Pass a piece on, and look whether it tells of an error."""
        super().on_body(payload)
        if not self._open:
            return
        if self._begun:
            payload = self._begun + payload
            self._begun = b""
        if not payload.isspace():
            self._last = payload
        if may_tell_of_an_error(payload) and tells_of_an_error(payload):
            self._fail("error")
        elif not payload.endswith(b"\n"):
            begun = payload[payload.rfind(b"\n") + 1 :]
            self._begun = begun if len(begun) <= LINE_BYTES else b""

    def drop(self) -> None:
        """It will not be whole, unless it has said itself that it is, and only its framing lacks an end."""
        if not self._open:
            return
        if says_that_it_ends(self._last):
            complete(self._exchange)
            if self._exchange.counted is not None:
                self._exchange.counted.stream_failed = False
        elif ending(self._exchange) is Ending.BROKEN:
            self._fail("cut")

    def _fail(self, reason: str) -> None:
        self._open = False
        self._plan.count_stream_failure(reason)
        if self._exchange.counted is not None:
            self._exchange.counted.stream_failed = True


def may_tell_of_an_error(piece: bytes) -> bool:
    """Whether a line of these may do: every dialect's errors have this word, that of `response.failed` as a member."""
    return b"error" in piece


def says_that_it_ends(piece: bytes | bytearray) -> bool:
    """Whether a dialect's end is in these bytes, which came last."""
    return any(mark in piece for mark in _ENDS)


_ENDS = (
    *(b"data: [DONE]", b"data:[DONE]", b'"message_stop"', b'"response.completed"', b'"response.incomplete"'),
    *(b'"done":true', b'"done": true'),
)


def tells_of_an_error(lines: bytes) -> bool:
    """Whether a line of a stream says that the server has failed."""
    for line in lines.splitlines():
        name, colon, value = line.partition(b":")
        if name == b"event" and colon:
            if value.strip() == b"error":
                return True
        elif may_tell_of_an_error(line):
            said = read(Event(data=value if name == b"data" else line))
            if error_of(said) is not None or _finished_badly(said.document):
                return True
    return False


def _finished_badly(document: object) -> bool:
    return isinstance(document, dict) and Choices().signal(document) is Signal.ERROR
