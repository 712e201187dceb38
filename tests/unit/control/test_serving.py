"""How long a connection lives."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from stepdown.control.serving import prolong
from tests.kit.controller_state import served

LIFETIME = 1.0


def application() -> web.Application:
    async def slow(request: web.Request) -> web.Response:
        prolong(request, float(request.query["seconds"]))
        await asyncio.sleep(1.5 * LIFETIME)
        return web.Response(text="ok")

    made = web.Application()
    made.router.add_get("/", slow)
    return made


@pytest.mark.parametrize(("seconds", "lives"), [(60, True), (0, False)])
def test_a_connection_lives_for_as_long_as_its_exchange_says(seconds: int, lives: bool) -> None:
    with served(application, lifetime=LIFETIME) as server:
        if lives:
            assert server.ask("GET", f"/?seconds={seconds}").body == b"ok"
        else:
            with pytest.raises(aiohttp.ClientError):
                server.ask("GET", f"/?seconds={seconds}")
