"""Who calls the admin API: bearer tokens, compared in constant time, and a brake on guessing.

A token is kept as its SHA-256 only. What was presented is hashed, and its digest is compared with every known one by
`hmac.compare_digest`, all of them always: how long that takes tells neither how near a guess was nor whether there is
such a token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

from stepdown.config import Token

Role = Literal["view", "operate"]

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE).fullmatch  # RFC 6750, 2.1

FAILURES = 10
"""Wrong tokens that an address may present before it has to wait."""
REFILL = 6.0
"""Seconds after which one more is allowed."""
ADDRESSES = 1024
"""Addresses that are remembered; the one that has been quiet longest is forgotten first."""


def presented(authorization: Sequence[str]) -> str | None:
    """The token of a request's `Authorization` fields; `None` unless they are one well-formed bearer token."""
    match = _BEARER(authorization[0]) if len(authorization) == 1 else None
    return match[1] if match else None


def holder(text: str, tokens: Sequence[Token]) -> Token | None:
    """Whose token this is."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    found = None
    for token in tokens:
        if hmac.compare_digest(digest, token.sha256):
            found = token
    return found


def allows(token: Token, role: Role) -> bool:
    """Whether the token's role includes `role`: who may operate may also view."""
    return token.role == "operate" or role == "view"


class Brake:
    """Counts wrong tokens for each address: a bucket of `FAILURES` that empties by one every `REFILL` seconds."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By network: how full the bucket was, and when."""

    def wait(self, address: str, now: float) -> float:
        """Seconds until the address may present another token; 0 where it may now."""
        return max(0.0, (self._level(_network(address), now) - FAILURES + 1) * REFILL)

    def failed(self, address: str, now: float) -> None:
        """The address has presented a wrong token."""
        network = _network(address)
        self._failures[network] = (self._level(network, now) + 1, now)
        self._failures.move_to_end(network)
        if len(self._failures) > ADDRESSES:
            self._failures.popitem(last=False)

    def _level(self, network: str, now: float) -> float:
        level, since = self._failures.get(network, (0.0, now))
        return max(0.0, level - (now - since) / REFILL)


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the /64, in which a host chooses its addresses freely."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
