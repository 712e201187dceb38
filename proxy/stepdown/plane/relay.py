"""Fourth phase, for answers that pass through: piece by piece, nothing held back and nothing put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepdown.plane import adapt, send
from stepdown.wire import ResponseHead, serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange


class Relay:
    """Passes pieces on as they come: nothing is held back, nothing is put together."""

    __slots__ = ("_chunked", "_close", "_exchange", "until_close")

    def __init__(self, exchange: Exchange, head: ResponseHead, lines: bytes, *, adapted: bool = False) -> None:
        """`adapted`: what will be passed on is not what the head says of the body."""
        self._exchange = exchange
        framing, self._chunked, self._close = send.framing_of(exchange, -1 if adapted else head.length)
        self.until_close = not framing
        """Nothing but the end of the connection ends the body (HTTP/1.0)."""
        exchange.answer_begun = True
        fields = adapt.notes(head).fields if adapted else head.fields
        exchange.client.write(send.answer_head(exchange, head, fields, lines, framing, self._close))

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

    def drop(self) -> None:
        """The answer will not be whole."""
