"""Hears of changes as they are published, and comes back when it was cut off; watchers look by themselves meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from redis.asyncio import Redis

from stepdown import tasks
from stepdown.control.stores.redis_link import FAILURES
from stepdown.control.stores.watching import Bells

PAUSE_SECONDS = 1.0
WAIT_SECONDS = 0.5
"""For a message, before the connection is looked after; less than the time that one may be silent for."""


class Listener:
    """A task that rings for each message until it is closed."""

    def __init__(self, client: Redis, channel: str, bells: Bells) -> None:
        self._client = client
        self._channel = channel
        self._bells = bells
        self._closed = asyncio.Event()
        self._task = tasks.start(self._listen(), name="changes of rollouts' states")

    async def close(self) -> None:
        """End it. It is told so besides being cancelled, since the client may swallow that while it connects."""
        self._closed.set()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(*FAILURES):
                await self._hear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._closed.wait()

    async def _hear(self) -> None:
        ears: Any = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            await ears.subscribe(self._channel)
            self._bells.ring_all()  # what was published before is not heard any more
            while not self._closed.is_set():
                message = await ears.get_message(timeout=WAIT_SECONDS)
                if message is not None:
                    self._bells.ring(message["data"].decode("utf-8", "replace"))
        finally:
            with contextlib.suppress(*FAILURES):
                await ears.aclose()
