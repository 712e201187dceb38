"""A pair of answers as replies in one shape, ready to be compared.

Streams are compared by what they say as a whole: the one document that the server would have answered without a
stream, less what differs in any two answers. A stream that failed inside an answer of 200 is no answer.

Answers are held against the contract of the pinned version, which takes microseconds for what most models answer; of
long ones that is done for one pair in eight, and of equal ones once.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from stepdown.comparer import stepping
from stepdown.comparer.asked import Asked
from stepdown.comparer.hiding import told
from stepdown.comparer.pairing import Pair
from stepdown.comparer.stepping import Delivered, Incomparable
from stepdown.comparison.answers import UNREAD, Judged, Reply
from stepdown.comparison.view import time_view
from stepdown.wire import parse_response
from stepdown_adapters.paths import Every, Member, parse
from stepdown_adapters.stream.gathered import Summary, summary
from stepdown_adapters.stream.outcome import Result as StreamResult

LONG = 64 * 1024
"""Bytes of an answer that is long: a megabyte takes some 25 milliseconds."""
EACH = 8
"""Of so many pairs of long answers one is held against its contract."""
_NOBODY = Reply(0)
_FAILED_STREAM = "stream-failed"
"""The reason of an answer that says inside that it is none; it is `comparison.verdict`'s word for a failure."""
_SERVED = "served: "
"""Before a reason that lies with the served answer: nothing is said of the candidate then."""


def judged(pair: Pair) -> Judged:
    """The replies to one request; what cannot be compared says why."""
    asked, limit, answer = pair.asked, pair.shadow.max_body, pair.answer
    name = time_view(asked.about.at) or ""  # by which it is found in an access log
    served = stepping.of_served(asked, answer, pair.body, limit)
    candidate = stepping.of_copy(asked, pair.candidate, limit)
    if answer is not None and answer.outcome == "passthrough" and isinstance(served, Incomparable):
        served, candidate = _as_sent(pair)
    if isinstance(served, Incomparable):
        return _none(asked, _SERVED + served.reason, name)
    if isinstance(candidate, Incomparable):
        return _none(asked, candidate.reason, name, told(candidate.detail, pair.shadow))
    assert answer is not None
    first, failed = _reply(served, answer.upstream, len(pair.body))
    second, breaks = _reply(candidate, pair.candidate.elapsed, len(pair.candidate.body))
    if failed or breaks:
        if failed:
            return _none(asked, _SERVED + _FAILED_STREAM, name)
        return _none(asked, _FAILED_STREAM, name, f"The stream is no whole answer: {breaks}")
    noise = None if pair.noise is None else stepping.of_copy(asked, pair.noise, limit)
    third = None
    if pair.noise is not None and isinstance(noise, Delivered):
        third, _ = _reply(noise, pair.noise.elapsed, len(pair.noise.body))
    _validate(asked, [reply for reply in (first, second, third) if reply is not None])
    return Judged(asked.about.pinned, first, second, noise=third, at=asked.about.at, name=name)


def _none(asked: Asked, reason: str, name: str, detail: str = "") -> Judged:
    return Judged(asked.about.pinned, _NOBODY, None, reason, detail, at=asked.about.at, name=name)


def _validate(asked: Asked, replies: list[Reply]) -> None:
    """Say whether good answers keep the contract of the version that was asked for."""
    longest = max(len(reply.body) for reply in replies)
    if longest > LONG and crc32(str(asked.about.id).encode()) % EACH:
        return
    contract = asked.configuration.contract(asked.route.model, asked.about.pinned)
    known: dict[bytes, bool] = {}
    for reply in replies:
        good = 200 <= reply.status < 300 and reply.body and reply.document is UNREAD
        if contract is not None and good:
            if reply.body not in known:
                known[reply.body] = contract.is_valid(reply.body)
            reply.valid = known[reply.body]


def _reply(given: Delivered, nanoseconds: int, size: int) -> tuple[Reply, str]:
    """A reply; and of a stream that failed a word for how it did."""
    media = (given.head.get(b"content-type") or b"").decode("latin-1")
    document, events, failed = UNREAD, None, ""
    if 200 <= given.status < 300 and (said := summary(given.body, media)) is not None:
        document, events = _lasting(said), said.events
        if said.verdict.result is StreamResult.FAILED:
            failed = said.verdict.reason
    media = media.partition(";")[0].strip().lower()
    return Reply(given.status, given.body, media, document, None, nanoseconds / 1e9, size, events), failed


def _as_sent(pair: Pair) -> tuple[Delivered | Incomparable, Delivered | Incomparable]:
    """Of an answer that kept its own shape it can only be said whether both servers gave the very same."""
    assert pair.answer is not None
    result = pair.candidate
    if result.head is None or not result.answered or (result.status, result.body) != (pair.answer.status, pair.body):
        return Incomparable("passthrough"), Incomparable("passthrough")
    head = parse_response(pair.answer.head, pair.asked.head.method)
    return Delivered(head.status, head, pair.body), Delivered(result.status, result.head, result.body)


def _lasting(said: Summary) -> Any:
    """A stream's document without what differs in any two answers of one server."""
    document = said.document
    for path in said.volatile:
        *above, last = parse(path).segments
        holders = [document]
        for segment in above:
            holders = [inner for holder in holders for inner in _below(holder, segment)]
        for holder in holders:
            if isinstance(holder, dict) and isinstance(last, Member):
                holder.pop(last.name, None)
    return document


def _below(holder: Any, segment: object) -> list[Any]:
    if isinstance(segment, Every):
        return list(holder.values()) if isinstance(holder, dict) else holder if isinstance(holder, list) else []
    if isinstance(segment, Member) and isinstance(holder, dict) and segment.name in holder:
        return [holder[segment.name]]
    return []
