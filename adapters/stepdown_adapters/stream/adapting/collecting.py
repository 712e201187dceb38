"""Between a stream and one document: collected for a client that cannot stream, unfolded for one that asked for it."""

from __future__ import annotations

import msgspec

from stepdown_adapters.codec import opening
from stepdown_adapters.context import Context
from stepdown_adapters.stream.adapting.chain import Events, Items, Limits, broken
from stepdown_adapters.stream.adapting.compiling import CompiledStream
from stepdown_adapters.stream.adapting.failures import BrokenStreamError, NoStreamAdapterError, TooManyEventsError
from stepdown_adapters.stream.adapting.running import Steps
from stepdown_adapters.stream.adapting.state import StateTooLargeError
from stepdown_adapters.stream.adapting.writing import Framing
from stepdown_adapters.stream.framing import Event
from stepdown_adapters.stream.gathered import Gathering
from stepdown_adapters.stream.outcome import Ending, Result


class Collector(Events):
    """One stream, stepped down to the one document that an old client waits for.

    The document is what the last step's `collect` makes of its folds; without one, what the stepped-down stream says
    as a whole (`stream.gathered`).
    """

    __slots__ = ("_codec", "_gathering")

    def __init__(
        self,
        stream: CompiledStream,
        content_type: str,
        context: Context | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        """`limits.state` bounds the document too."""
        super().__init__(stream, content_type, context, limits)
        self._codec = stream.codec
        declared = bool(stream.steps) and stream.steps[-1].collect is not None
        self._gathering = None if declared else Gathering(limits.state)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raises `BrokenStreamError`."""
        items: Items = []
        self.take(chunk, items)
        self._gather(items)

    def close(self, ending: Ending = Ending.ORDERLY) -> bytes:
        """The document of a complete stream as JSON; raises `BrokenStreamError` for any other."""
        items: Items = []
        verdict = self.finish(ending, items)
        self._gather(items)
        if verdict.result is not Result.COMPLETE:
            raise BrokenStreamError("incomplete", f"the stream is not complete: {verdict.reason}")
        if self._gathering is None:
            return self._codec.encode(self.collected())
        gathered = self._gathering.summary()
        if gathered.truncated:
            raise BrokenStreamError("state-too-large", f"the stream's document is over {self._limits.state} bytes")
        return msgspec.json.encode(gathered.document)

    def _gather(self, items: Items) -> None:
        if self._gathering is not None:
            for item in items:
                self._gathering.feed(item if isinstance(item, Event) else item.as_event())


def unfold(
    stream: CompiledStream,
    body: bytes,
    content_type: str,
    context: Context | None = None,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> bytes:
    """The stream that a whole document stands for, all of its events at once.

    The document is of the chain's first version: it is stepped down as a document as far as the last step that has
    `unfold`, whose events then pass the steps behind it.

    Raises:
        ValueError: `content_type` is none of a stream of events.
        NoStreamAdapterError: no step says how.
        AdaptError: an adapter fails; nothing was sent, so it is answered as for any document.
        BrokenStreamError: more is made of the document than `limits` allow.
    """
    framing = Framing(content_type)
    if stream.documents is None:
        raise NoStreamAdapterError(stream.name, "unfold")
    facts = Context() if context is None else context
    document = opening(stream.codec)(stream.documents.response(body, facts))
    steps = Steps(stream, facts, limits.state)
    try:
        items = steps.unfolded(stream.unfolding, document) + steps.end(stream.unfolding + 1)
        steps.encode(items, limits.size)
        if len(items) > limits.emitted:
            raise TooManyEventsError(len(items), limits.emitted)
    except (StateTooLargeError, TooManyEventsError) as error:
        raise broken(error) from error
    return b"".join(map(framing.write, items))
