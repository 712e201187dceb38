"""Sixth phase: an answer to the client, with the lines that say which shape it has and who computed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepdown.errors import StepdownError
from stepdown.plane import account, problems
from stepdown.wire import CHUNKED, ResponseHead, serialise

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange

JOIN_BYTES = 64 * 1024
"""Bodies up to this size are put behind their head and written at once."""

VIA = b"1.1 stepdown"


def whole(exchange: Exchange, head: ResponseHead, lines: list[bytes], body: bytes, version_lines: bytes) -> None:
    """Send a complete answer whose fields are `lines`, and end the exchange."""
    request = exchange.head
    close = request.close or not exchange.complete or exchange.client.closing
    if exchange.method == b"HEAD" or head.status in (204, 304):
        framing = _metadata(exchange, head)
    else:
        framing = b"content-length: %d\r\n" % len(body)
    data = answer_head(exchange, head, lines, version_lines, framing, close=close)
    exchange.answer_begun = True
    exchange.response_bytes = len(body)
    client = exchange.client
    if len(body) <= JOIN_BYTES:
        client.write(data + body)
    else:
        client.write(data)
        client.write(body)
    exchange.finish(close=close)


def answer_head(
    exchange: Exchange, head: ResponseHead, lines: list[bytes], version_lines: bytes, framing: bytes, *, close: bool
) -> bytes:
    """The head of an answer."""
    fields = b"\r\n".join(lines)
    if fields:
        fields += b"\r\n"
    via = b"via: %b\r\n" % b", ".join([*head.via, VIA]) if head.via else b"via: 1.1 stepdown\r\n"
    if close:
        framing += serialise.CLOSE_LINE
    elif exchange.head.minor == 0:
        framing += serialise.KEEP_ALIVE_LINE
    return b"".join((serialise.STATUS_LINES[head.status], fields, version_lines, exchange.extra, via, framing, b"\r\n"))


def framing_of(exchange: Exchange, head: ResponseHead) -> tuple[bytes, bool, bool]:
    """How the body of a passed-on answer is framed: the line, whether in chunks, whether the connection closes."""
    request = exchange.head
    close = request.close or exchange.client.closing
    if head.length >= 0:
        return b"content-length: %d\r\n" % head.length, False, close
    if request.minor == 1:
        return serialise.CHUNKED_LINE, True, close
    return b"", False, True  # HTTP/1.0 knows no chunks: the end of the connection ends the body


def _metadata(exchange: Exchange, head: ResponseHead) -> bytes:
    """What an answer without a body may still say about its length: nothing where the body would be adapted."""
    plan = exchange.plan
    adapted = plan is not None and plan.adapter is not None and 200 <= head.status < 300
    if head.status != 204 and not adapted and head.declared is not None and head.declared != CHUNKED:
        return b"content-length: %d\r\n" % head.declared
    return b""


def problem(exchange: Exchange, error: StepdownError) -> None:
    """Answer with an error of our own, and end the exchange."""
    client, plan = exchange.client, exchange.plan
    close = exchange.head.close or not exchange.complete or client.closing
    style = plan.route.style if plan is not None else exchange.route.spec.errors if exchange.route else "problem"
    extra = (plan.served_lines if plan is not None and exchange.endpoint else b"") + exchange.extra
    exchange.status = error.code
    data = problems.render(error, style, extra, close=close, head_only=exchange.method == b"HEAD")
    exchange.answer_begun = True
    exchange.response_bytes = len(data)
    client.write(data)
    account.refused(exchange, error)
    exchange.finish(close=close)
