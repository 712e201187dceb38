"""Two replies in one shape held against each other: status, media type, contract, and what the bodies say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

from stepdown.comparison.answers import REDACTED, UNREAD, Compared, Difference, Reply
from stepdown.comparison.documents import differences
from stepdown.comparison.places import root
from stepdown.comparison.rules import State, compile_rules
from stepdown.comparison.scalars import similarity
from stepdown.decide.shadow_spec import Comparing

_decode = msgspec.json.Decoder().decode
_IDLE = {"comment", "ping"}
"""Events that keep a connection open, and say nothing."""
_encode = msgspec.json.Encoder(order="sorted").encode


class Comparison:
    """The rules of one shadow, compiled once."""

    __slots__ = ("_events", "redacts", "rules")

    def __init__(self, comparing: Comparing, redact: Iterable[str] = ()) -> None:
        """Raises `PathError` where a path is none."""
        redact = tuple(redact)
        self.rules: State = compile_rules(comparing, redact)
        self.redacts = bool(redact)
        self._events = comparing.events

    def compare(self, served: Reply, candidate: Reply) -> Compared:
        """All differences; never raises. Below status codes of different classes nothing is compared."""
        found = _heads(served, candidate, self._events)
        if served.status // 100 != candidate.status // 100 or self.rules.ignored:
            return Compared(found)
        if served.document is UNREAD and candidate.document is UNREAD and served.body == candidate.body:
            return Compared(found)
        first, second = document(served), document(candidate)
        if first is UNREAD and second is UNREAD:
            return Compared(found + self._texts(served, candidate))
        if first is UNREAD or second is UNREAD:
            bodies = self._shown(served, first), self._shown(candidate, second)
            return Compared([*found, Difference("type", root(self.rules), *bodies, 1.0)])
        if _identical(first, second):
            return Compared(found)
        below = differences(self.rules, first, second)
        return Compared(found + below.differences, below.cut) if found else below

    def _texts(self, served: Reply, candidate: Reply) -> list[Difference]:
        """Bodies that are no JSON; a rule for texts with an empty path is for them."""
        if served.body == candidate.body:
            return []
        texts = _text(served), _text(candidate)
        rule = self.rules.text
        share = similarity(*texts) if rule else 0.0
        if rule and share >= rule.similar:
            return []
        kind = "text" if served.media.startswith("text/") else "value"
        shown = (REDACTED, REDACTED) if self.redacts else texts
        return [Difference(kind, root(self.rules), *shown, 1.0 - share)]

    def _shown(self, reply: Reply, read: Any) -> Any:
        """The document; of a body that is none its text, in which no path finds what must not be shown."""
        if read is not UNREAD:
            return read
        return REDACTED if self.redacts else _text(reply)


def document(reply: Reply) -> Any:
    """The body as JSON, read once; `UNREAD` where it is none, or has no body at all."""
    if reply.document is UNREAD and reply.body and not reply.media.startswith("text/event-stream"):
        try:
            reply.document = _decode(reply.body)
        except RecursionError:
            try:  # goes deeper, but makes floats of long integers
                reply.document = orjson.loads(reply.body)
            except ValueError:
                return UNREAD
        except (msgspec.MsgspecError, ValueError):
            return UNREAD
    return reply.document


def _identical(first: Any, second: Any) -> bool:
    """Whether two documents are surely equal: far quicker than a walk, and most are.

    Python takes `1` for `True`, and an encoder takes NaN for null; what both find equal is so.
    """
    try:
        return bool(first == second) and _encode(first) == _encode(second)
    except (RecursionError, ValueError, OverflowError):
        return False


def _heads(served: Reply, candidate: Reply, allowed: float | None) -> list[Difference]:
    found: list[Difference] = []
    if served.status != candidate.status:
        found.append(Difference("status", None, served.status, candidate.status, 1.0))
    if served.status // 100 != candidate.status // 100:
        return found
    if served.media != candidate.media:
        found.append(Difference("media type", None, served.media, candidate.media, 1.0))
    if served.valid is not None and candidate.valid is not None and served.valid != candidate.valid:
        found.append(Difference("contract", None, served.valid, candidate.valid, 1.0))
    if served.events is not None and candidate.events is not None:
        found += _events(served.events, candidate.events, allowed)
    return found


def _events(served: dict[str, int], candidate: dict[str, int], allowed: float | None) -> list[Difference]:
    """What types of events two streams have; and how many, if the share is limited by which that may differ."""
    types = sorted(served.keys() - _IDLE), sorted(candidate.keys() - _IDLE)
    if types[0] != types[1]:
        return [Difference("events", None, *types, 1.0)]
    first, second = (sum(events[name] for name in types[0]) for events in (served, candidate))
    if allowed is None or abs(first - second) <= allowed * first:
        return []
    return [Difference("events", None, first, second, abs(first - second) / max(first, second))]


def _text(reply: Reply) -> str:
    return reply.body.decode("utf-8", "backslashreplace")
