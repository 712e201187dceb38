"""A stream on its way through a chain of adapters: bytes in, bytes out, without any I/O.

    chain = StreamChain(compile_stream(steps), "text/event-stream")
    send(chain.feed(received))      # whatever can go out now: an event goes as soon as it is complete
    send(chain.close(ending))       # the last event, and what the adapters put at the end of a complete stream

Where bytes were cut on their way never shows in what comes out. What no rule is for comes out to the byte; `[DONE]`,
comments and errors inside the stream do, unless a rule names them. Memory is bounded by `Limits`. A stream that cannot
be stepped down any further is a `BrokenStreamError`.
"""

from __future__ import annotations

from typing import NamedTuple

from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.stream.adapting.compiling import CompiledStream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError, NoStreamAdapterError, TooManyEventsError
from stepdown_adapters.stream.adapting.running import UNREAD, Item, Steps
from stepdown_adapters.stream.adapting.state import StateTooLargeError
from stepdown_adapters.stream.adapting.writing import Framing
from stepdown_adapters.stream.framing import LIMIT, Event, EventTooLongError
from stepdown_adapters.stream.media import reader
from stepdown_adapters.stream.outcome import Ending, Outcome, Result, Verdict
from stepdown_adapters.stream.signals import Signal


class Limits(NamedTuple):
    """Bounds of one stream."""

    event: int = LIMIT
    """Bytes of the longest event."""
    state: int = LIMIT
    """Bytes that the folds of all adapters hold together."""
    emitted: int = 1024
    """Events that may become of one."""
    size: int = 4 * LIMIT
    """Bytes that may become of one event, all that is emitted together."""


Items = list[Item | Event]
"""What comes out: events that no rule was for are no items."""
_REASONS: dict[type[Exception], str] = {
    AdaptError: "adapter",
    EventTooLongError: "event-too-long",
    StateTooLargeError: "state-too-large",
    TooManyEventsError: "too-many-events",
}
_FAILURES = tuple(_REASONS)
_CUT, _ERROR = Signal.CUT, Signal.ERROR


def broken(error: Exception) -> BrokenStreamError:
    """What a failure means for its stream."""
    return BrokenStreamError(_REASONS[type(error)], error)


class Events:
    """The events of one stream after all adapters, as its bytes arrive; what `StreamChain` and `Collector` share."""

    __slots__ = ("_broken", "_left", "_limits", "_passes", "_reader", "_steps", "outcome")

    def __init__(self, stream: CompiledStream, content_type: str, context: Context | None, limits: Limits) -> None:
        """See `StreamChain`."""
        if stream.missing is not None:
            raise NoStreamAdapterError(stream.missing)
        framing = reader(content_type, limits.event)
        if framing is None:
            raise ValueError(f"{content_type!r} is no type of a stream of events")
        self._reader = framing
        self._limits = limits
        self._passes = stream.watch.passes
        self._steps = Steps(stream, Context() if context is None else context, limits.state)
        self._broken: BrokenStreamError | None = None
        self.outcome = Outcome()
        """What the server's stream says of itself so far, its errors included."""
        self._left = b""  # the last event, where it lacked its end

    def take(self, chunk: bytes, out: Items) -> None:
        """Put into `out` what becomes of these bytes; raises `BrokenStreamError`, once and again."""
        if self._broken is not None:
            raise self._broken
        failure: EventTooLongError | None = None
        try:
            events = self._reader.feed(chunk)
        except EventTooLongError as error:
            events, failure = list(error.before), error
        follow, passes = self.outcome.follow, self._passes
        for event in events:
            signal = follow(event)
            if passes(event):
                out.append(event)
            else:
                self._adapt(event, signal, out)
        if failure is not None:
            raise self._break(failure)

    def finish(self, ending: Ending, out: Items) -> Verdict:
        """Put into `out` what is left, and what adapters put at the end of a complete stream; the verdict about it.

        What is left of a connection that broke may be half of anything, so it is left out.
        """
        if self._broken is not None:
            raise self._broken
        left = self._reader.close()
        if left is not None and ending is Ending.ORDERLY:
            self._left = left.raw
            self._adapt(left, self.outcome.follow(left), out)
        verdict = self.outcome.verdict(ending)
        if verdict.result is Result.COMPLETE and ending is not Ending.CANCELLED:
            try:
                out += self._bounded(self._steps.end())
            except _FAILURES as error:
                raise self._break(error) from error
        return verdict

    def collected(self) -> object:
        """What the last step, which says how, makes of all that it folded."""
        try:
            return self._steps.collected()
        except _FAILURES as error:
            raise self._break(error) from error

    def _adapt(self, event: Event, signal: Signal, out: Items) -> None:
        if signal is _CUT:
            out.append(event)  # half an event: nobody reads it, and it shows that the stream was cut
            return
        try:
            items = self._steps.take([Item(event, UNREAD, signal is _ERROR)])
            out += self._bounded(items)
        except _FAILURES as error:
            raise self._break(error) from error

    def _bounded(self, items: list[Item]) -> list[Item]:
        limits = self._limits
        if len(items) > limits.emitted:
            raise TooManyEventsError(len(items), limits.emitted)
        self._steps.encode(items, limits.size)
        return items

    def _break(self, error: Exception) -> BrokenStreamError:
        self._broken = broken(error)
        return self._broken


class StreamChain(Events):
    """One stream, stepped down from bytes to bytes."""

    __slots__ = ("_framing", "sent")

    def __init__(
        self,
        stream: CompiledStream,
        content_type: str,
        context: Context | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        """`context` is that of the request, with what its adapters carry; raises `ValueError` for what is no stream."""
        super().__init__(stream, content_type, context, limits)
        self._framing = Framing(content_type)
        self.sent = 0
        """Events that came out so far."""

    def feed(self, chunk: bytes) -> bytes:
        """What can go out now; raises `BrokenStreamError`, whose `before` may go out first."""
        items: Items = []
        try:
            self.take(chunk, items)
        except BrokenStreamError as error:
            error.before = self._written(items)
            raise
        if len(items) == 1:
            self.sent += 1
            return self._framing.write(items[0])
        return self._written(items)

    def close(self, ending: Ending = Ending.ORDERLY) -> bytes:
        """What goes out at the end; raises as `feed` does.

        Only a complete stream gets the end that the adapters have for it. How it was is `outcome.verdict(ending)`.
        """
        items: Items = []
        try:
            self.finish(ending, items)
        except BrokenStreamError as error:
            error.before = self._written(items)
            raise
        return self._written(items)

    def _written(self, items: Items) -> bytes:
        framing = self._framing
        self.sent += len(items)
        if self._left and len(items) > 1:
            # The first is what was left without its end; as it came, it needs one now that something follows.
            first = framing.write(items[0])
            if first == self._left:
                first += framing.separator
            return first + b"".join(map(framing.write, items[1:]))
        return b"".join(map(framing.write, items))
