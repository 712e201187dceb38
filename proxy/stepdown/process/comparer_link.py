"""The comparer as the controller hears it: a channel over which it sends evidence of rollouts, and nothing else.

There is one as long as both processes are there. One that is lost while the comparer lives is asked for again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from stepdown.process.channel import Channel
from stepdown.process.fleet import RELINK_SECONDS, Fleet
from stepdown.process.messages import TO_CONTROLLER_BYTES, TO_WORKER_BYTES, Evidence, Reader


class ComparerLink:
    """The place of the one comparer."""

    def __init__(self, fleet: Fleet, relink: Callable[[], None]) -> None:
        """Batches go where those of the workers go (`Fleet.counted`); `relink` asks the parent for a new channel."""
        self._fleet = fleet
        self._relink = relink
        self._channel: Channel[Evidence] | None = None

    async def place(self, channel_fd: int) -> None:
        """A comparer is there, at the other end of this channel; one before it is gone, or has let go of its own."""
        if self._channel is not None:
            self._channel.close()
        reader = Reader[Evidence](Evidence, TO_CONTROLLER_BYTES)
        channel = self._channel = Channel("the comparer", reader, TO_WORKER_BYTES, self._hear, self._lose)
        await channel.open(socket.socket(fileno=channel_fd))

    def _hear(self, channel: Channel[Evidence], message: Evidence) -> None:
        if channel is self._channel:
            self._fleet.counted(message, channel.send)

    def _lose(self, channel: Channel[Evidence]) -> None:
        if channel is not self._channel:
            return
        self._channel = None
        # If its process died or left, the parent does nothing; a successor comes with a channel.
        asyncio.get_running_loop().call_later(RELINK_SECONDS, self._miss)

    def _miss(self) -> None:
        if self._channel is None:
            self._relink()
