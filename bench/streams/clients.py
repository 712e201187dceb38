"""Clients of streams: each reads what comes and notes how late each event is, by the time that it says itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from time import monotonic_ns
from typing import cast

_AT = re.compile(rb"at=(\d{20});")
_END = b"0\r\n\r\n"


class Client(asyncio.Protocol):
    """One stream."""

    def __init__(self, request: bytes, late: list[int]) -> None:
        self._request = request
        self._late = late
        self._tail = b""
        self.first = 0
        """Nanoseconds from the request to the first event."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._begun = monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = monotonic_ns()
        data = self._tail + data
        found = list(_AT.finditer(data))
        if found and not self.first:
            self.first = now - self._begun
        self._late += [now - int(each[1]) for each in found]
        self._tail = data[found[-1].end() :] if found else data
        if self._tail.endswith(_END):
            self._transport.close()
            self.ended.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("a stream ended before its end"))


async def read(port: int, paths: Sequence[str], pin: bytes, spread: float = 0.0) -> tuple[list[int], list[int]]:
    """Streams of all these paths at once, begun over `spread` seconds; how late events were, and when first ones came.

    Nanoseconds, both.
    """
    loop = asyncio.get_running_loop()
    late: list[int] = []
    clients: list[Client] = []
    for path in paths:
        request = b"GET %b HTTP/1.1\r\nHost: bench\r\nX-Model-Version: %b\r\n\r\n" % (path.encode(), pin)
        _, client = await loop.create_connection(partial(Client, request, late), "127.0.0.1", port)
        clients.append(client)
        if spread:
            await asyncio.sleep(spread / len(paths))
    await asyncio.gather(*(client.ended for client in clients))
    return late, [client.first for client in clients]
