"""Large bodies adapted in a process of their own, which starts when the first one comes.

The chain travels as its steps' JSON; the process compiles it once and remembers it.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from stepdown.decide.spec import Chain, Step
from stepdown.errors import AdapterFailedError, RequestNotAdaptableError
from stepdown.plane.tensors import inlined
from stepdown_adapters.context import Context
from stepdown_adapters.errors import AdaptError
from stepdown_adapters.generate import CompiledChain, compile_chain

Direction = Literal["request", "response"]
COMPILED = 8192
"""Chains that are remembered from one snapshot to the next: a model of a hundred versions has 4,950."""
_PR_SET_PDEATHSIG = 1
_WAITING = 16
"""Large bodies that may wait for the process: each is held in memory."""


class Offload:
    """The worker's helper process for large bodies."""

    __slots__ = ("_executor", "_waiting")

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def run(
        self,
        chain: Chain,
        direction: Direction,
        body: bytes,
        context: Context,
        *,
        tensors: bytes | None = None,
        limit: int = 0,
    ) -> bytes:
        """Adapt `body`; raises `AdapterFailedError` or `RequestNotAdaptableError` like the work on the loop.

        Binary tensors of an answer (`tensors.inlined`) may become `limit` bytes of text.
        """
        if self._waiting >= _WAITING:
            raise AdapterFailedError(f"{_WAITING} large bodies are waiting to be adapted", status=503, retry_after=1)
        self._waiting += 1
        try:
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    1,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_end_with_worker,
                    initargs=(os.getpid(),),
                )
            facts = context.method, context.path, dict(context.params), context.body, dict(context.headers)
            job = _Job(msgspec.json.encode(chain.steps), direction, body, tensors, limit)
            result = await asyncio.get_running_loop().run_in_executor(
                self._executor, _work, job, facts, context.carried
            )
        except BrokenProcessPool:
            self._executor = None
            raise AdapterFailedError("The process for large bodies has died; it is started again") from None
        finally:
            self._waiting -= 1
        if isinstance(result, tuple):
            adapted, context.carried = result
            return adapted
        raise (AdapterFailedError if direction == "response" else RequestNotAdaptableError)(result)

    def close(self) -> None:
        """Stop the process."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _end_with_worker(worker: int) -> None:
    """In the other process: end when the worker does, however that ends; one that is killed closes nothing."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker:
        os._exit(0)


@lru_cache(maxsize=COMPILED)
def compiled(steps: bytes) -> CompiledChain:
    """The adapter of a chain's encoded steps; equal ones, of other models or an earlier snapshot, share it."""
    return compile_chain(msgspec.json.decode(steps, type=tuple[Step, ...]))


class _Job(NamedTuple):
    steps: bytes
    """Of the chain."""
    direction: Direction
    body: bytes
    tensors: bytes | None
    limit: int


def _work(
    job: _Job, facts: tuple[str, str, dict[str, str], bytes | None, dict[str, str]], carried: dict[str, Any]
) -> tuple[bytes, dict[str, Any]] | str:
    """In the other process: the adapted body and what is carried now, or the sentence that says why not.

    Raises `AdapterFailedError` where the body's tensors cannot be read.
    """
    body = inlined(job.body, job.tensors, job.limit)
    adapter = compiled(job.steps)
    context = Context(*facts)
    context.carried = carried
    try:
        adapted = adapter.response(body, context) if job.direction == "response" else adapter.request(body, context)
    except AdaptError as error:
        return str(error)
    return adapted, context.carried
