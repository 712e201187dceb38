"""Whether a stream was a good answer, which its status said before anybody could know.

An answer of 200 may tell of an error in place of a chunk, and may break off in silence. So a stream is judged by what
it says: an error makes it a failure, whatever comes after; an end that the dialect gives itself makes it complete; a
stream that stops without one was cut. How its connection ended counts only where the stream has not said.

    state       after                                            if it ends there in order
    empty       nothing, or comments only                        failed: empty
    open        a part of an answer                              failed: cut; of documents: complete
    finished    every choice has its finish reason               complete
    ended       [DONE] after that, message_stop, ...             complete, even if the connection breaks
    cut         half an event                                    failed
    unfinished  [DONE] while a choice has no finish reason       failed
    failed      an error                                         failed
    malformed   no JSON where the dialect has nothing else       failed

An answer in chat chunks counts as complete without `[DONE]` if each choice has its finish reason and the body ended in
order, because the client has all of it. It does not if the connection broke there: usage may be missing. The server of
llama.cpp ends a stream that it gives up with `[DONE]` and without any finish reason; and where it refuses a request
late, it sends no event at all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from stepdown_adapters.stream.events import SPOKEN, Dialect, Recogniser, Said, read
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.stream.signals import Choices, Signal, error_of, goes_on, signal

_LONGEST = 200
"""Characters of a server's message that are kept."""


class State(StrEnum):
    """How far a stream is."""

    EMPTY = "empty"
    OPEN = "open"
    FINISHED = "finished"
    ENDED = "ended"
    CUT = "cut"
    UNFINISHED = "unfinished"
    FAILED = "failed"
    MALFORMED = "malformed"


class Ending(StrEnum):
    """How the body of a stream ended."""

    ORDERLY = "orderly"
    """As its framing says: the last chunk, or all of its length."""
    BROKEN = "broken"
    """The server's connection was lost, or the server was too slow."""
    CANCELLED = "cancelled"
    """The client left."""


class Result(StrEnum):
    """What a stream counts as."""

    COMPLETE = "complete"
    FAILED = "failed"
    NEITHER = "neither"
    """The client left before its end: it says nothing about the server."""


class Verdict(msgspec.Struct, frozen=True):
    """What a stream counts as, and why."""

    result: Result
    reason: str = ""
    """`error`, `malformed`, `unfinished`, `cut`, `empty`, `cancelled`; empty where it is complete."""
    error: str = ""
    """The server's own name of an error, such as `overloaded_error`; anything may stand there, so it is no label."""
    message: str = ""
    """The server's own words, cut to 200 characters; they may quote the request."""

    @property
    def failed(self) -> bool:
        """Whether it counts against the server."""
        return self.result is Result.FAILED


_PART, _OPEN = Signal.PART, State.OPEN
_LAST = frozenset({State.FAILED, State.MALFORMED})
_NEXT: dict[tuple[State, Signal], State] = {
    (State.EMPTY, Signal.PART): State.OPEN,
    (State.EMPTY, Signal.FINISH): State.FINISHED,
    (State.EMPTY, Signal.END): State.ENDED,
    (State.OPEN, Signal.FINISH): State.FINISHED,
    (State.OPEN, Signal.DONE): State.UNFINISHED,
    (State.OPEN, Signal.STOP): State.ENDED,
    (State.OPEN, Signal.END): State.ENDED,
    (State.FINISHED, Signal.PART): State.OPEN,  # another choice
    (State.FINISHED, Signal.DONE): State.ENDED,
    **{(state, Signal.CUT): State.CUT for state in (State.EMPTY, State.OPEN, State.FINISHED)},
    **{(state, Signal.ERROR): State.FAILED for state in set(State) - _LAST},
    **{(state, Signal.MALFORMED): State.MALFORMED for state in set(State) - _LAST},
}
"""What is not in the table changes nothing: `[DONE]` alone leaves a stream empty."""

_COMPLETE = Verdict(Result.COMPLETE)
_ENDED: dict[tuple[State, Ending], Verdict] = {
    (State.EMPTY, Ending.ORDERLY): Verdict(Result.FAILED, "empty"),
    (State.OPEN, Ending.ORDERLY): Verdict(Result.FAILED, "cut"),
    (State.FINISHED, Ending.ORDERLY): _COMPLETE,
    (State.CUT, Ending.ORDERLY): Verdict(Result.FAILED, "cut"),
    **{(state, Ending.BROKEN): Verdict(Result.FAILED, "cut") for state in State},
    **{(state, Ending.CANCELLED): Verdict(Result.NEITHER, "cancelled") for state in State},
    # What the stream has said itself goes before how it ended: clients may leave as soon as they have read the end.
    **{(State.ENDED, ending): _COMPLETE for ending in Ending},
    **{(State.UNFINISHED, ending): Verdict(Result.FAILED, "unfinished") for ending in Ending},
    **{(State.FAILED, ending): Verdict(Result.FAILED, "error") for ending in Ending},
    **{(State.MALFORMED, ending): Verdict(Result.FAILED, "malformed") for ending in Ending},
}


class Outcome:
    """Follows one stream and says what it is worth."""

    __slots__ = ("_choices", "_failure", "_recogniser", "state")

    def __init__(self) -> None:
        self.state = State.EMPTY
        self._recogniser = Recogniser()
        self._choices = Choices()
        self._failure = _ENDED[State.FAILED, Ending.ORDERLY]

    @property
    def dialect(self) -> Dialect:
        """The dialect, as far as is known."""
        return self._recogniser.dialect

    def hear(self, said: Said) -> Signal:
        """Take the next event into account; the signal is what it meant."""
        heard = signal(said, self._recogniser.hear(said), self._choices)
        if heard is _PART and self.state is _OPEN:
            return heard  # nearly all events, and the table has nothing about them
        after = _NEXT.get((self.state, heard), self.state)
        if after is State.FAILED and self.state is not State.FAILED:
            self._failure = _failure(error_of(said))
        self.state = after
        return heard

    def follow(self, event: Event) -> Signal:
        """The same for who has no use for what the event says."""
        if self.state is _OPEN and goes_on(event, self._recogniser.dialect, self._choices):
            return _PART
        return self.hear(read(event))

    def verdict(self, ending: Ending = Ending.ORDERLY) -> Verdict:
        """What the stream is worth if it ends now, like this."""
        if self.state is State.OPEN and ending is Ending.ORDERLY and self.dialect not in SPOKEN:
            return _COMPLETE  # nothing but the end of the body says that there are no more documents
        return self._failure if self.state is State.FAILED else _ENDED[self.state, ending]


def _failure(error: Any) -> Verdict:
    """The verdict about an error, with the server's own words."""
    if not isinstance(error, dict):
        return Verdict(Result.FAILED, "error", message=str(error or "")[:_LONGEST])
    names = (error.get(name) for name in ("type", "error_type", "code", "error_code"))
    name = next((name for name in names if isinstance(name, str | int) and name not in ("", "error")), "")
    message = error.get("message")
    words = message if isinstance(message, str) else ""
    return Verdict(Result.FAILED, "error", str(name)[:_LONGEST], words[:_LONGEST])
