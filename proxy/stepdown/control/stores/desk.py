"""One thread for work that blocks, done in order; whoever asks waits on the loop, and not for ever.

An executor of the standard library would do, but for two things: its threads are waited for when the process ends, so
a disk that hangs would keep a controller alive, and it takes any amount of work. aiosqlite is the same thread with one
hop for each statement; here a whole transaction is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from stepdown.control.stores.errors import StoreUnavailableError

Result = TypeVar("Result")

ROOM = 64
"""Calls that may be under way."""

_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Desk:
    """A daemon thread and its queue."""

    def __init__(self, name: str, seconds: float) -> None:
        """`name` is what the work is done on, for messages; `seconds` how long anybody waits."""
        self._name = name
        self._seconds = seconds
        self._closed = False
        self._jobs: queue.Queue[_Job | None] = queue.Queue(ROOM)
        self._thread = threading.Thread(target=self._work, name=f"desk of {name}", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[], Result], seconds: float | None = None) -> Result:
        """Its result, or what it raises. Work that nobody waits for any more is done all the same."""
        if self._closed:
            raise StoreUnavailableError(f"{self._name} was closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        try:
            self._jobs.put_nowait((work, loop, future))
        except queue.Full:
            raise StoreUnavailableError(f"{self._name} has {ROOM} calls to answer already") from None
        patience = self._seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(patience):
                return await future
        except TimeoutError:
            raise StoreUnavailableError(f"{self._name} has not answered in {patience:g} s") from None

    def close(self) -> None:
        """Let the thread go when it has done what was asked of it."""
        self._closed = True
        with contextlib.suppress(queue.Full):  # then it hangs, and ends with the process
            self._jobs.put_nowait(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, loop, future = job
            try:
                result, error = work(), None
            except BaseException as raised:
                result, error = None, raised
            try:
                loop.call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:
                return  # the loop is closed, and with it the process ends
            del job, work, result, error, future


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return  # who asked has left
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
