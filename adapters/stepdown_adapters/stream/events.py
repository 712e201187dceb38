"""What an event of a stream says, and which dialect the stream speaks: recognised by content, not by configuration.

Model servers stream in a handful of dialects. None of them is announced by a field of the head, so the first event that
only one dialect has decides. Servers and gateways may send something of their own first (Azure a chunk without choices,
others a document about the conversation), so for some events a stream without a dialect may still turn out to have one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

from stepdown_adapters.codec import read_whole
from stepdown_adapters.errors import Refusal
from stepdown_adapters.stream.framing import Event

DONE = b"[DONE]"
"""The payload with which streams of the OpenAI family end."""

_PATIENCE = 8
"""Documents of no dialect, after which a stream counts as one of documents for good."""


# A pair of surrogates, one alone, or any other escape.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)")


class Kind(StrEnum):
    """What the payload of an event is."""

    NOTHING = "nothing"
    """There is none: a comment, an id, an empty line."""
    JSON = "json"
    DONE = "done"
    TEXT = "text"
    """It is no JSON."""


_JSON = Kind.JSON


class Said(msgspec.Struct, frozen=True):
    """An event with its payload decoded."""

    event: Event
    kind: Kind
    document: Any = None
    """Where it is JSON."""


class Dialect(StrEnum):
    """How a stream says what it says."""

    CHAT = "openai-chat"
    """Chat completions: chunks with `choices[].delta`, then `[DONE]`."""
    COMPLETIONS = "openai-completions"
    """Legacy completions: chunks with `choices[].text`, then `[DONE]`."""
    RESPONSES = "openai-responses"
    """Typed events from `response.created` to `response.completed`; no `[DONE]`."""
    ANTHROPIC = "anthropic-messages"
    """Typed events from `message_start` to `message_stop`."""
    OLLAMA = "ollama"
    """Lines with `done: false`, the last with `done: true`."""
    DOCUMENTS = "documents"
    """JSON of any other kind, a document in each event: KServe, Triton, MLflow, rows of a batch."""
    UNKNOWN = "unknown"
    """Nothing was said yet, or no JSON."""


SPOKEN = frozenset(Dialect) - {Dialect.DOCUMENTS, Dialect.UNKNOWN}
"""Dialects that say by themselves when an answer is complete."""

OF_ERRORS = frozenset(
    {"error", "error_code", "error_type", "code", "status", "status_code", "type", "message", "detail", "request_id"}
)
"""Members of the errors that servers send; a document that has others may have an output named `error`."""

_OBJECTS = {
    "chat.completion.chunk": Dialect.CHAT,
    "text_completion": Dialect.COMPLETIONS,
    "text_completion.chunk": Dialect.COMPLETIONS,
}
_ANTHROPIC = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }
)


def read(event: Event) -> Said:
    """The event with its payload decoded; what is no JSON, not UTF-8 or nested too deeply is text. Never raises."""
    data = event.data
    if data is None:
        return Said(event, Kind.NOTHING)
    if data == DONE:
        return Said(event, Kind.DONE)
    try:
        return Said(event, _JSON, read_whole(data))
    except (Refusal, ValueError):  # msgspec's errors are ValueErrors
        return _read_surrogates(event, data)


def _read_surrogates(event: Event, data: bytes) -> Said:
    """The event, where all that is wrong with it is half of a character: servers that cut text by token send those."""
    whole = mended(data)
    if whole != data:
        try:
            return Said(event, Kind.JSON, read_whole(whole))
        except (Refusal, ValueError):
            pass
    return Said(event, Kind.TEXT)


def mended(data: bytes) -> bytes:
    """JSON text with U+FFFD for each half of a character, which servers that cut text by token send."""
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], data)


def dialect_of(document: Any) -> Dialect | None:
    """The dialect that this document belongs to, `None` where it could belong to several."""
    if not isinstance(document, dict):
        return Dialect.DOCUMENTS
    kind = document.get("type")
    if isinstance(kind, str) and (typed := _typed(kind, document)):
        return typed
    choices = document.get("choices")
    if isinstance(choices, list):
        named = document.get("object")
        return _OBJECTS.get(named) if isinstance(named, str) and named in _OBJECTS else _chosen(choices)
    if isinstance(document.get("done"), bool) and ("response" in document or "message" in document):
        return Dialect.OLLAMA
    if kind in ("error", "ping"):
        return None
    error = document.get("error")
    if isinstance(error, dict | str) and error and document.keys() <= OF_ERRORS:
        return None
    return Dialect.DOCUMENTS


def _typed(kind: str, document: dict[str, Any]) -> Dialect | None:
    if kind in _ANTHROPIC:
        return Dialect.ANTHROPIC
    if kind.startswith("response.") or (kind == "error" and "sequence_number" in document):
        return Dialect.RESPONSES
    return None


def _chosen(choices: list[Any]) -> Dialect | None:
    """By what the first choice has; a chunk without choices tells of usage, or of a gateway's filters."""
    first = choices[0] if choices else None
    if not isinstance(first, dict):
        return None if not choices else Dialect.DOCUMENTS
    if "delta" in first:
        return Dialect.CHAT
    return Dialect.COMPLETIONS if isinstance(first.get("text"), str) else Dialect.DOCUMENTS


class Recogniser:
    """Which dialect one stream speaks, as far as its events have told."""

    __slots__ = ("_patience", "dialect")

    def __init__(self) -> None:
        self.dialect = Dialect.UNKNOWN
        self._patience = _PATIENCE

    def hear(self, said: Said) -> Dialect:
        """The dialect after this event; once it is one of `SPOKEN`, it stays."""
        if self._patience and said.kind is Kind.JSON:
            heard = dialect_of(said.document)
            if heard in SPOKEN:
                self._patience = 0
                self.dialect = heard
            elif heard:
                self._patience -= 1
                self.dialect = heard
        return self.dialect
