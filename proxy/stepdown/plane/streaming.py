"""Fourth phase, for streams: each event is stepped down and sent on when it is complete, and none waits for the next.

1. What the bytes of one read complete goes out in one write. Of an event that has begun, only its bytes are kept; of
   those before, only what the adapters fold: both are bounded (`stepdown_adapters.stream.adapting.chain.Limits`).
2. A stream that cannot be stepped down any further has begun already, so that nothing but a cut connection is left to
   tell its client. What was stepped down before is sent first.
3. A stream is judged once, when it ends, by what it said and by how it ended. Who left early says nothing of a server.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from stepdown.errors import (
    AdapterFailedError,
    BadResponseError,
    ClientGoneError,
    StreamBrokenError,
    StreamNotAdaptableError,
    UpstreamClosedError,
    UpstreamTimeoutError,
)
from stepdown.plane import adapt, adapting
from stepdown.plane.plan import ADAPTED
from stepdown.plane.relay import Relay
from stepdown.wire import ResponseHead
from stepdown_adapters.stream.adapting.chain import Limits, StreamChain
from stepdown_adapters.stream.adapting.collecting import Collector
from stepdown_adapters.stream.adapting.compiling import CompiledStream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from stepdown_adapters.stream.outcome import Ending, Result

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan

_OF_THE_SERVER = frozenset(error.problem for error in (BadResponseError, UpstreamClosedError, UpstreamTimeoutError))
"""Errors with which an exchange is cut in the middle of an answer because of its server."""


def limits_of(plan: Plan) -> Limits:
    """The bounds of a stream: those of the library, and what may be held of an answer to adapt it at all."""
    usual = Limits()
    most = plan.route.limits.adapted_body
    return usual._replace(event=min(usual.event, most), state=min(usual.state, most))


def media_type(head: ResponseHead) -> str:
    """What a stream with this head is read as; raises `StreamNotAdaptableError`."""
    notes = adapt.notes(head)
    media, charset, codings = notes.stream, notes.charset, notes.codings
    assert media is not None
    if codings is not None and codings.strip().lower() != b"identity":
        adapt.refuse_stream(head, f"its content coding {codings.decode('latin-1')!r} is not undone event by event")
    if charset is not None:
        raise StreamNotAdaptableError(f"The stream's text is in {charset.decode('latin-1')}, and events are in UTF-8")
    return media.decode("latin-1")


def ending(exchange: Exchange) -> Ending:
    """How a stream ended that did not come to its end."""
    server = exchange.error in _OF_THE_SERVER and not exchange.client.full
    return Ending.BROKEN if server else Ending.CANCELLED


def complete(exchange: Exchange) -> None:
    """Its stream has said its own end, so a client that has left since has got all of it."""
    if exchange.error == ClientGoneError.problem:
        exchange.error = ""


class StreamRelay(Relay):
    """Steps a stream down as it passes."""

    __slots__ = ("_chain", "_open", "_plan", "_seconds")

    def __init__(self, exchange: Exchange, plan: Plan, head: ResponseHead, stream: CompiledStream) -> None:
        """Begin the answer; raises `StreamNotAdaptableError` before that."""
        self._chain = StreamChain(stream, media_type(head), adapt.context(exchange, plan), limits_of(plan))
        self._plan = plan
        self._seconds = 0.0
        self._open = True
        """Nothing was counted yet."""
        exchange.outcome = ADAPTED
        super().__init__(exchange, head, plan.lines, adapted=True)

    def on_body(self, payload: bytes) -> None:
        """Send what these bytes complete."""
        begun = perf_counter()
        try:
            ready = self._chain.feed(payload)
        except BrokenStreamError as error:
            self._break(error)
            return
        self._seconds += perf_counter() - begun
        if ready:
            super().on_body(ready)

    def on_end(self) -> None:
        """Send what is left and what the adapters put at the end, and end the body."""
        try:
            ready = self._chain.close()
        except BrokenStreamError as error:
            self._break(error)
            return
        super().on_body(ready)
        self._settle(self._chain.outcome.verdict().reason)
        super().on_end()

    def drop(self) -> None:
        """The server's connection has ended before its stream's framing did, or nobody wants the rest of it.

        A stream that has said its own end before that is whole, so its client gets the adapters' end too, and then the
        cut that its framing deserves.
        """
        if self._open:
            how = ending(self._exchange)
            verdict = self._chain.outcome.verdict(how)
            if how is Ending.BROKEN:  # of which the chain itself makes an end only where it is whole
                with suppress(BrokenStreamError):
                    super().on_body(self._chain.close(how))
            if verdict.result is Result.COMPLETE:
                complete(self._exchange)
            self._settle(verdict.reason if verdict.failed else "", known=verdict.result is not Result.NEITHER)

    def _break(self, error: BrokenStreamError) -> None:
        exchange = self._exchange
        super().on_body(error.before)
        self._settle(error.reason)
        broken = StreamBrokenError(str(error.cause))
        adapting.tell(self._plan, broken)
        if exchange.relay is None:
            exchange.relay = self  # an HTTP/1.0 client can tell a cut answer by its reset only
        exchange.fail(broken)

    def _settle(self, failure: str, *, known: bool = True) -> None:
        self._open = False
        plan = self._plan
        plan.account_adapter(self._seconds)
        plan.count_events(self._chain.sent)
        counted = self._exchange.counted
        if counted is not None and known:
            counted.stream_failed = bool(failure)
        if failure:
            plan.count_stream_failure(failure)


class DocumentRelay:
    """Collects a stream to the one document that its client waits for; nothing is sent before that is whole."""

    __slots__ = ("_collector", "_exchange", "_head", "_plan", "_seconds")

    until_close = False

    def __init__(self, exchange: Exchange, plan: Plan, head: ResponseHead, stream: CompiledStream) -> None:
        """Raises `StreamNotAdaptableError`."""
        self._exchange = exchange
        self._plan = plan
        self._head = head
        self._collector = Collector(stream, media_type(head), adapt.context(exchange, plan), limits_of(plan))
        self._seconds = 0.0

    def on_body(self, payload: bytes) -> None:
        """Take a piece; raises `AdapterFailedError`."""
        begun = perf_counter()
        try:
            self._collector.feed(payload)
        except BrokenStreamError as error:
            raise AdapterFailedError(str(error.cause)) from None
        self._seconds += perf_counter() - begun

    def on_end(self) -> None:
        """Send the document of a complete stream, and a refusal for any other."""
        try:
            document = self._collector.close()
        except BrokenStreamError as error:
            adapting.refuse(self._exchange, AdapterFailedError(str(error.cause)))
            return
        self._plan.account_adapter(self._seconds)
        adapting.deliver_collected(self._exchange, self._plan, self._head, document)

    def drop(self) -> None:
        """The stream will not be whole; its client is answered with an error, which counts."""
