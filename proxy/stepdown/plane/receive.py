"""Fourth phase: an answer arrives, whole or in pieces, to be passed on or to be adapted."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown.plane import adapt, adapting, send
from stepdown.plane.relay import Relay
from stepdown.plane.streaming import DocumentRelay, StreamRelay
from stepdown.plane.watching import WatchedRelay
from stepdown.wire import ResponseHead

if TYPE_CHECKING:
    from stepdown.plane.check import Gathering
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.mirror import Mirrored
    from stepdown.plane.plan import Plan
    from stepdown_adapters.generate import CompiledChain


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
    """An answer that came in one piece, of a version whose answers are adapted, held against contracts, or mirrored."""
    if exchange.mirrored is not None:
        exchange.mirrored.whole(plan, head, body)
    adapter = plan.adapter
    if adapter is None:
        _pass(exchange, plan, head, body)
        return
    head = _edited(exchange, adapter, head)
    if adapt.has_shape(head.status, exchange.method):
        if adapt.notes(head).stream is not None:
            _streamed_whole(exchange, plan, head, body)
        elif plan.touches_documents:
            adapting.answer(exchange, plan, head, body)
        else:
            _pass(exchange, plan, head, body)
    elif adapter.touches_errors and head.status >= 400 and body:
        adapting.error(exchange, plan, head, body)
    elif exchange.method == b"HEAD" and 200 <= head.status < 300:  # what a GET would say of the body
        fields = adapt.notes(head).fields if plan.changes(head) else head.fields
        send.whole(exchange, head, fields, body, plan.lines)
    else:
        send.whole(exchange, head, head.fields, body, plan.served_lines)


def _pass(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes) -> None:
    """Pass on what is in the pinned shape already."""
    send.whole(exchange, head, head.fields, body, plan.lines)
    if plan.check is not None and adapt.has_shape(head.status, exchange.method):
        plan.check.passed(head, body, exchange.unit)


def begin(exchange: Exchange, head: ResponseHead) -> None:
    """An answer whose body is still on its way."""
    plan, mirrored = exchange.plan, exchange.mirrored
    assert plan is not None
    if mirrored is None:
        exchange.relay = _begun(exchange, plan, head)
    else:
        mirrored.begun(plan, head)
        exchange.relay = Overheard(_begun(exchange, plan, head), mirrored)


def _begun(exchange: Exchange, plan: Plan, head: ResponseHead) -> Relay | Collector | DocumentRelay:
    adapter = plan.adapter
    if adapter is None:
        return _relay(exchange, plan, head)
    head = _edited(exchange, adapter, head)
    if adapt.has_shape(head.status, exchange.method):
        if adapt.notes(head).stream is not None:
            return _streamed(exchange, plan, head)
        if plan.touches_documents:
            return Collector(exchange, head)
        return _relay(exchange, plan, head)
    if adapter.touches_errors and head.status >= 400:
        return ErrorCollector(exchange, head)
    return Relay(exchange, head, plan.served_lines)


def _relay(exchange: Exchange, plan: Plan, head: ResponseHead) -> Relay:
    """For what is in the pinned shape already."""
    if adapt.has_shape(head.status, exchange.method):
        if plan.check is not None:
            gathering = plan.check.begun(head, exchange.unit)
            if gathering is not None:
                return CheckedRelay(exchange, head, plan.lines, gathering)
        if adapt.notes(head).stream is not None:
            return WatchedRelay(exchange, plan, head)
    return Relay(exchange, head, plan.lines)


def _streamed(exchange: Exchange, plan: Plan, head: ResponseHead) -> Relay | DocumentRelay:
    """For a stream on a way with adapters; raises `StreamNotAdaptableError`."""
    streams = plan.streams
    if streams.compiled is None:
        if streams.refused:
            adapt.refuse_stream(head, streams.refused)
        return _relay(exchange, plan, head)
    if plan.check is not None:
        plan.check.begun(head, exchange.unit)  # only to count that a stream is held against nothing
    if streams.collects and not adapt.asks_for_stream(exchange, plan):
        return DocumentRelay(exchange, plan, head, streams.compiled)
    return StreamRelay(exchange, plan, head, streams.compiled)


def _streamed_whole(exchange: Exchange, plan: Plan, head: ResponseHead, body: bytes) -> None:
    """A stream that came in one piece goes the way of all others."""
    try:
        relay = _streamed(exchange, plan, head)
        relay.on_body(body)
    except AdapterFailedError as error:
        adapting.refuse(exchange, error)  # which may have asked another version: this answer is over in any case
        return
    if not exchange.gone:
        relay.on_end()


def _edited(exchange: Exchange, adapter: CompiledChain, head: ResponseHead) -> ResponseHead:
    """The head as the chain wants it; its status is the one that the client gets to see."""
    edits = adapter.response_head if head.status < 400 else adapter.error_head
    if edits:
        head = adapt.edited(head, edits)
        exchange.status = head.status
    return head


class CheckedRelay(Relay):
    """Keeps a copy of what it passes on, which is held against contracts when it is whole."""

    __slots__ = ("_gathering",)

    def __init__(self, exchange: Exchange, head: ResponseHead, lines: bytes, gathering: Gathering) -> None:
        super().__init__(exchange, head, lines)
        self._gathering = gathering

    def on_body(self, payload: bytes) -> None:
        """Pass a piece on, and keep it."""
        super().on_body(payload)
        self._gathering.add(payload)

    def on_end(self) -> None:
        """End the body, and the exchange; then hand the copy over."""
        super().on_end()
        self._gathering.done()

    def drop(self) -> None:
        """Let go of the copy."""
        self._gathering.drop()


class Overheard:
    """Tells what a mirrored exchange is answered, whatever is made of it."""

    __slots__ = ("_mirrored", "_relay", "until_close")

    def __init__(self, relay: Relay | Collector | DocumentRelay, mirrored: Mirrored) -> None:
        self._relay = relay
        self._mirrored = mirrored
        self.until_close = relay.until_close

    def on_body(self, payload: bytes) -> None:
        """A piece."""
        self._relay.on_body(payload)
        self._mirrored.piece(payload)

    def on_end(self) -> None:
        """It is whole."""
        self._mirrored.end()
        self._relay.on_end()

    def drop(self) -> None:
        """It will not be whole."""
        self._relay.drop()
        self._mirrored.drop()


class Collector:
    """Gathers an answer that is to be adapted, up to the route's limit."""

    __slots__ = ("_body", "_exchange", "_head", "_limit")

    until_close = False

    def __init__(self, exchange: Exchange, head: ResponseHead) -> None:
        assert exchange.plan is not None
        self._exchange = exchange
        self._head = head
        self._limit = self._most(exchange.plan)
        self._body = bytearray()
        adapt.refuse_stream(head)
        self._check(head.length)

    def on_body(self, payload: bytes) -> None:
        """Keep a piece; raises `AdapterFailedError` over the limit."""
        self._check(len(self._body) + len(payload))
        self._body += payload

    def on_end(self) -> None:
        """Adapt what was gathered."""
        exchange = self._exchange
        assert exchange.plan is not None
        self._deliver(exchange, exchange.plan, self._head, bytes(self._body))

    def drop(self) -> None:
        """The answer will not be whole."""

    _deliver = staticmethod(adapting.answer)

    @staticmethod
    def _most(plan: Plan) -> int:
        return plan.route.limits.adapted_body

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise AnswerTooLargeError(f"The answer is longer than {self._limit} bytes, the most that is adapted")


class ErrorCollector(Collector):
    """Gathers an error answer; whatever goes wrong leaves its status as it is."""

    __slots__ = ()

    def __init__(self, exchange: Exchange, head: ResponseHead) -> None:
        try:
            super().__init__(exchange, head)
        except AdapterFailedError as reason:
            raise adapt.not_adaptable(head, str(reason)) from None

    def on_body(self, payload: bytes) -> None:
        """Keep a piece; raises `ErrorNotAdaptableError` over the limit."""
        try:
            super().on_body(payload)
        except AdapterFailedError as reason:
            raise adapt.not_adaptable(self._head, str(reason)) from None

    _deliver = staticmethod(adapting.error)

    @staticmethod
    def _most(plan: Plan) -> int:
        return adapt.INLINE_BYTES
