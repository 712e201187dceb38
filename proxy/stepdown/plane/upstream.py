"""One connection to an endpoint: bytes in, one answer at a time to the exchange that has it.

What this connection decides is only whether it may be used again: after a complete answer that left nothing behind, to
a request that was sent whole. In doubt it is closed, since the next exchange would pay for the doubt.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol, cast

from stepdown.errors import BadRequestError, BadResponseError, UpstreamClosedError, UpstreamError
from stepdown.wire import BodyReader, limits, parse_response, reader_for
from stepdown.wire.response import ResponseHead

if TYPE_CHECKING:
    from stepdown.plane.pool import EndpointPool

WRITE_HIGH_WATER = 64 * 1024
RECEIVE_BUFFER = 64 * 1024


def bound_turn(sock: socket.socket) -> None:
    """Bound what one turn of the loop reads from a socket, or from those that a listening one accepts.

    libuv reads a full buffer again up to 32 times before it lets anybody else run, and uvloop asks writers to pause
    only at the end of a turn: megabytes would pile up for each slow reader. The kernel doubles the number.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


class Asker(Protocol):
    """What a connection needs of whoever has it: an exchange, or a copy of one (`comparer.legs`)."""

    method: bytes
    request_sent: bool
    upstream: UpstreamConnection | None

    def on_answer(self, head: ResponseHead, body: bytes) -> None:
        """A whole answer, in one piece."""
        ...

    def on_head(self, head: ResponseHead) -> None:
        """The head of an answer whose body follows."""
        ...

    def on_body(self, payload: bytes) -> None:
        """A piece of the answer's body."""
        ...

    def on_end(self) -> None:
        """The answer is complete."""
        ...

    def on_cut(self, error: UpstreamError) -> None:
        """The answer ended in its middle, or went on in a way that is no answer."""
        ...

    def on_lost(self, error: UpstreamError) -> None:
        """The connection ended before an answer began."""
        ...

    def on_bad_answer(self, error: BadResponseError) -> None:
        """The endpoint's bytes are no answer."""
        ...

    def pause_request(self) -> None:
        """The endpoint reads the request slowly."""
        ...

    def resume_request(self) -> None:
        """It has caught up."""
        ...


class UpstreamConnection(asyncio.Protocol):
    """A kept-alive connection, idle or lent to one exchange."""

    __slots__ = (
        "_buffer",
        "_head",
        "_interim",
        "_pool",
        "_reader",
        "exchange",
        "full",
        "idle_since",
        "paused",
        "transport",
    )

    def __init__(self, pool: EndpointPool) -> None:
        # for the connection's life
        self._pool = pool
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.idle_since = 0.0
        self.paused = False
        self.full = False
        """More is written than the socket took: not everything was sent."""
        # for one exchange
        self.exchange: Asker | None = None
        self._buffer = b""
        self._head: ResponseHead | None = None
        self._reader: BodyReader | None = None
        self._interim = 0

    # --- what the exchange does -------------------------------------------------------------------------------------

    def pause(self) -> None:
        """The client reads slowly: stop reading the answer."""
        self.paused = True
        self.transport.pause_reading()

    def resume(self) -> None:
        """The client has caught up."""
        self.paused = False
        self.transport.resume_reading()

    def close(self) -> None:
        """Close at once; whatever exchange it had hears no more of it."""
        self.exchange = None
        self.transport.abort()

    # --- what the loop calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the pool."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        bound_turn(transport.get_extra_info("socket"))
        self._pool.opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer, or of none that anybody asked for."""
        exchange = self.exchange
        if exchange is None:
            self.close()  # an answer nobody asked for would be taken for the next one's
            return
        try:
            if self._head is not None:
                self._body(exchange, data)
            else:
                self._heads(exchange, data)
        except BadResponseError as error:
            self._fail(error)
        except BadRequestError as error:
            self._fail(BadResponseError(error.detail))

    def eof_received(self) -> bool:
        """The end of the connection; `connection_lost` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the exchange what is true: the answer has ended here, or was cut."""
        exchange, self.exchange = self.exchange, None
        self._pool.closed(self)
        if exchange is None:
            return
        reader = self._reader
        if exc is None and reader is not None and reader.at_eof():
            exchange.on_end()
        elif self._head is not None:
            exchange.on_cut(UpstreamClosedError(f"{self._pool.endpoint.id} closed in the middle of its answer"))
        else:
            exchange.on_lost(UpstreamClosedError(f"{self._pool.endpoint.id} closed before it answered"))

    def pause_writing(self) -> None:
        """The endpoint reads slowly."""
        self.full = True
        if self.exchange is not None:
            self.exchange.pause_request()

    def resume_writing(self) -> None:
        """The endpoint has caught up."""
        self.full = False
        if self.exchange is not None:
            self.exchange.resume_request()

    # --- the answer -------------------------------------------------------------------------------------------------

    def _heads(self, exchange: Asker, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                self._keep_partial(data)
                return
            if end > limits.HEAD_BYTES:
                raise BadResponseError(f"The upstream's head is longer than {limits.HEAD_BYTES} bytes")
            head = parse_response(data[:end], exchange.method)
            if not head.interim:
                break
            self._interim += 1
            if self._interim > limits.INTERIM_ANSWERS:
                raise BadResponseError("The upstream sent only interim answers")
            data = data[end:]
        body = data[end:]
        size = len(body)
        if size == head.length:  # the whole answer, and nothing else, is here: no reader is needed
            self._release(exchange, head.reusable)
            exchange.on_answer(head, body)
        elif size > head.length >= 0:
            self._release(exchange, False)
            exchange.on_answer(head, body[: head.length])
        else:
            self._head = head
            self._reader = reader_for(head.length)
            exchange.on_head(head)
            if body and self.exchange is exchange:
                self._body(exchange, body)

    def _body(self, exchange: Asker, data: bytes) -> None:
        reader = self._reader
        assert reader is not None
        assert self._head is not None
        payload = reader.feed(data)
        if not reader.done:
            if payload:
                exchange.on_body(payload)
            return
        self._release(exchange, self._head.reusable and not reader.rest)
        if payload:
            exchange.on_body(payload)
        exchange.on_end()

    def _keep_partial(self, data: bytes) -> None:
        if len(data) > limits.HEAD_BYTES:
            raise BadResponseError(f"The upstream's head is longer than {limits.HEAD_BYTES} bytes")
        if not b"HTTP/1."[: len(data)] == data[:7]:
            raise BadResponseError("The upstream's answer is not HTTP/1.1")
        self._buffer = data

    def _release(self, exchange: Asker, reusable: bool) -> None:
        """The answer is complete: part from the exchange, and be free again if nothing speaks against it."""
        self.exchange = exchange.upstream = None
        self._head = self._reader = None
        self._interim = 0
        if reusable and exchange.request_sent and not self.full:
            if self.paused:
                self.resume()
            self._pool.free(self)
        else:
            self.transport.abort()

    def _fail(self, error: BadResponseError) -> None:
        exchange, self.exchange = self.exchange, None
        self.transport.abort()
        error = BadResponseError(f"{self._pool.endpoint.id}: {error.detail}")
        if exchange is not None:
            (exchange.on_cut if self._head is not None else exchange.on_bad_answer)(error)
