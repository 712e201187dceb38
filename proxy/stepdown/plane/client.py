"""One client's connection: heads collected and parsed, bodies framed, answers written in order, one exchange at a time.

Reading goes on while an exchange runs, since a paused socket would not tell that the client has left; what a client
sends ahead (the next requests of a pipeline) is kept, up to a bound, and only then is reading paused.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from stepdown.errors import BadRequestError, OverloadedError, RequestTimeoutError, StepdownError
from stepdown.plane import account, problems
from stepdown.plane.clock import NEVER
from stepdown.plane.exchange import Exchange
from stepdown.plane.outgoing import request_origin
from stepdown.wire import BodyReader, HeadMemory, RequestHead, limits, parse_request, reader_for, serialise
from stepdown.wire.diagnose import explain_overflow, partial_fault

if TYPE_CHECKING:
    from stepdown.plane.plane import Plane

WRITE_HIGH_WATER = 64 * 1024
AHEAD_BYTES = 64 * 1024
"""What is kept of requests that come before it is their turn."""
DISCARD_BYTES = 64 * 1024 * 1024
DISCARD_SECONDS = 2.0
"""How much, and how long, is still read after a final answer, so that its last bytes are not lost to a reset.

Most HTTP libraries read an answer only after they have sent their whole body: who refuses a body has to take it.
"""
STALL_CHECKS = 15
"""Times that long a last answer may stand still in the socket before its connection is given up."""
_CR = 13
_RESET = struct.pack("ii", 1, 0)


class ClientConnection(asyncio.Protocol):
    """A client's connection and its current exchange."""

    __slots__ = (
        "_ahead",
        "_discard",
        "_patience",
        "_paused",
        "_reader",
        "_started_head",
        "_unsent",
        "budget",
        "clock",
        "closing",
        "deadline",
        "exchange",
        "full",
        "may_explain",
        "memory",
        "offload",
        "origin_lines",
        "outbox",
        "peer",
        "plane",
        "transport",
    )

    def __init__(self, plane: Plane) -> None:
        # for the process
        self.plane = plane
        self.clock = plane.clock
        self.budget = plane.budget
        self.offload = plane.offload
        self.outbox = plane.outbox
        # for the connection
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.peer = ""
        self.origin_lines = b""
        self.may_explain = False
        self.memory = HeadMemory()
        self.deadline = NEVER
        self.full = False
        """The client reads slowly: more is written than the socket took."""
        self.closing = False
        """No further request is read: the next answer is the last one."""
        self._paused = False
        self._discard = -1
        """Bytes that may still be thrown away after the last answer; -1 before it."""
        self._unsent = 0
        self._patience = 0
        # for the request
        self.exchange: Exchange | None = None
        self._ahead = bytearray()
        self._started_head = False
        self._reader: BodyReader | None = None

    # --- what the exchange does -------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Write a part of an answer."""
        self.outbox.write(self.transport, data)

    def wait(self, seconds: float) -> None:
        """Wait at most this long for what comes next; 0 is no limit."""
        self.deadline = self.clock.now + seconds if seconds else NEVER

    def send_continue(self) -> None:
        """Tell the client to send the body: route and limits allow it."""
        if self.exchange is not None:
            self.exchange.head.expect = False  # once is enough
        self.write(serialise.CONTINUE)

    def pause(self) -> None:
        """Stop reading the request's body for a while."""
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and len(self._ahead) <= AHEAD_BYTES:
            self._paused = False
            self.transport.resume_reading()

    def origin(self, head: RequestHead) -> bytes:
        """The X-Forwarded-* and Via lines for a request of this client."""
        if head.ordinary and not self.plane.runtime.trusted_hops:
            return self.origin_lines
        return request_origin(head, self.peer.encode("ascii"), b"http", self.plane.runtime.trusted_hops)

    def done(self, close: bool) -> None:
        """The exchange has ended; go on with the next request, or close after the answer."""
        self.plane.active -= 1
        self.exchange = None
        if close or self.closing:  # a drain may have begun after the answer's head was sent
            self._close_after_answer()
            return
        self.deadline = self.clock.now + self.plane.keep_alive
        if self._ahead and not self.full:
            self._next()

    def cut(self, *, reset: bool) -> None:
        """End in the middle of an answer: what was sent goes out, and the end is not a proper one.

        `reset` where the end of the connection would end the body: only a reset tells a cut one from a whole one.
        """
        self.exchange = None
        self.plane.active -= 1
        self.closing = True
        self.outbox.flush()
        if reset:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self.transport.close()
            self._leave()

    # --- what the loop calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away where the limit is reached."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else "unix"
        self.may_explain = self.plane.runtime.may_explain(self.peer)
        self.origin_lines = b"via: 1.1 stepdown\r\nx-forwarded-for: %b\r\nx-forwarded-proto: http\r\n" % (
            self.peer.encode("ascii")
        )
        self.deadline = self.clock.now + self.plane.runtime.client_timeouts.keep_alive
        if not self.plane.joined(self):
            self.refuse(OverloadedError("The sidecar has no room for more connections", retry_after=1), b"")

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, or of requests whose turn has not come."""
        if self._discard >= 0:
            self._throw_away(len(data))
        elif self.exchange is None:
            if self._started_head:
                self._more_of_head(data)
            elif self._ahead:
                self._keep(data)
                if not self.full:
                    self._next()
            else:
                self._take(data)
        elif self._reader is not None:
            self._body(self.exchange, data)
        else:
            self._keep(data)

    def eof_received(self) -> bool:
        """The client has closed its side, which for HTTP clients means that it is gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: so is whatever was done for it."""
        exchange, self.exchange = self.exchange, None
        self.deadline = NEVER
        self.plane.left(self)
        if exchange is not None:
            self.plane.active -= 1
            exchange.on_client_gone()

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self.full = True
        if self.exchange is not None:
            self.exchange.on_client_full()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.full = False
        if self.exchange is not None:
            self.exchange.on_client_drained()
        elif self._ahead and self._discard < 0:
            self._next()

    # --- requests ---------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        """Go on with what came ahead."""
        data = bytes(self._ahead)
        self._ahead.clear()
        self._take(data)
        self.resume()

    def _take(self, data: bytes) -> None:
        """Begin exchanges with the requests in `data` until one has to wait; keep the rest."""
        while True:
            if data[0] == _CR:
                data = _without_empty_lines(data)
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                self._partial(data)
                return
            if end > limits.HEAD_BYTES:
                self.refuse(explain_overflow(data[:end]), data)
                return
            try:
                raw = data[:end]
                head = self.memory.recall(raw)
                if head is None:
                    head = parse_request(raw)
                    self.memory.learn(head)
                data = self._begin(head, data, end)
            except BadRequestError as error:
                self.refuse(error, data)
                return
            if not data or self.closing:
                return
            if self.exchange is not None or self.full:
                self._keep(data)  # where the answers of a pipeline are not read, its requests are not either
                return

    def _keep(self, data: bytes) -> None:
        """Put what is not due yet aside, and stop reading when that is too much."""
        self._ahead += data
        if len(self._ahead) > AHEAD_BYTES:
            self.pause()

    def _partial(self, data: bytes) -> None:
        """A head that has not ended: wait for it, within its limits."""
        self._ahead += data
        self._started_head = True
        self.deadline = self.clock.now + self.plane.runtime.client_timeouts.request_head
        self._check_partial(0)

    def _more_of_head(self, data: bytes) -> None:
        """Look for a head's end only where it can be: heads that come byte by byte cost no more than others."""
        before = len(self._ahead)
        self._ahead += data
        if self._ahead.find(b"\r\n\r\n", max(0, before - 3)) >= 0:
            self._started_head = False
            self._next()
        else:
            self._check_partial(before)

    def _check_partial(self, before: int) -> None:
        error = partial_fault(self._ahead, before)
        if error is not None:
            self._started_head = False
            self.refuse(error, self._ahead)

    def _begin(self, head: RequestHead, data: bytes, start: int) -> bytes:
        """Start an exchange, whose body begins at `start` of `data`; what follows the request there is returned."""
        plane = self.plane
        length = head.length
        stop = start + length
        complete = True
        if length >= 0 and len(data) >= stop:
            payload = data[start:stop]
            rest = data[stop:]
        else:
            reader = reader_for(length)
            payload = reader.feed(data[start:])
            complete, rest = reader.done, reader.rest
            if not complete:
                self._reader = reader
                self.resume()
        if head.close:
            self.closing = True
        plane.active += 1
        exchange = self.exchange = Exchange(self, plane.runtime, head, payload, complete)
        exchange.begin()
        return rest

    def _body(self, exchange: Exchange, data: bytes) -> None:
        reader = self._reader
        assert reader is not None
        try:
            payload = reader.feed(data)
        except BadRequestError as error:
            self.closing = True
            exchange.fail(error)
            return
        if reader.done:
            self._reader = None
            self._ahead += reader.rest
        exchange.on_request_body(payload, reader.done)

    # --- ends -------------------------------------------------------------------------------------------------------

    def refuse(self, error: StepdownError, raw: bytes | bytearray) -> None:
        """Answer bytes that are no request, and close."""
        self.plane.count_malformed(error)
        answer = problems.render(error, "problem", b"", close=True, head_only=False)
        account.malformed(self, error, bytes(raw[: limits.TARGET_BYTES]), len(answer))
        self.write(answer)
        self._close_after_answer()

    def _close_after_answer(self) -> None:
        """Close once the answer is out; until then read and throw away, or the client might see a reset instead."""
        self.closing = True
        self._ahead.clear()
        self._leave()
        self.outbox.flush()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def _leave(self) -> None:
        """Nothing more is read or answered; what is written may go out as long as the client takes it."""
        self._discard = DISCARD_BYTES
        self._unsent = 0
        self._patience = STALL_CHECKS
        self.deadline = self.clock.now + DISCARD_SECONDS

    def _check_leaving(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._patience = STALL_CHECKS if unsent != self._unsent else self._patience - 1
        if not unsent or self._patience <= 0:
            self.transport.abort()
            return
        self._unsent = unsent
        self.deadline = self.clock.now + DISCARD_SECONDS

    def _throw_away(self, size: int) -> None:
        self._discard -= size
        if self._discard < 0:
            self.transport.abort()

    def overdue(self, now: float) -> bool:
        """Whether what is waited for, or the whole exchange, is late."""
        return self.deadline <= now or (self.exchange is not None and self.exchange.whole_deadline <= now)

    def on_deadline(self) -> None:
        """What was waited for has not come in time."""
        self.deadline = NEVER
        if self._discard >= 0:
            self._check_leaving()
        elif self.exchange is not None:
            self.exchange.on_deadline()
        elif self._started_head:
            self.refuse(RequestTimeoutError("The request's head did not arrive in time"), self._ahead)
        else:
            self.transport.close()
            self._leave()  # an answer that nobody reads would keep the connection open for ever

    def drain(self) -> None:
        """Read no further request; close now if there is nothing to answer."""
        self.closing = True
        if self.exchange is None and self._discard < 0:
            self.outbox.flush()
            self.transport.close()


def _without_empty_lines(data: bytes) -> bytes:
    """The few empty lines that RFC 9112 section 2.2 lets a server ignore before a request line are ignored."""
    start = 0
    while data.startswith(b"\r\n", start) and start < 2 * limits.LEADING_CRLF:
        start += 2
    return data[start:]
