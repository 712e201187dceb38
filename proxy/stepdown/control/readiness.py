"""Whether a colour may take requests: every one of its endpoints has to pass so many checks in a row, within a time.

Endpoints of an idle colour are probed all the time, so what they showed until now counts: one probe more, made at once,
is enough where those before it passed. Otherwise it is waited for in the rhythm of the probes. An endpoint that proves
to be another server than the file means needs no second look. Endpoints without probes are connected to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from stepdown.control.health import Result
from stepdown.control.probes import Asked, Prober
from stepdown.control.redact import without_query
from stepdown.decide.colours import Server
from stepdown.decide.spec import Endpoint

CONNECT_EVERY = 0.1
"""Seconds between connections to an endpoint that has no probes."""


@dataclass(slots=True)
class Shown:
    """What one endpoint has shown so far."""

    endpoint: str
    """`model/version/endpoint-id`, as people may see it."""
    ready: bool = False
    passed: int = 0
    """Checks in a row that it passed."""
    saw: str = "it was not heard of"


async def show(servers: Iterable[Server], prober: Prober, *, ready: int, within: float) -> tuple[Shown, ...]:
    """Check all servers at the same time, until each is ready or cannot be, at most `within` seconds."""
    shown = {server: Shown(without_query(server.key)) for server in servers}
    try:
        async with asyncio.timeout(within), asyncio.TaskGroup() as group:
            for server, one in shown.items():
                group.create_task(_until_ready(server, one, prober, ready))
    except TimeoutError:
        pass
    return tuple(shown.values())


async def _until_ready(server: Server, shown: Shown, prober: Prober, ready: int) -> None:
    connected = 0
    while True:
        asked = await prober.ask_now(server.key)
        pause = server.health.interval
        if asked is None and server.health.path is not None:
            shown.saw = "it is not in the configuration any more"
            return
        if asked is None:
            asked = await _connect(server, connected)
            connected, pause = asked.passed, CONNECT_EVERY
        shown.passed, shown.saw = asked.passed, asked.saw
        shown.ready = asked.up and asked.passed >= ready
        if shown.ready or asked.result is Result.WRONG:
            return
        await asyncio.sleep(pause)


async def _connect(server: Server, before: int) -> Asked:
    """One connection, closed again; `before` were accepted in a row."""
    endpoint = server.endpoint
    try:
        async with asyncio.timeout(server.health.timeout):
            context = await asyncio.to_thread(_context, endpoint)
            name = (endpoint.tls.server_name or endpoint.host) if endpoint.tls else None
            _reader, writer = await asyncio.open_connection(
                endpoint.host, endpoint.port, ssl=context, server_hostname=name
            )
            writer.close()
    except TimeoutError:
        return Asked(Result.FAILED, f"no connection within {server.health.timeout:g} s", 0, up=False)
    except OSError as error:
        return Asked(Result.FAILED, f"no connection: {error.strerror or error}", 0, up=False)
    return Asked(Result.PASSED, "it accepts connections", before + 1, up=True)


def _context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.tls is None:
        return None
    context = ssl.create_default_context(cafile=endpoint.tls.ca_file)
    if not endpoint.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def why_not(shown: Iterable[Shown], needed: int, within: float) -> list[str]:
    """A sentence for each endpoint that is not ready."""
    return [
        f"{one.endpoint} passed {one.passed} of {needed} checks in a row within {within:g} s; the last one: {one.saw}"
        for one in shown
        if not one.ready
    ]
