"""Runs the compiled sections of a chain over the events of one stream: events in, events out, nothing written yet.

Each step takes an event to none, one or more, which the next step takes in turn. An item is read when the first step
looks into it, and carries its document from there on; one that no rule was for is, to the byte, what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from stepdown_adapters.codec import opening
from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError, Refusal
from stepdown_adapters.generate import FOREIGN
from stepdown_adapters.non_finite import nulled
from stepdown_adapters.runtime import MISSING, copied
from stepdown_adapters.stream.adapting.compiling import CompiledEmit, CompiledRule, CompiledStep, CompiledStream
from stepdown_adapters.stream.adapting.failures import TooManyEventsError
from stepdown_adapters.stream.adapting.selection import Key
from stepdown_adapters.stream.adapting.state import Budget, State
from stepdown_adapters.stream.events import DONE, mended
from stepdown_adapters.stream.framing import Event

UNREAD: Any = object()
"""Stands for the document of an event that nobody has looked into."""


class Item(msgspec.Struct, eq=False):
    """One event on its way through the steps."""

    event: Event
    document: Any = UNREAD
    """`UNREAD`, `MISSING` where it is no JSON, or a document as the codec opens it."""
    failed: bool = False
    """Whether it is an error."""
    changed: bool = False
    """Whether its document is no longer the one that its event has."""
    data: bytes | None = None
    """What its document says, once it is written; `None` where its event says it."""

    def as_event(self) -> Event:
        """The event that it is by now."""
        return self.event if self.data is None else self.event.with_data(self.data)


class Steps:
    """All steps of a chain, for one stream."""

    __slots__ = ("_budget", "_name", "_running", "codec")

    def __init__(self, stream: CompiledStream, context: Context, state_limit: int) -> None:
        self.codec = stream.codec
        self._name = stream.name
        self._budget = Budget(state_limit)
        self._running = [_Step(step, stream, context.scoped(), self._budget) for step in stream.steps]

    def take(self, items: list[Item], start: int = 0) -> list[Item]:
        """What becomes of items that are before the step `start`; raises `AdaptError` and `StateTooLargeError`."""
        for step in self._running[start:] if start else self._running:
            items = step.take(items[0]) if len(items) == 1 else [one for item in items for one in step.take(item)]
        return items

    def end(self, start: int = 0) -> list[Item]:
        """What the steps from `start` on emit once the stream is complete."""
        items: list[Item] = []
        for number, step in enumerate(self._running[start:], start):
            items += self.take(step.emitted(step.step.end), number + 1)
        return items

    def encode(self, items: Iterable[Item], most: int) -> None:
        """Write the documents that are no longer those of their events; raises `AdaptError` and `TooManyEventsError`.

        They may be `most` bytes together.
        """
        encode, left = self.codec.encode, most
        try:
            for item in items:
                if item.changed:
                    item.data = encode(item.document)
                    left -= len(item.data)
                    if left < 0:
                        raise TooManyEventsError(most - left, most, "bytes")
        except FOREIGN as error:
            raise AdaptError(self._name, "stream: writing an event", "", str(error)) from None

    def unfolded(self, number: int, document: Any) -> list[Item]:
        """The events that the step of that number makes of a document, after all steps behind it."""
        return self.take(self._running[number].unfolded(document), number + 1)

    def collected(self) -> Any:
        """The document that the last step, which says how, makes of what it has folded."""
        last = self._running[-1]
        assert last.step.collect is not None
        [item] = last.emitted((last.step.collect,))
        return item.document


class _Step:
    """One step, for one stream."""

    __slots__ = ("_codec", "_context", "_open", "_state", "step")

    def __init__(self, step: CompiledStep, stream: CompiledStream, context: Context, budget: Budget) -> None:
        self.step = step
        self._codec = stream.codec
        self._open = opening(stream.codec)
        self._context = context
        self._state = State(step.folds, step.starts, context.carried, budget, stream.codec)

    def take(self, item: Item) -> list[Item]:
        """What becomes of one item."""
        step, document = self.step, item.document
        if document is UNREAD:
            data = item.event.data
            if data is None:
                return [item]
            if data == DONE:
                return [item] if step.done is None else self._done(step.done, item)
            document = item.document = self._read(data)
        if document is MISSING:
            return [item]
        try:
            candidates = step.usual
            if candidates is None or item.failed:
                key = step.names.key(item.event, document, item.failed)
                if step.folds:
                    self._fold(key, document)
                candidates = step.selection.candidates(key)
            rule = None
            for number, fits in candidates:
                if fits is None or fits(document):
                    rule = step.rules[number]
                    break
        except FOREIGN as error:
            raise AdaptError(step.name, "stream: choosing a rule", "", str(error)) from None
        return [item] if rule is None else self._ruled(rule, item)

    def unfolded(self, document: Any) -> list[Item]:
        """What a whole document becomes, which is folded as an event is."""
        assert self.step.unfold is not None
        self._fold(self.step.names.key(Event(), document, False), document)
        return self._ruled(self.step.unfold, Item(Event(), document))

    def _fold(self, key: Key, document: Any) -> None:
        """Take a document into account for what is folded."""
        step = self.step
        for number, fits in step.fold_selection.candidates(key):
            fold = step.folds[number]
            try:
                if fits is None or fits(document):
                    self._state.hear(fold, document)
            except (Refusal, *FOREIGN) as error:
                place = f"stream: {fold.where} {fold.how}"
                raise AdaptError(step.name, place, str(fold.path), str(error)) from None

    def emitted(self, emits: Iterable[CompiledEmit]) -> list[Item]:
        """What is emitted of the document of all that is folded."""
        source = Item(Event(), self._state.document())
        return [made for emit in emits for made in self._made(emit, source)]

    def _read(self, data: bytes) -> Any:
        """The document of an event, opened; `MISSING` where it is none. An object that cannot be read is an error."""
        try:
            return self._open(data)
        except (Refusal, *FOREIGN) as error:
            better = mended(nulled(data) if self.step.nullifies else data)
            if better != data:
                return self._read(better)
            if data.lstrip(b" \t\n\r[").startswith(b"{"):
                raise AdaptError(self.step.name, "stream: reading an event", "", str(error)) from None
            return MISSING

    def _done(self, rule: CompiledRule, item: Item) -> list[Item]:
        """What becomes of `[DONE]`: as at the end, what is emitted is made of all that is folded."""
        if rule.drops or rule.emits:
            return self._ruled(rule, Item(item.event, self._state.document()))
        return [item]

    def _ruled(self, rule: CompiledRule, item: Item) -> list[Item]:
        for name in rule.reads:
            self._state.settle(name)
        if rule.only is not None:
            item.document = self._opened(rule.only(item.document, self._context))
            item.changed = True
            return [item]
        if rule.drops:
            return _remains(item.event)
        made: list[Item] = []
        for action in rule.actions:
            if isinstance(action, CompiledEmit):
                made += self._made(action, item)
            else:
                item.document = self._opened(action(item.document, self._context))
        if not rule.emits:
            return [item]
        if not made:
            return _remains(item.event)
        made[0].event = _inheriting(made[0].event, item.event)
        return made

    def _opened(self, document: Any) -> Any:
        """What operations made, opened: they may have put a part that nobody has looked into in its place."""
        if document.__class__ is not Raw:
            return document
        try:
            return self._codec.opened(document)
        except (Refusal, *FOREIGN) as error:
            raise AdaptError(self.step.name, "stream: reading what an event became", "", str(error)) from None

    def _made(self, emit: CompiledEmit, item: Item) -> list[Item]:
        """The events that one emission makes."""
        document, blank = item.document, emit.blank
        try:
            if emit.conditions and not all(condition.holds(document, self._codec) for condition in emit.conditions):
                return []
            if emit.payload is not None:
                return [Item(Event(b"", emit.payload))]
            sources: Sequence[Any] = (document,)
            if emit.each is not None:
                sources = [self._codec.opened(found) for found in emit.each(document)]
        except (Refusal, *FOREIGN) as error:
            raise AdaptError(self.step.name, emit.where, "", str(error)) from None
        part, context = emit.part, self._context
        if blank is not None:
            return [Item(blank, part(source, context), changed=True) for source in sources]
        event = Event(b"", None, item.event.event if emit.event is None else emit.event)
        # Several events may be made of one document, and none may change what another is made of.
        return [Item(event, part(copied(source), context), changed=True) for source in sources]


def _inheriting(made: Event, source: Event) -> Event:
    """An emitted event with what its source says to the client about reconnecting, and its comments."""
    if source.id is None and source.retry is None and not source.comments:
        return made
    return Event(b"", made.data, made.event, source.id, source.retry, source.comments)


def _remains(event: Event) -> list[Item]:
    """What is left of an event that is dropped: what it says to the client about reconnecting, and its comments."""
    if event.id is None and event.retry is None and not event.comments:
        return []
    return [Item(Event(b"", None, "", event.id, event.retry, event.comments))]
