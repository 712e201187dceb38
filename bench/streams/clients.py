"""Clients of streams: each reads what comes and notes how late each event is, by the time that it says itself.

The time that counts is the kernel's, of when the bytes reached the client's socket (`bench.arrivals`): what
a client of a thousand streams, which shares its core with the server, needs to get round to each is none of the
sidecar's. When it got round to it is noted beside that, so that a harness that is the slower one shows.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from time import monotonic_ns, time_ns
from typing import NamedTuple

from bench import arrivals

_AT = re.compile(rb"at=(\d{20});")
_END = b"0\r\n\r\n"


class Late(NamedTuple):
    """How late events were, in nanoseconds, in the order in which they were read."""

    arrived: list[int]
    """At their client's socket."""
    read: list[int]
    """In their client."""


class Client:
    """One stream."""

    def __init__(self, connection: socket.socket, late: Late) -> None:
        self._socket = connection
        self._late = late
        self._tail = b""
        self._loop = asyncio.get_running_loop()
        self._begun = monotonic_ns()
        self.first = 0
        """Nanoseconds from the request to the first event."""
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(connection, self._ready)

    def _ready(self) -> None:
        data, noted = arrivals.receive(self._socket)
        now = time_ns()
        if not data:
            self._close()
            self.ended.set_exception(ConnectionError("a stream ended before its end"))
            return
        data = self._tail + data
        found = list(_AT.finditer(data))
        if found:
            self.first = self.first or monotonic_ns() - self._begun
            arrived = now if noted is None else noted
            for each in found:
                said = int(each[1])
                self._late.arrived.append(arrived - said)
                self._late.read.append(now - said)
        self._tail = data[found[-1].end() :] if found else data
        if self._tail.endswith(_END):
            self._close()
            self.ended.set_result(None)

    def _close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()


async def read(port: int, paths: Sequence[str], pin: bytes, spread: float = 0.0) -> tuple[Late, list[int]]:
    """Streams of all these paths at once, begun over `spread` seconds; how late events were, and when first ones came.

    Nanoseconds, both.
    """
    loop = asyncio.get_running_loop()
    late = Late([], [])
    clients: list[Client] = []
    begun = loop.time()
    for number, path in enumerate(paths):
        await asyncio.sleep(begun + spread * number / len(paths) - loop.time())
        connection = socket.socket()
        connection.setblocking(False)
        arrivals.note(connection)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        request = b"GET %b HTTP/1.1\r\nHost: bench\r\nX-Model-Version: %b\r\n\r\n" % (path.encode(), pin)
        connection.send(request)
        clients.append(Client(connection, late))
    await asyncio.gather(*(client.ended for client in clients))
    return late, [client.first for client in clients]
