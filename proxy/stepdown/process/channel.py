"""One end of the channel between a worker and the controller, on an event loop.

Neither end ever waits for the other. What cannot be sent is queued up to a bound; a peer that leaves more than that
unread is stuck, one whose bytes are no messages is broken, and both are dropped with a line in the log. The process
behind it is left alone: it serves, or the parent sees it die.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Generic, cast

from stepdown.process.messages import ChannelError, Incoming, Message, Reader, frame

logger = logging.getLogger(__name__)

SLACK_BYTES = 1024 * 1024
"""What may be queued besides one frame of the greatest length."""


class Channel(asyncio.Protocol, Generic[Incoming]):
    """Sends messages, and calls back for each one that arrives and once when it is over."""

    def __init__(
        self,
        peer: str,
        reader: Reader[Incoming],
        send_limit: int,
        heard: Callable[[Channel[Incoming], Incoming], None],
        ended: Callable[[Channel[Incoming]], None],
    ) -> None:
        """`peer` names the other end in the log; `send_limit` is the longest frame in bytes that the peer reads."""
        self._peer = peer
        self._reader = reader
        self._send_limit = send_limit
        self._heard = heard
        self._ended = ended
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether a message may still arrive."""
        return self._transport is not None and not self._transport.is_closing()

    async def open(self, end: socket.socket) -> None:
        """Talk over this end of a socket pair from now on, and own it."""
        end.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)

    def send(self, message: Message) -> None:
        """Queue a message; on a channel that is over it is lost, like anything that the peer had not read."""
        if self._transport is None or self._transport.is_closing():
            return
        data = frame(message)
        if len(data) > self._send_limit:
            self.drop(f"a message of {len(data)} bytes would be over its limit of {self._send_limit}")
        elif self._transport.get_write_buffer_size() + len(data) > self._send_limit + SLACK_BYTES:
            self.drop(f"it leaves {self._transport.get_write_buffer_size()} bytes unread")
        else:
            self._transport.write(data)

    def drop(self, why: str) -> None:
        """End it from this side."""
        logger.warning("channel to %s dropped: %s", self._peer, why)
        self.close()

    def close(self) -> None:
        """End it without a word."""
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pair is attached to the loop."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        try:
            for message in self._reader.feed(data):
                if self.is_open:
                    self._heard(self, message)
        except ChannelError as error:
            self.drop(str(error))

    def connection_lost(self, error: Exception | None) -> None:
        """It is over, from whichever side."""
        self._transport = None
        self._ended(self)
