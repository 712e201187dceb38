"""A pair of answers as replies in one shape, ready to be compared.

Streams are compared by what they say as a whole: the one document that the server would have answered without a
stream, less what differs in any two answers. A stream that failed inside an answer of 200 is no answer.
"""

from __future__ import annotations

import logging
from typing import Any

from stepdown.comparer import stepping
from stepdown.comparer.asked import Asked
from stepdown.comparer.pairing import Pair
from stepdown.comparer.stepping import Delivered, Incomparable
from stepdown.comparison.answers import UNREAD, Judged, Reply
from stepdown.wire import parse_response
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.paths import Every, Member, parse
from stepdown_adapters.stream.gathered import Summary, summary
from stepdown_adapters.stream.outcome import Result as StreamResult

logger = logging.getLogger(__name__)

KEPT = 64
"""Compiled contracts that are kept."""
_NOBODY = Reply(0)
_FAILED_STREAM = "stream-failed"
"""The reason of an answer that says inside that it is none; it is `comparison.verdict`'s word for a failure."""
_SERVED = "served: "
"""Before a reason that lies with the served answer: nothing is said of the candidate then."""


class Judging:
    """Makes replies of answers, and holds them against the contract of the pinned version where that is known."""

    def __init__(self) -> None:
        self._contracts: dict[tuple[str, str, str], Validator | None] = {}
        """By digest of the configuration, model and pinned version."""

    def judged(self, pair: Pair) -> Judged:
        """The replies to one request; what cannot be compared says why."""
        asked, limit, answer = pair.asked, pair.shadow.max_body, pair.answer
        name = str(asked.about.id)
        served = stepping.of_served(asked, answer, pair.body, limit)
        candidate = stepping.of_copy(asked, pair.candidate, limit)
        if answer is not None and answer.outcome == "passthrough" and isinstance(served, Incomparable):
            served, candidate = _as_sent(pair)
        if isinstance(served, Incomparable):
            return self._none(asked, _SERVED + served.reason, name)
        if isinstance(candidate, Incomparable):
            return self._none(asked, candidate.reason, name)
        assert answer is not None
        first, failed = self._reply(asked, served, answer.upstream, len(pair.body))
        second, breaks = self._reply(asked, candidate, pair.candidate.elapsed, len(pair.candidate.body))
        if failed or breaks:
            return self._none(asked, _SERVED + _FAILED_STREAM if failed else _FAILED_STREAM, name)
        noise = None if pair.noise is None else stepping.of_copy(asked, pair.noise, limit)
        third = None
        if pair.noise is not None and isinstance(noise, Delivered):
            third, _ = self._reply(asked, noise, pair.noise.elapsed, len(pair.noise.body))
        return Judged(asked.about.pinned, first, second, noise=third, at=asked.about.at, name=name)

    @staticmethod
    def _none(asked: Asked, reason: str, name: str) -> Judged:
        return Judged(asked.about.pinned, _NOBODY, None, reason, at=asked.about.at, name=name)

    def _reply(self, asked: Asked, given: Delivered, nanoseconds: int, size: int) -> tuple[Reply, bool]:
        """A reply, and whether it is a stream that failed."""
        media = (given.head.get(b"content-type") or b"").decode("latin-1")
        document, failed = UNREAD, False
        if 200 <= given.status < 300 and (said := summary(given.body, media)) is not None:
            document, failed = _lasting(said), said.verdict.result is StreamResult.FAILED
        reply = Reply(
            given.status,
            given.body,
            media.partition(";")[0].strip().lower(),
            document,
            self._valid(asked, given) if document is UNREAD else None,
            nanoseconds / 1e9,
            size,
        )
        return reply, failed

    def _valid(self, asked: Asked, given: Delivered) -> bool | None:
        """Whether a good answer keeps the contract of the version that was asked for."""
        if not 200 <= given.status < 300 or not given.body:
            return None
        contract = self._contract(asked)
        return None if contract is None else contract.is_valid(given.body)

    def _contract(self, asked: Asked) -> Validator | None:
        key = (asked.about.digest, asked.route.model, asked.about.pinned)
        if key not in self._contracts:
            if len(self._contracts) >= KEPT:
                self._contracts.clear()
            version = asked.configuration.version(key[1], key[2])
            self._contracts[key] = _compiled(None if version is None else version.contract)
        return self._contracts[key]


def _as_sent(pair: Pair) -> tuple[Delivered | Incomparable, Delivered | Incomparable]:
    """Of an answer that kept its own shape it can only be said whether both servers gave the very same."""
    assert pair.answer is not None
    result = pair.candidate
    if result.head is None or not result.answered or (result.status, result.body) != (pair.answer.status, pair.body):
        return Incomparable("passthrough"), Incomparable("passthrough")
    head = parse_response(pair.answer.head, pair.asked.head.method)
    return Delivered(head.status, head, pair.body), Delivered(result.status, result.head, result.body)


def _compiled(schema: dict[str, Any] | bool | None) -> Validator | None:
    if schema is None:
        return None
    try:
        return Validator(schema)
    except Exception as error:
        logger.warning("a contract cannot be compiled, so shadows' answers are not held against it: %r", error)
        return None


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
