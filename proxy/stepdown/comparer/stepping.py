"""An answer as a server gave it made what the client would get of it: by the same rules for both that are compared.

They are the rules of a live answer (`plane.receive.whole`): what the chain does to the head, then the body where it
has the version's shape, or where it is an error and the chain says how. What a live answer is refused for makes a
copied one incomparable, with the reason. Content codings are undone on both sides: who compressed does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

from stepdown.comparer.asked import Asked
from stepdown.comparer.results import Result
from stepdown.decide.copies import Answer
from stepdown.errors import (
    AdapterFailedError,
    AnswerTooLargeError,
    BadResponseError,
    RequestNotAdaptableError,
    StreamNotAdaptableError,
    UnreachableShapeError,
)
from stepdown.plane import adapt
from stepdown.plane.tensors import inlined
from stepdown.wire import ResponseHead, encodings, parse_response
from stepdown_adapters.stream.adapting.chain import StreamChain
from stepdown_adapters.stream.adapting.failures import BrokenStreamError


class Delivered(NamedTuple):
    """What a client gets."""

    status: int
    head: ResponseHead
    """With its fields as the chain wants them."""
    body: bytes
    """Without content coding."""


class Incomparable(NamedTuple):
    """There is nothing that could be compared."""

    reason: str
    """One of a small set, for a label."""
    detail: str = ""


def of_served(asked: Asked, answer: Answer | None, body: bytes, limit: int) -> Delivered | Incomparable:
    """What the client got; `body` is in the served version's shape, of `limit` bytes at most, its coding on or off.

    Of an answer that was passed on in its server's own shape, because it could not be stepped down, there is no other.
    """
    if answer is None:
        return Incomparable("unanswered")
    if answer.missing or answer.error:
        return Incomparable(answer.missing or answer.error)
    if not answer.head:
        return Incomparable("unanswered")
    if answer.outcome == "passthrough":
        return Incomparable("passthrough")
    if len(body) > limit:  # another shadow takes longer ones
        return Incomparable("too-large")
    try:
        head = parse_response(answer.head, asked.head.method)
    except BadResponseError as error:
        return Incomparable("malformed", error.detail)
    return step_down(asked, answer.served, head, body, limit)


def of_copy(asked: Asked, result: Result, limit: int) -> Delivered | Incomparable:
    """What the client would have got of the answer to a copy."""
    if result.head is None or not result.answered:
        return Incomparable(result.outcome, result.detail)
    return step_down(asked, result.version, result.head, result.body, limit)


def step_down(asked: Asked, version: str, head: ResponseHead, body: bytes, limit: int) -> Delivered | Incomparable:
    """What becomes of a version's answer for who asked."""
    try:
        return _stepped(asked, version, head, body, limit)
    except UnreachableShapeError as error:
        return Incomparable("unreachable-shape", error.detail)
    except RequestNotAdaptableError as error:
        return Incomparable("request", error.detail)
    except StreamNotAdaptableError as error:
        return Incomparable("stream", error.detail)
    except _CollectedError:
        return Incomparable("collected", "The stream is made a document for some clients")
    except AnswerTooLargeError as error:
        return Incomparable("too-large", error.detail)
    except _CodingError as error:
        return Incomparable("coding", str(error))
    except AdapterFailedError as error:
        return Incomparable("adapter", error.detail)


class _CollectedError(Exception):
    """What the client got may be a document that was made of the stream."""


class _CodingError(Exception):
    """The body cannot be read for what its head says of it."""


def _stepped(asked: Asked, version: str, head: ResponseHead, body: bytes, limit: int) -> Delivered:
    adapter = asked.adapter(version)
    if adapter is None:
        return Delivered(head.status, head, _decoded(head, body, limit))
    edits = adapter.response_head if head.status < 400 else adapter.error_head
    if edits:
        head = adapt.edited(head, edits)
    if adapt.has_shape(head.status, asked.head.method):
        if adapt.notes(head).stream is not None:
            return Delivered(head.status, head, _streamed(asked, version, head, _decoded(head, body, limit)))
        if adapter.touches_response:
            charset = adapt.notes(head).charset
            if charset is not None:
                raise _CodingError(f"The answer's text is in {charset.decode('latin-1')}, and JSON is in UTF-8")
            body = adapt.answer(adapter, _decoded(head, body, limit), asked.context(version))
            if adapt.notes(head).tensors is not None:  # which the client's has no longer, and is of another type
                head = parse_response(
                    b"HTTP/1.1 %d \r\n%b\r\n" % (head.status, adapt.notes(head).fields), asked.head.method
                )
            return Delivered(head.status, head, body)
    elif adapter.touches_errors and head.status >= 400 and body:
        return Delivered(head.status, head, adapt.error(adapter, head, body, asked.context(version)))
    return Delivered(head.status, head, _decoded(head, body, limit))


def _streamed(asked: Asked, version: str, head: ResponseHead, body: bytes) -> bytes:
    """A stream in the client's shape; who was made a document of it, or may have been, is not known here."""
    streams = asked.streams(version)
    if streams.refused:
        adapt.refuse_stream(head, streams.refused)
    if streams.collects:
        raise _CollectedError
    media = adapt.notes(head).stream
    if streams.compiled is None or media is None:
        return body
    chain = StreamChain(streams.compiled, media.decode("latin-1"), asked.context(version))
    try:
        return chain.feed(body) + chain.close()
    except BrokenStreamError as error:
        raise AdapterFailedError(str(error.cause)) from None


def _decoded(head: ResponseHead, body: bytes, limit: int) -> bytes:
    """The body without its content coding, and with binary tensors in its JSON: so documents can be compared."""
    notes = adapt.notes(head)
    if not body:
        return body
    try:
        if notes.codings is not None:
            body = encodings.decode(body, notes.codings, limit)
        return inlined(body, notes.tensors, limit)
    except AnswerTooLargeError:
        raise
    except AdapterFailedError as error:
        raise _CodingError(error.detail) from None
