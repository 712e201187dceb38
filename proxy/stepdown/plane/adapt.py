"""Answers and requests brought into another shape: which are, how they are decoded first, what fails.

Small bodies are adapted here and now; large ones in a process of their own (`offload`), since a parse of a megabyte
would stop every other exchange of the worker.
"""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from stepdown.errors import (
    AdapterFailedError,
    AnswerTooLargeError,
    ErrorNotAdaptableError,
    RequestNotAdaptableError,
    StreamNotAdaptableError,
)
from stepdown.plane import streamed
from stepdown.plane.tensors import TENSORS, inlined
from stepdown.wire import RequestHead, ResponseHead, encodings
from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import CompiledChain
from stepdown_adapters.operations.envelope import HeadEdits
from stepdown_adapters.stream.adapting.collecting import unfold
from stepdown_adapters.stream.adapting.compiling import CompiledStream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError
from stepdown_adapters.stream.media import NDJSON, SSE

if TYPE_CHECKING:
    from stepdown.plane.exchange import Exchange
    from stepdown.plane.plan import Plan

INLINE_BYTES = 256 * 1024
"""Bodies up to this size are adapted on the event loop."""

EVENTS = "text/event-stream"
"""The type of streams that are made here."""
_STREAMS = frozenset(name.encode("ascii") for name in (*SSE, *NDJSON))

_OCTETS = re.compile(rb"content-type:[ \t]*application/octet-stream", re.IGNORECASE)

# They describe bytes that are no longer those of the answer (RFC 9110 sections 8.8 and 14, RFC 9530, RFC 1864).
_STALE = frozenset(
    (
        b"etag",
        b"last-modified",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"content-md5",
        b"content-encoding",
        b"content-range",
        b"accept-ranges",
        TENSORS,
    )
)
_CHARSET = re.compile(rb";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_UTF_8 = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
_NOTHING = Context()


class AdaptedRequest(NamedTuple):
    """A request as the served version reads it."""

    body: bytes
    context: Context
    """What the chain read of the request, and has put aside for the answer."""


def has_shape(status: int, method: bytes) -> bool:
    """Whether an answer has a body in the version's shape: errors have their own, and HEAD and 204 have none."""
    return 200 <= status < 300 and status != 204 and method != b"HEAD"


class Notes(NamedTuple):
    """What has to be known of an answer's head before it is adapted; worked out once for each different head."""

    stream: bytes | None
    """Its media type where it is a stream of events."""
    charset: bytes | None
    """What its text is said to be in, where that is not the UTF-8 of JSON (RFC 8259 section 8.1)."""
    codings: bytes | None
    fields: bytes
    """Its field lines without those that are untrue of an adapted body, each with its CRLF."""
    tensors: bytes | None
    """How long the JSON is that binary tensors follow, where they do."""
    plain: bool
    """Whether the body is JSON as it is, by all that the head says."""


def notes(head: ResponseHead) -> Notes:
    """The notes on a head."""
    if head.notes is None:
        media = head.get(b"content-type") or b""
        stream = media if media.partition(b";")[0].strip().lower() in _STREAMS else None
        named = _CHARSET.search(media)
        charset = named[1] if named is not None and named[1].lower() not in _UTF_8 else None
        codings = head.get(b"content-encoding")
        tensors = head.get(TENSORS)
        kept = [line + b"\r\n" for line in head.lines if line.partition(b":")[0].lower() not in _STALE]
        if tensors is not None:
            kept = [_OCTETS.sub(b"content-type: application/json", line) for line in kept]
        plain = stream is None and charset is None and codings is None and tensors is None
        head.notes = Notes(stream, charset, codings, b"".join(kept), tensors, plain)
    found: Notes = head.notes
    return found


def refuse_stream(head: ResponseHead, why: str = "this chain has no adapter for streams") -> None:
    """Raise `StreamNotAdaptableError` for a stream of events: it would have to be buffered without end."""
    stream = notes(head).stream
    if stream is not None:
        raise StreamNotAdaptableError(f"The answer is a stream ({stream.decode('latin-1')}): {why}")


def decoded(head: ResponseHead, body: bytes, limit: int) -> bytes:
    """The body without its content coding, at most `limit` bytes of it; raises `AdapterFailedError`."""
    found = notes(head)
    if found.charset is not None:
        raise AdapterFailedError(f"The answer's text is in {found.charset.decode('latin-1')}, and JSON is in UTF-8")
    return body if found.codings is None else encodings.decode(body, found.codings, limit)


def edited(head: ResponseHead, edits: HeadEdits) -> ResponseHead:
    """A copy of the head with another status and other fields."""
    new = copy(head)
    new.status = edits.statuses.get(head.status, head.status)
    kept = [line for line in head.lines if line.partition(b":")[0].lower().decode("latin-1") not in edits.fields]
    added = [f"{name}: {value}".encode("latin-1") for name, value in edits.fields.items() if value is not None]
    new.lines = kept + added
    new.fields = b"".join(line + b"\r\n" for line in new.lines)
    new.notes = None
    return new


def answer(adapter: CompiledChain, body: bytes, context: Context) -> bytes:
    """Step an answer down; raises `AdapterFailedError`."""
    try:
        return adapter.response(body, context)
    except AdaptError as error:
        raise AdapterFailedError(str(error)) from None


def error(adapter: CompiledChain, head: ResponseHead, body: bytes, context: Context) -> bytes:
    """Step an error answer down; raises `ErrorNotAdaptableError`."""
    try:
        refuse_stream(head)
        body = inlined(decoded(head, body, INLINE_BYTES), notes(head).tensors, INLINE_BYTES)
        if len(body) > INLINE_BYTES:
            raise ErrorNotAdaptableError(f"The error answer is longer than {INLINE_BYTES} bytes")
        return adapter.errors(body, context)
    except (AdaptError, AdapterFailedError) as reason:
        raise not_adaptable(head, str(reason)) from None


def not_adaptable(head: ResponseHead, reason: str) -> ErrorNotAdaptableError:
    """What is sent instead of an error answer that cannot be adapted: an error of the same status and patience."""
    patience = head.get(b"retry-after")
    seconds = int(patience) if patience is not None and patience.isdigit() and len(patience) < 10 else None
    return ErrorNotAdaptableError(
        f"The server answered {head.status}, and its error cannot be adapted: {reason}",
        status=head.status,
        retry_after=seconds,
    )


def refuse_foreign(head: RequestHead) -> None:
    """Raise `RequestNotAdaptableError` for a request whose body is not JSON as it came."""
    coding = head.get(b"content-encoding")
    if coding is not None and coding.lower() != b"identity":
        raise RequestNotAdaptableError(
            f"A request that is adapted has to come without content coding, not as {coding.decode('latin-1')}",
            status=415,
        )
    if head.get(TENSORS) is not None:
        raise RequestNotAdaptableError(
            "A request that is adapted has to be JSON, without binary tensors after it "
            "(Inference-Header-Content-Length); its tensors need `data`, and no `binary_data_size`",
            status=415,
        )


def request(adapter: CompiledChain, body: bytes, context: Context) -> bytes:
    """Step a request up; raises `RequestNotAdaptableError`."""
    try:
        return adapter.request(body, context)
    except AdaptError as error:
        raise RequestNotAdaptableError(str(error)) from None


def context(exchange: Exchange, plan: Plan) -> Context:
    """What the chain may read of the request: made when it is adapted, or else for the answer."""
    if exchange.adapted_request is not None:
        return exchange.adapted_request.context
    if not plan.needs:
        return _NOTHING
    head = exchange.head
    params = {name: value.decode("latin-1") for name, value in zip(plan.route.names, exchange.params, strict=False)}
    body = bytes(exchange.body) if exchange.kept and "body" in plan.needs else None
    headers = headers_of(head) if "headers" in plan.needs else None
    return Context(head.method.decode("ascii"), head.path.decode("ascii"), params, body, headers)


def asks_for_stream(exchange: Exchange, plan: Plan) -> bool:
    """Whether the client asked for a stream; only for plans that read the request's body."""
    return streamed.asks_for_stream(context(exchange, plan).body, exchange.head.get(b"accept"))


def unfolded(exchange: Exchange, plan: Plan, stream: CompiledStream, body: bytes) -> bytes:
    """The stream that an answer stands for, in the shape of the client; raises `AdapterFailedError`."""
    if len(body) > INLINE_BYTES:
        raise AnswerTooLargeError(f"The answer is longer than {INLINE_BYTES} bytes, the most a stream is made of")
    try:
        return unfold(stream, body, EVENTS, context(exchange, plan))
    except (AdaptError, BrokenStreamError) as error:
        raise AdapterFailedError(str(error)) from None


def headers_of(head: RequestHead) -> dict[str, str]:
    """End-to-end fields by lower-case name; of those that are there several times the values are joined (RFC 9110)."""
    headers: dict[str, str] = {}
    for line in head.lines:
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
