"""Hears of changes as they are published, and comes back when it was cut off; watchers look by themselves meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from stepdown.control.stores.watching import Bells

PAUSE_SECONDS = 1.0
WAIT_SECONDS = 0.5
"""For a message, before the connection is looked after; less than the time that one may be silent for."""


async def listen(client: Redis, channel: str, bells: Bells) -> None:
    """Ring for each message, for ever."""
    while True:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await _hear(client, channel, bells)
        await asyncio.sleep(PAUSE_SECONDS)


async def _hear(client: Redis, channel: str, bells: Bells) -> None:
    ears: Any = client.pubsub(ignore_subscribe_messages=True)
    try:
        await ears.subscribe(channel)
        bells.ring_all()  # what was published before is not heard any more
        while True:
            message = await ears.get_message(timeout=WAIT_SECONDS)
            if message is not None:
                bells.ring(message["data"].decode("utf-8", "replace"))
    finally:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await ears.aclose()
