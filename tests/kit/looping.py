"""One uvloop event loop in a thread of its own: the servers of a test run there while the test itself just blocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar

import uvloop

PATIENCE = 20.0
"""Seconds after which a wait counts as failed. No test's meaning depends on it; a passing wait ends by its event."""

Result = TypeVar("Result")


class LoopThread:
    """A running loop; `call` runs a coroutine on it and waits for its result."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.errors: list[dict[str, Any]] = []
        """What the loop's exception handler was told: a test that leaves something here has found a defect."""
        self.loop.set_exception_handler(lambda _loop, context: self.errors.append(context))
        self._thread = threading.Thread(target=self._main, name="loop", daemon=True)

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.call(_cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()
        if error is None:
            assert not self.errors, self.errors

    def call(self, work: Coroutine[Any, Any, Result], timeout: float = PATIENCE) -> Result:
        """Result of `work`, run on the loop; raises what it raises, and `TimeoutError`."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def run(self, function: Callable[[], Result], timeout: float = PATIENCE) -> Result:
        """Result of a plain function, run on the loop's thread."""

        async def work() -> Result:
            return function()

        return self.call(work(), timeout)


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Gate:
    """An event that a test opens from its thread and that a script awaits on the loop, or the other way round."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether `open` was called."""
        return self._opened.is_set()

    def open(self) -> None:
        """Let everybody through, now and later; from any thread."""
        with self._lock:
            self._opened.set()
            waiters, self._waiters = self._waiters, []
        for loop, future in waiters:
            loop.call_soon_threadsafe(_finish, future)

    def wait(self, timeout: float = PATIENCE) -> bool:
        """Block the calling thread until open; `False` when the time is over."""
        return self._opened.wait(timeout)

    def __await__(self) -> Any:
        return self._arrive().__await__()

    def _arrive(self) -> Awaitable[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self._opened.is_set():
                future.set_result(None)
            else:
                self._waiters.append((loop, future))
        return future


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def eventually(condition: Callable[[], object]) -> bool:
    """Whether `condition` comes true within the patience of a test; for states that no event announces."""
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return True
        time.sleep(0.01)
    return False
