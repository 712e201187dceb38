"""Connections to endpoints: names resolved and remembered, TLS set up once, foreign errors mapped here.

Addresses are looked up off the loop, kept for half a minute, and the last good answer is used while a look-up fails,
so a DNS outage does not become an outage of the model.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from time import monotonic

from stepdown.decide.spec import Endpoint
from stepdown.errors import ConfigError, UpstreamConnectError, UpstreamError, UpstreamTimeoutError

ADDRESS_SECONDS = 30.0


class Connector:
    """Opens connections to one endpoint."""

    __slots__ = ("_addresses", "_context", "_endpoint", "_literal", "_looked_up", "_next", "_server_name")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._context = _tls_context(endpoint)
        self._server_name = (endpoint.tls.server_name or endpoint.host) if endpoint.tls else None
        self._literal = _is_address(endpoint.host)
        self._addresses: list[str] = [endpoint.host] if self._literal else []
        self._looked_up = float("-inf")
        self._next = 0

    async def open(self, factory: Callable[[], asyncio.Protocol], seconds: float) -> None:
        """Connect within `seconds` (0: no limit); `factory` makes the protocol.

        Raises `UpstreamConnectError` or `UpstreamTimeoutError`.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds or None):
                address = await self._address(loop)
                await loop.create_connection(
                    factory, address, self._endpoint.port, ssl=self._context, server_hostname=self._server_name
                )
        except TimeoutError:
            raise UpstreamTimeoutError(f"{self._endpoint.id} did not accept a connection in {seconds:g} s") from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            raise self._mapped(error) from None

    async def _address(self, loop: asyncio.AbstractEventLoop) -> str:
        if not self._literal and monotonic() - self._looked_up > ADDRESS_SECONDS:
            try:
                found = await loop.getaddrinfo(
                    self._endpoint.host, self._endpoint.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
                )
                self._addresses = self._allowed(dict.fromkeys(str(entry[4][0]) for entry in found))
                self._looked_up = monotonic()
            except OSError:
                if not self._addresses:
                    raise
        self._next += 1
        return self._addresses[self._next % len(self._addresses)]

    def _allowed(self, addresses: Iterable[str]) -> list[str]:
        """Addresses without link-local ones: a name that leads there leads to a cloud's metadata, not to a model.

        Who means it writes the address itself into the file.
        """
        allowed = [address for address in addresses if not ip_address(address.partition("%")[0]).is_link_local]
        if not allowed:
            raise UpstreamConnectError(f"No connection to {self._endpoint.id}: its name leads to link-local addresses")
        return allowed

    def _mapped(self, error: Exception) -> UpstreamError:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"its certificate is not trusted: {error.verify_message}"
        elif isinstance(error, ssl.SSLError):
            reason = f"TLS failed: {error.reason or error}"
        elif isinstance(error, socket.gaierror):
            reason = f"its name is unknown: {error.strerror}"
        else:
            reason = str(getattr(error, "strerror", None) or error).lower() or "it closed the connection"
        return UpstreamConnectError(f"No connection to {self._endpoint.id}: {reason}", retry_after=1)


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=endpoint.tls.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{endpoint.id}: ca_file {endpoint.tls.ca_file!r} cannot be used: {error}") from None
    if not endpoint.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
