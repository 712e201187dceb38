"""A server that streams chat events at a steady pace, as a program: `python -m bench.streams.server PORT`.

The path says how: `/v1/chat/EVENTS/MILLISECONDS`. Each event says when it was written, on the machine's own clock.
"""

from __future__ import annotations

import asyncio
import sys
from time import monotonic_ns
from typing import cast

import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"chatcmpl-0f2c6a585a0e4b1c9a54","object":"chat.completion.chunk","created":1764000000,'
    b'"model":"qwen3-8b-fp8","choices":[{"index":0,"delta":{"reasoning":"at=%020d;"},"logprobs":null,'
    b'"finish_reason":null}]}\n\n'
)


SIZE = len(_EVENT % 0)
"""Bytes of an event."""


def event() -> bytes:
    """One event in a chunk of its own."""
    said = _EVENT % monotonic_ns()
    return b"%x\r\n%b\r\n" % (len(said), said)


class Connection(asyncio.Protocol):
    """One stream after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        _, _, _, count, pause = data.split(b" ", 2)[1].split(b"/")
        self._transport.write(_HEAD)
        self._next(int(count), int(pause) / 1000)

    def _next(self, left: int, pause: float) -> None:
        if self._transport.is_closing():
            return
        if left:
            self._transport.write(event())
            asyncio.get_running_loop().call_later(pause, self._next, left - 1, pause)
        else:
            self._transport.write(b"0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
