"""One bounded HTTP request for a metric: a body, or the reason why there is none.

A server of metrics is outside of what Stepdown has under control. It may hang, answer with a page for people, send
without end, or send its caller elsewhere. Redirects are not followed: they lead to a login page as a rule, and
would carry credentials to wherever the answer says.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import aiohttp
import msgspec
from yarl import URL

MOST_BYTES = 1024 * 1024
"""Of an answer: a metric is one number, or a handful."""


class Inconclusive(NamedTuple):
    """Nothing is known, and why; no verdict may be built on it."""

    reason: str


class Answered(NamedTuple):
    """A whole answer, whatever its status is."""

    status: int
    body: bytes


class Asker:
    """Sends requests, each over a connection of its own: what is asked once a minute is no use to keep open."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up what is on its way."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        url: URL,
        *,
        timeout: float,  # noqa: ASYNC109 - it bounds the whole exchange, and its end is an answer
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answered | Inconclusive:
        """What the server answers within `timeout` seconds; raises nothing but that it was cancelled."""
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(url, method, headers, body, tls)
        except TimeoutError:
            return Inconclusive(f"no answer within {timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Inconclusive(_said(error))

    async def _exchange(
        self, url: URL, method: str, headers: Mapping[str, str] | None, body: bytes | None, tls: ssl.SSLContext | None
    ) -> Answered | Inconclusive:
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        session = self._open()
        async with session.request(
            method, url, headers=sent, data=body, allow_redirects=False, ssl=tls or True
        ) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                return Inconclusive("the answer is compressed, which was not asked for")
            if 300 <= response.status < 400:
                return Inconclusive(f"the answer is a redirect ({response.status}), which is not followed")
            received = bytearray()
            async for piece in response.content.iter_any():
                received += piece
                if len(received) > MOST_BYTES:
                    return Inconclusive(f"the answer has more than {MOST_BYTES} bytes")
            return Answered(response.status, bytes(received))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0, use_dns_cache=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
            )
        return self._session


def document(body: bytes) -> Any | Inconclusive:
    """The JSON of an answer."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Inconclusive("the answer is not JSON")


def shown(url: URL) -> str:
    """A server's name for people: without what may be a password or a key."""
    try:
        port = "" if url.is_default_port() else f":{url.port}"
    except ValueError:
        port = ""
    return f"{url.scheme}://{url.host}{port}{url.path if url.path != '/' else ''}"


def _said(error: Exception) -> str:
    """An error without the address in it, which may have a key in its query."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what it answers is not HTTP"
    if isinstance(error, aiohttp.ClientConnectionError):
        return "the connection ended before the answer did"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer was cut"
    return type(error).__name__
