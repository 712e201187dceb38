"""A stream gathered into one document, so that it can be compared, or given to a client that cannot stream.

The document is the one that the same server would have answered without a stream: a `chat.completion` of chunks, a
message of Anthropic's events, and so on; of a stream without a dialect it is the list of its payloads. So all that is
said about answers by path holds for streams too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stepdown_adapters.stream.events import SPOKEN, Dialect, Kind, Said, read
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.stream.gathering.anthropic import Messages
from stepdown_adapters.stream.gathering.chunks import Chunks
from stepdown_adapters.stream.gathering.documents import Documents, Ollama
from stepdown_adapters.stream.gathering.gatherer import Gatherer
from stepdown_adapters.stream.gathering.growing import Budget
from stepdown_adapters.stream.gathering.responses import Responses
from stepdown_adapters.stream.media import reader
from stepdown_adapters.stream.outcome import Ending, Outcome, Verdict

LIMIT = 1 << 20
"""Bytes of the document's JSON that are kept, unless said otherwise."""
_MOST_TYPES = 64
"""Types of events that are counted one by one."""
_OTHERS = "(others)"

_VOLATILE: dict[Dialect, tuple[str, ...]] = {
    Dialect.CHAT: ("/id", "/created", "/choices/*/message/tool_calls/*/id"),
    Dialect.COMPLETIONS: ("/id", "/created"),
    Dialect.RESPONSES: ("/id", "/created_at", "/completed_at", "/output/*/id", "/output/*/call_id"),
    Dialect.ANTHROPIC: ("/id", "/content/*/id"),
    Dialect.OLLAMA: (
        "/created_at",
        "/total_duration",
        "/load_duration",
        "/prompt_eval_duration",
        "/eval_duration",
    ),
}


class Summary(msgspec.Struct, frozen=True):
    """What one stream said, as a whole."""

    dialect: Dialect
    verdict: Verdict
    document: Any
    """The answer in one piece; of a stream that was cut, as far as it came."""
    events: dict[str, int]
    """How many events there were of each type."""
    contentful: int
    """How many of them brought some of the answer's content: tokens, mostly."""
    truncated: bool
    """The document lacks what there was no room for; counts and verdict are of the whole stream."""

    @property
    def volatile(self) -> tuple[str, ...]:
        """Paths in the document that differ between any two answers of one server, such as its id."""
        return _VOLATILE.get(self.dialect, ())


class Gathering:
    """Gathers one stream as its events come; what it keeps is at most `limit` bytes of JSON, and the event in hand."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._budget = Budget(limit)
        self._outcome = Outcome()
        self._documents: Documents | None = Documents(self._budget)
        self._gatherer: Gatherer = self._documents
        self._events: dict[str, int] = {}
        self._contentful = 0

    def feed(self, event: Event) -> None:
        """Take the next event into account."""
        self.hear(read(event))

    def hear(self, said: Said) -> None:
        """The same for an event that has been read already."""
        self._outcome.hear(said)
        name = _name(said)
        if name:
            self._count(name)
        dialect = self._outcome.dialect
        if self._documents is not None and dialect in SPOKEN:
            self._change(dialect)
        self._contentful += self._gatherer.hear(said)

    def summary(self, ending: Ending = Ending.ORDERLY) -> Summary:
        """What was gathered, for a stream that ended like this."""
        return Summary(
            self._outcome.dialect,
            self._outcome.verdict(ending),
            self._gatherer.document(),
            dict(self._events),
            self._contentful,
            self._budget.spent,
        )

    def _count(self, name: str) -> None:
        if name not in self._events and len(self._events) >= _MOST_TYPES:
            name = _OTHERS
        self._events[name] = self._events.get(name, 0) + 1

    def _change(self, dialect: Dialect) -> None:
        """To the dialect's own gatherer, which is told what came before the stream was recognised."""
        earlier = self._documents.first if self._documents else []
        self._documents = None
        self._budget = Budget(self._limit)
        self._gatherer = _gatherer(dialect, self._budget)
        self._contentful = sum(self._gatherer.hear(said) for said in earlier)


def summary(body: bytes, content_type: str, limit: int = LIMIT, ending: Ending = Ending.ORDERLY) -> Summary | None:
    """What a whole body says, content codings taken off; `None` where its type is not one of a stream of events."""
    framing = reader(content_type, limit=max(len(body), 1))
    if framing is None:
        return None
    gathering = Gathering(limit)
    for event in framing.feed(body):
        gathering.feed(event)
    if (last := framing.close()) is not None:
        gathering.feed(last)
    return gathering.summary(ending)


def _gatherer(dialect: Dialect, budget: Budget) -> Gatherer:
    if dialect is Dialect.RESPONSES:
        return Responses(budget)
    if dialect is Dialect.ANTHROPIC:
        return Messages(budget)
    if dialect is Dialect.OLLAMA:
        return Ollama(budget)
    return Chunks(budget, "chat.completion" if dialect is Dialect.CHAT else "text_completion")


def _name(said: Said) -> str:
    """The type by which an event is counted: its own, or what its payload says that it is."""
    if said.kind is Kind.NOTHING:
        return "comment" if said.event.comments else ""
    if said.kind is Kind.DONE:
        return "[DONE]"
    document = said.document
    if isinstance(document, dict):
        if isinstance(document.get("error"), dict):
            return "error"
        named = document.get("type") or document.get("object")
        if isinstance(named, str) and not said.event.event:
            return named[:64]
    return said.event.event[:64] or said.kind.value
