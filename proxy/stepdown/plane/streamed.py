"""What a chain of adapters does with streams, compiled: adapts them, leaves them as they are, or cannot."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from stepdown.decide.spec import Step
from stepdown.plane.offload import COMPILED
from stepdown_adapters.stream.adapting.compiling import CompiledStep, CompiledStream, compile_stream
from stepdown_adapters.stream.adapting.failures import NoStreamAdapterError
from stepdown_adapters.stream.media import NDJSON, SSE


class Streams(NamedTuple):
    """What becomes of the streams of one chain."""

    compiled: CompiledStream | None = None
    """What adapts their events; `None` where nothing does."""
    refused: str = ""
    """Why none can be adapted; where it is empty and nothing is compiled, they are passed on as they are."""
    collects: bool = False
    """Whether a client that asked for no stream gets one document of it."""
    unfolds: CompiledStream | None = None
    """What makes a stream of a document for a client that asked for one."""

    @property
    def touched(self) -> bool:
        """Whether any stream is changed or refused."""
        return self.compiled is not None or bool(self.refused)

    @property
    def needs(self) -> frozenset[str]:
        """What of the request is read; whether it asked for a stream stands in its body."""
        used = self.compiled or self.unfolds
        found: frozenset[str] = used.needs if used is not None else frozenset()
        return found | {"body"} if self.collects or self.unfolds is not None else found


UNTOUCHED = Streams()


class _Asked(msgspec.Struct):
    stream: Any = None


_ASKED = msgspec.json.Decoder(_Asked)


def asks_for_stream(body: bytes | None, accepts: bytes | None) -> bool:
    """Whether a request asks for a stream: by the member `stream` of its JSON, where that is a boolean, else by Accept.

    So it is in the APIs of OpenAI, Anthropic and most others.
    """
    try:
        asked = _ASKED.decode(body or b"{}").stream
    except (msgspec.MsgspecError, ValueError):  # not UTF-8 is a ValueError
        asked = None
    if isinstance(asked, bool):
        return asked
    accepted = (accepts or b"").lower()
    return any(name.encode() in accepted for name in (*SSE, *NDJSON))


@lru_cache(maxsize=COMPILED)
def compiled(steps: bytes) -> Streams:
    """What a chain's encoded steps do with streams; equal ones share it."""
    try:
        stream = compile_stream(msgspec.json.decode(steps, type=tuple[Step, ...]))
    except NoStreamAdapterError as error:
        return Streams(refused=str(error))
    unfolds = stream if stream.unfolding >= 0 else None
    if stream.missing is not None:
        return Streams(refused=str(NoStreamAdapterError(stream.missing)), unfolds=unfolds)
    collects = bool(stream.steps) and (stream.steps[-1].collect is not None or stream.steps[-1].gathers)
    works = collects or any(map(_does_something, stream.steps))
    return Streams(stream if works else None, collects=collects, unfolds=unfolds)


def _does_something(step: CompiledStep) -> bool:
    return bool(step.rules or step.done or step.end)
