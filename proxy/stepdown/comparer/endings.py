"""Answers whose connection broke off although they were whole: streams that had said their own end before.

A client that has read `[DONE]` may leave at once, before the last chunk of the framing has come; so may a server's
connection. All that the stream had to say has been said by then, so its dialect decides
(`stepdown_adapters.stream.outcome`). Both sides of a pair are judged alike, or a server that sends no last chunk would
differ from itself.
"""

from __future__ import annotations

import msgspec

from stepdown.decide.copies import Answer
from stepdown.errors import BadResponseError, ClientGoneError, UpstreamClosedError, UpstreamTimeoutError
from stepdown.plane import adapt
from stepdown.wire import ResponseHead, parse_response
from stepdown_adapters.stream.media import reader
from stepdown_adapters.stream.outcome import Ending, Outcome, Result

_OF_CONNECTIONS = frozenset(
    ("", *(error.problem for error in (BadResponseError, ClientGoneError, UpstreamClosedError, UpstreamTimeoutError)))
)
"""Errors that say of an answer only how its connection ended."""


def settled(answer: Answer, body: bytes) -> tuple[Answer, bytes]:
    """An answer as it counts: whole where it was cut after its own end, without a body where it was cut before."""
    if answer.missing != "cut" or not body:
        return answer, body
    if answer.error in _OF_CONNECTIONS and said_its_end(parse_response(answer.head, b"GET"), body):
        return msgspec.structs.replace(answer, missing="", error=""), body
    return answer, b""


def said_its_end(head: ResponseHead, body: bytes | bytearray) -> bool:
    """Whether an answer whose framing did not end is a stream that had said its own; none is read through a coding."""
    media, codings = adapt.notes(head).stream, adapt.notes(head).codings
    if media is None or codings is not None or not 200 <= head.status < 300:
        return False
    framing = reader(media.decode("latin-1"), limit=max(len(body), 1))
    assert framing is not None
    outcome = Outcome()
    for event in framing.feed(bytes(body)):
        outcome.follow(event)
    if (last := framing.close()) is not None:
        outcome.follow(last)
    return outcome.verdict(Ending.BROKEN).result is Result.COMPLETE
