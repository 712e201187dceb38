"""A shadow's server, as a program: it answers well, late, without end or never, or breaks every connection.

`python -m bench.shadows.server PORT KIND [SECONDS]`; seconds are how long an answer takes that comes late.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys
from typing import cast

import uvloop

from bench import payload

_BODY = payload.ANSWER.encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_FLOOD = b"10000\r\n" + bytes(65536) + b"\r\n"


class Connection(asyncio.Protocol):
    """It answers each request well, after a while."""

    seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if blank and len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self.asked()

    def asked(self) -> None:
        """A whole request is here."""
        if self.seconds:
            asyncio.get_running_loop().call_later(self.seconds, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


class Unread(Connection):
    """It never reads."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        asyncio.get_running_loop().call_soon(self.transport.pause_reading)  # the loop only begins to read after this


class Resetting(Connection):
    """It reads a request and breaks the connection."""

    def asked(self) -> None:
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Flooding(Connection):
    """Its answer has no end."""

    full = False

    def asked(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._flood()

    def _flood(self) -> None:
        if not self.full and not self.transport.is_closing():
            self.transport.write(_FLOOD)
            asyncio.get_running_loop().call_soon(self._flood)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._flood()


KINDS: dict[str, type[Connection]] = {
    "answers": Connection,
    "unread": Unread,
    "resets": Resetting,
    "floods": Flooding,
}


async def _serve(port: int, kind: str, seconds: float) -> None:
    Connection.seconds = seconds
    server = await asyncio.get_running_loop().create_server(KINDS[kind], "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
