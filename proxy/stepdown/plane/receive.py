"""Fourth phase: an answer arrives, whole or in pieces, to be passed on or to be adapted."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from stepdown.errors import AnswerTooLargeError
from stepdown.plane import adapt, adapting, send
from stepdown.plane.plan import NONE
from stepdown.wire import ResponseHead, serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan


def answered(exchange: Exchange) -> None:
    """The endpoint has done its part: its time, its health, its place in the pool."""
    exchange.upstream_time = perf_counter_ns() - exchange.sent_at
    pool = exchange.pool
    assert pool is not None
    if exchange.status >= 500:
        pool.failed()
    elif pool.ejection.failures:
        pool.succeeded()
    pool.pending -= 1
    exchange.pool = None


def whole(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes) -> None:
    """An answer that came in one piece, of a version with another shape than the pinned one."""
    if adapt.has_shape(head.status, exchange.method):
        adapting.answer(exchange, plan, head, body)
    elif exchange.method == b"HEAD" and 200 <= head.status < 300:
        send.whole(exchange, head, adapt.notes(head).fields, body, plan.lines)  # what a GET would say of the body
    else:
        send.whole(exchange, head, head.fields, body, plan.served_lines)


def begin(exchange: Exchange, head: ResponseHead) -> None:
    """An answer whose body is still on its way."""
    plan = exchange.plan
    assert plan is not None
    if plan.adapter is None:
        exchange.relay = Relay(exchange, head, plan.lines)
    elif adapt.has_shape(head.status, exchange.method):
        exchange.relay = Collector(exchange, head)
    else:
        exchange.relay = Relay(exchange, head, plan.served_lines)


class Relay:
    """Passes pieces on as they come: nothing is held back, nothing is put together."""

    __slots__ = ("_chunked", "_close", "_exchange", "until_close")

    def __init__(self, exchange: Exchange, head: ResponseHead, lines: bytes) -> None:
        self._exchange = exchange
        framing, self._chunked, self._close = send.framing_of(exchange, head)
        self.until_close = not framing
        """Nothing but the end of the connection ends the body (HTTP/1.0)."""
        exchange.answer_begun = True
        exchange.outcome = NONE
        exchange.client.write(send.answer_head(exchange, head, head.fields, lines, framing, self._close))

    def on_body(self, payload: bytes) -> None:
        """Pass a piece on."""
        exchange = self._exchange
        exchange.response_bytes += len(payload)
        exchange.client.write(serialise.chunk(payload) if self._chunked else payload)

    def on_end(self) -> None:
        """End the body, and the exchange."""
        if self._chunked:
            self._exchange.client.write(serialise.LAST_CHUNK)
        self._exchange.finish(self._close or not self._exchange.complete)


class Collector:
    """Gathers an answer that is to be adapted, up to the route's limit."""

    __slots__ = ("_body", "_exchange", "_head", "_limit")

    until_close = False

    def __init__(self, exchange: Exchange, head: ResponseHead) -> None:
        assert exchange.plan is not None
        adapt.refuse_stream(head)
        self._exchange = exchange
        self._head = head
        self._limit = exchange.plan.route.limits.adapted_body
        self._body = bytearray()
        self._check(head.length)

    def on_body(self, payload: bytes) -> None:
        """Keep a piece; raises `AnswerTooLargeError` over the limit."""
        self._check(len(self._body) + len(payload))
        self._body += payload

    def on_end(self) -> None:
        """Adapt what was gathered."""
        exchange = self._exchange
        assert exchange.plan is not None
        adapting.answer(exchange, exchange.plan, self._head, bytes(self._body))

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise AnswerTooLargeError(f"The answer is longer than {self._limit} bytes, the most that is adapted")
