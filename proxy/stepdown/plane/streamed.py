"""What a chain of adapters does with streams, compiled: adapts them, leaves them as they are, or cannot."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from stepdown.decide.spec import Step
from stepdown_adapters.stream.adapting.compiling import CompiledStep, CompiledStream, compile_stream
from stepdown_adapters.stream.adapting.failures import NoStreamAdapterError


class Streams(NamedTuple):
    """What becomes of the streams of one chain."""

    compiled: CompiledStream | None = None
    """What adapts their events; `None` where nothing does."""
    refused: str = ""
    """Why none can be adapted; where it is empty and nothing is compiled, they are passed on as they are."""

    @property
    def touched(self) -> bool:
        """Whether any stream is changed or refused."""
        return self.compiled is not None or bool(self.refused)


UNTOUCHED = Streams()


@lru_cache(maxsize=1024)
def compiled(steps: bytes) -> Streams:
    """What a chain's encoded steps do with streams; equal ones share it."""
    try:
        stream = compile_stream(msgspec.json.decode(steps, type=tuple[Step, ...]))
    except NoStreamAdapterError as error:
        return Streams(refused=str(error))
    if stream.missing is not None:
        return Streams(refused=str(NoStreamAdapterError(stream.missing)))
    return Streams(stream) if any(map(_does_something, stream.steps)) else UNTOUCHED


def _does_something(step: CompiledStep) -> bool:
    return bool(step.rules or step.done or step.end)
