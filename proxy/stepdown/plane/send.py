"""Sixth phase: an answer to the client, with the lines that say which shape it has and who computed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepdown.errors import StepdownError
from stepdown.plane import account, problems, visiting
from stepdown.wire import CHUNKED, ResponseHead, serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange

JOIN_BYTES = 64 * 1024
"""Bodies up to this size are put behind their head and written at once."""

VIA = b"1.1 stepdown"
_STATUS_LINES = serialise.STATUS_LINES


def whole(exchange: Exchange, head: ResponseHead, fields: bytes, body: bytes, version_lines: bytes) -> None:
    """Send a complete answer with these field lines, and end the exchange."""
    client = exchange.client
    close = exchange.head.close or client.closing or not exchange.complete
    framing = b"content-length: %d\r\n" % len(body) if body or head.length else _without_body(exchange, head)
    data = answer_head(exchange, head, fields, version_lines, framing, close)
    exchange.answer_begun = True
    exchange.response_bytes = len(body)
    if len(body) <= JOIN_BYTES:
        client.outbox.write(client.transport, data + body)
    else:
        client.write(data)
        client.write(body)
    exchange.finish(close)


def answer_head(  # noqa: PLR0917 - once a request, and names cost time
    exchange: Exchange, head: ResponseHead, fields: bytes, version_lines: bytes, framing: bytes, close: bool
) -> bytes:
    """The head of an answer."""
    via = b"via: %b\r\n" % b", ".join([*head.via, VIA]) if head.via else b"via: 1.1 stepdown\r\n"
    if close:
        framing += serialise.CLOSE_LINE
    elif exchange.head.minor == 0:
        framing += serialise.KEEP_ALIVE_LINE
    extra = exchange.extra
    if exchange.cookie or exchange.counted is not None:
        own = visiting.own_lines(exchange)
        if own:
            fields, extra = visiting.private(fields), extra + own
    return b"%b%b%b%b%b%b\r\n" % (_STATUS_LINES[head.status], fields, version_lines, extra, via, framing)


def framing_of(exchange: Exchange, length: int) -> tuple[bytes, bool, bool]:
    """How a body that goes out in pieces is framed: the line, whether in chunks, whether the connection closes.

    `length` is negative where it is not known.
    """
    request = exchange.head
    close = request.close or exchange.client.closing
    if length >= 0:
        return b"content-length: %d\r\n" % length, False, close
    if request.minor == 1:
        return serialise.CHUNKED_LINE, True, close
    return b"", False, True  # HTTP/1.0 knows no chunks: the end of the connection ends the body


def _without_body(exchange: Exchange, head: ResponseHead) -> bytes:
    """What an answer without a body says about its length: nothing where the body would have been adapted."""
    if exchange.method == b"HEAD" or head.status in (204, 304):
        plan = exchange.plan
        adapted = plan is not None and plan.changes(head) and 200 <= head.status < 300
        if head.status == 204 or adapted or head.declared is None or head.declared == CHUNKED:
            return b""
        return b"content-length: %d\r\n" % head.declared
    return b"content-length: 0\r\n"


def problem(exchange: Exchange, error: StepdownError) -> None:
    """Answer with an error of our own, and end the exchange."""
    client, plan = exchange.client, exchange.plan
    close = exchange.head.close or not exchange.complete or client.closing
    style = plan.route.style if plan is not None else exchange.route.spec.errors if exchange.route else "problem"
    extra = plan.served_lines if plan is not None and exchange.last_pool is not None else b""
    extra += exchange.extra + visiting.own_lines(exchange)
    exchange.status = error.code
    data = problems.render(error, style, extra, close=close, head_only=exchange.method == b"HEAD")
    exchange.answer_begun = True
    exchange.response_bytes = len(data)
    client.write(data)
    account.refused(exchange, error)
    exchange.finish(close)
