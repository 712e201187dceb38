"""What an event means for whether its stream is well: errors in place of a chunk, ends, and finish reasons.

Each dialect has its own way of saying that it is done, and all of them may say that they failed, in an answer whose
status was 200 long ago. A field `error` alone is no error: servers send it empty or null with good answers, and a model
may well have an output of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from stepdown_adapters.codec import reading
from stepdown_adapters.errors import Refusal
from stepdown_adapters.stream.events import OF_ERRORS, SPOKEN, Dialect, Kind, Said
from stepdown_adapters.stream.framing import Event

# Tuples, since members of an enumeration take longer to hash than to compare.
_OF_CHOICES = (Dialect.CHAT, Dialect.COMPLETIONS)
_TYPED = (Dialect.RESPONSES, Dialect.ANTHROPIC)
_MOST_CHOICES = 1024
"""Choices of one answer that are kept track of; OpenAI allows 128."""


class Signal(StrEnum):
    """What one event means for its stream."""

    SIDE = "side"
    """Nothing: a comment, usage, an event that keeps the connection alive."""
    PART = "part"
    """A part of the answer, or a sign that more is to come."""
    FINISH = "finish"
    """Every choice has its finish reason."""
    DONE = "done"
    """`[DONE]` of chat and completions, which is only right after every finish reason."""
    STOP = "stop"
    """`[DONE]` of anything else."""
    END = "end"
    """The dialect's own end of a whole answer."""
    ERROR = "error"
    CUT = "cut"
    """It is half of an event, at the end of the stream."""
    MALFORMED = "malformed"
    """No JSON where the dialect has nothing else."""


_FINISHED_BADLY = "error"
"""The finish reason that tells of an error (OpenRouter and vLLM send it with what was generated so far)."""


def error_of(said: Said) -> Any:
    """What an event says went wrong: an object or a text; `None` where it is no error."""
    document = said.document
    if said.event.event == "error":
        inner = document.get("error") if isinstance(document, dict) else None
        return inner or document or (said.event.data or b"").decode(errors="replace")
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if isinstance(error, dict | str) and error and (document.keys() <= OF_ERRORS or _has_message(error)):
        return error
    kind = document.get("type")
    if kind == "response.failed":
        response = document.get("response")
        return (response.get("error") if isinstance(response, dict) else None) or "response.failed"
    message = isinstance(document.get("message"), str)
    if message and (kind == "error" or document.get("object") == "error" or document.get("error_code")):
        return document
    return None


def _has_message(error: dict[str, Any] | str) -> bool:
    return isinstance(error, dict) and "message" in error


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    finish_reason: str | None = None


class _Heard(msgspec.Struct, gc=False):
    """All that tells an event that is a part from one that is more than that."""

    choices: tuple[_Choice, ...] = ()
    type: str | None = None
    error: Any = None
    message: Any = None


_heard = reading(_Heard)
_MORE = frozenset(
    {
        *("error", "ping", "message_start", "message_stop"),
        *("response.failed", "response.completed", "response.incomplete"),
    }
)
"""Types of events that are or may be more than a part."""


class Choices:
    """Which choices of an answer have begun and not finished, and what each chunk changes about it."""

    __slots__ = ("_finished", "_open")

    def __init__(self) -> None:
        self._open: set[object] = set()
        self._finished: set[object] = set()

    def signal(self, document: dict[str, Any]) -> Signal:
        """What a chunk of chat or completions means."""
        choices = document.get("choices")
        if not isinstance(choices, list) or not choices:
            return Signal.SIDE
        for choice in choices:
            if isinstance(choice, dict) and not self._follow(choice):
                return Signal.ERROR
        return Signal.PART if self._open else Signal.FINISH

    def go_on(self, choices: tuple[_Choice, ...]) -> bool:
        """Whether these are further parts of choices that have begun, at least one; never wrongly yes."""
        for choice in choices:
            if choice.finish_reason or choice.index not in self._open:
                return False
        return bool(choices)

    def _follow(self, choice: dict[str, Any]) -> bool:
        index = choice.get("index", 0)
        place = index if isinstance(index, int) else 0
        reason = choice.get("finish_reason")
        if reason == _FINISHED_BADLY:
            return False
        if reason:  # some servers send an empty one with every chunk
            self._open.discard(place)
            if len(self._finished) < _MOST_CHOICES:
                self._finished.add(place)
        elif place not in self._finished and len(self._open) < _MOST_CHOICES:
            self._open.add(place)
        return True


def _responses(document: dict[str, Any]) -> Signal:
    # What ends for its length or a filter has ended as `finish_reason: length` does: it is a whole answer.
    return Signal.END if document.get("type") in ("response.completed", "response.incomplete") else Signal.PART


def _anthropic(document: dict[str, Any]) -> Signal:
    kind = document.get("type")
    if kind == "ping":
        return Signal.SIDE
    return Signal.END if kind == "message_stop" else Signal.PART


def _ollama(document: dict[str, Any]) -> Signal:
    return Signal.END if document.get("done") is True else Signal.PART


_ENDS: dict[Dialect, Callable[[dict[str, Any]], Signal]] = {
    Dialect.RESPONSES: _responses,
    Dialect.ANTHROPIC: _anthropic,
    Dialect.OLLAMA: _ollama,
}


def _broken(said: Said) -> bool:
    """Whether the last event lacks more than the empty line that should follow it."""
    if said.kind in (Kind.JSON, Kind.DONE) or said.event.comments:
        return False
    return not said.event.raw.endswith((b"\n", b"\r"))


def signal(said: Said, dialect: Dialect, choices: Choices) -> Signal:
    """What the event means in a stream of this dialect, whose `choices` it is that are followed."""
    kind = said.kind
    if said.event.cut and _broken(said):
        return Signal.CUT
    if kind is Kind.NOTHING:
        return Signal.SIDE
    if kind is Kind.DONE:
        return Signal.DONE if dialect in _OF_CHOICES else Signal.STOP
    if error_of(said) is not None:
        return Signal.ERROR
    if kind is Kind.TEXT:
        return Signal.MALFORMED if dialect in SPOKEN else Signal.PART
    if dialect is Dialect.UNKNOWN:
        return Signal.SIDE  # it could belong to several, so it has nothing of an answer yet
    document = said.document
    if not isinstance(document, dict):
        return Signal.PART
    if dialect in _OF_CHOICES:
        return choices.signal(document)
    ends = _ENDS.get(dialect)
    return ends(document) if ends else Signal.PART


def goes_on(event: Event, dialect: Dialect, choices: Choices) -> bool:
    """Whether the event is a part of an answer that has begun, and nothing more; never wrongly yes.

    A number that is too large for a float, which `read` takes for no JSON, is passed over where nobody looks at it.
    That is asked of nearly all events, so only what could tell otherwise is decoded: a quarter of the time that `read`
    and `signal` take.
    """
    data = event.data
    if data is None or event.event == "error" or event.cut:
        return False
    try:
        heard = _heard(data)
    except (Refusal, ValueError):  # `[DONE]`, and what is of any other shape
        return False
    if heard.error is not None or heard.message is not None:
        return False
    if dialect in _OF_CHOICES:
        return heard.type is None and choices.go_on(heard.choices)
    return dialect in _TYPED and heard.type is not None and heard.type not in _MORE
