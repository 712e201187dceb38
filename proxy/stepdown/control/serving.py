"""How the status and admin applications are served: few connections, each for one short exchange.

Probes, Prometheus and people with curl need no keep-alive, and without it a connection has one simple bound: it lives
for `LIFETIME` seconds, or for as long as its exchange says that it takes (`prolong`). When there are too many, the one
that has been open longest goes, so that whoever only holds connections open keeps nobody else out.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from aiohttp import web

CONNECTIONS = 64
LIFETIME = 60.0
"""Seconds; what takes longest is a reload, which reads every file again."""

_HEAD_LINE = 8190
_HEADERS = 64


async def serve(
    application: web.Application,
    listening: socket.socket,
    *,
    connections: int = CONNECTIONS,
    lifetime: float = LIFETIME,
) -> web.AppRunner:
    """Serve `application` on a listening socket until the runner's `cleanup`."""
    servers: list[asyncio.Server] = []

    async def stop(_application: web.Application) -> None:
        for server in servers:
            server.close()

    application.on_response_prepare.append(_finish_head)
    application.on_cleanup.append(stop)
    open_now = application[_OPEN] = {}
    runner = web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        max_line_size=_HEAD_LINE,
        max_field_size=_HEAD_LINE,
        max_headers=_HEADERS,
        lingering_time=1.0,
        shutdown_timeout=1.0,
    )
    await runner.setup()

    def connection() -> asyncio.Protocol:
        assert runner.server is not None
        return _Connection(runner.server(), open_now, connections, lifetime)

    servers.append(await asyncio.get_running_loop().create_server(connection, sock=listening))
    return runner


def prolong(request: web.Request, seconds: float) -> None:
    """Let the request's connection live for so many seconds from now, if it would not anyway."""
    for connection in request.app.get(_OPEN, {}):
        if connection.carries(request):
            connection.prolong(seconds)


async def _finish_head(_request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says; `Server` tells no versions."""
    response.force_close()
    response.headers["Server"] = "stepdown"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"


class _Connection(asyncio.Protocol):
    """One connection: aiohttp's protocol within the bounds."""

    def __init__(self, inner: asyncio.Protocol, open_now: dict[_Connection, None], most: int, lifetime: float) -> None:
        self._inner = inner
        self._open_now = open_now
        """In the order in which they were opened."""
        self._most = most
        self._lifetime = lifetime
        self._transport: asyncio.WriteTransport | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass, and has its methods
        self._open_now[self] = None
        if len(self._open_now) > self._most:
            next(iter(self._open_now)).abort()
        self._end = asyncio.get_running_loop().call_later(self._lifetime, self.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._open_now.pop(self, None)
        if self._end is not None:
            self._end.cancel()
        self._inner.connection_lost(error)

    def carries(self, request: web.Request) -> bool:
        """Whether the request came over this connection."""
        return self._transport is not None and request.transport is self._transport

    def prolong(self, seconds: float) -> None:
        """Let it live for so many seconds from now, if it would not anyway."""
        loop = asyncio.get_running_loop()
        if self._end is not None and self._end.when() < loop.time() + seconds:
            self._end.cancel()
            self._end = loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """End the connection at once."""
        self._open_now.pop(self, None)
        if self._transport is not None:
            self._transport.abort()


_OPEN: web.AppKey[dict[_Connection, None]] = web.AppKey("open", dict)
"""An application's connections, in the order in which they were opened."""
