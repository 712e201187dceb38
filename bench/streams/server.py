"""A server that streams chat events at a steady pace, as a program: `python -m bench.streams.server PORT`.

The path says how: `/v1/chat/EVENTS/MILLISECONDS`. Each event says when it was written, and is given to the kernel in
the same breath: an event loop's own queue of writes would make it late before it was sent.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from time import time_ns

import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"chatcmpl-0f2c6a585a0e4b1c9a54","object":"chat.completion.chunk","created":1764000000,'
    b'"model":"qwen3-8b-fp8","choices":[{"index":0,"delta":{"reasoning":"at=%020d;"},"logprobs":null,'
    b'"finish_reason":null}]}\n\n'
)


SIZE = len(_EVENT % 0)
"""Bytes of an event."""
_CHUNK = b"%x\r\n%b\r\n" % (SIZE, _EVENT)


class Connection:
    """One stream after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._asked)
        self._timer: asyncio.TimerHandle | None = None

    def _asked(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            self._end()
            return
        _, _, _, count, pause = data.split(b" ", 2)[1].split(b"/")
        self._socket.send(_HEAD)
        self._next(int(count), int(pause) / 1000, self._loop.time())

    def _next(self, left: int, pause: float, due: float) -> None:
        """Send an event; each is due a pause after the last one was, however late that was sent."""
        try:
            if left:
                self._socket.send(_CHUNK % time_ns())
                self._timer = self._loop.call_at(due + pause, self._next, left - 1, pause, due + pause)
            else:
                self._socket.send(b"0\r\n\r\n")
        except OSError:  # the client has gone, or reads nothing
            self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listener:
        listener.setblocking(False)
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(connection)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
