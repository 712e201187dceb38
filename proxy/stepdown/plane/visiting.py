"""The cookie that Stepdown sets on some routes: who sends a request, and what their answer says about it.

An answer that sets a cookie is one visitor's, whatever the model server says of its caching: stored by a shared cache
(RFC 9111, section 7.3), it would hand the same id to everybody who comes after, and `Vary: Cookie` does not prevent
that, since all of them come without a cookie. So it is marked `private`, and what speaks to shared caches only is taken
off. Answers to visitors who have their cookie go on as they came, but for those with a token of a rollout
(`decide.feedback`): what is clicked in everybody's copy of one answer would be one person's click.
"""

from __future__ import annotations

import re
from secrets import token_bytes
from time import time
from typing import TYPE_CHECKING

from stepdown.decide.cookies import ID_BYTES

if TYPE_CHECKING:
    from stepdown.decide.choice import Choice
    from stepdown.decide.route import Route
    from stepdown.plane.exchange import Exchange

_directives = re.compile(rb'[^,"]*(?:"[^"]*"[^,"]*)*').findall
_SHARED = (b"public", b"private", b"s-maxage")
"""Directives that `private` stands in the place of."""


def find(exchange: Exchange, route: Route, body: bytes | None, address: str) -> None:
    """Find out who sends the request; once, so that another attempt is the same visitor's."""
    if exchange.visitor is None:
        exchange.visitor = route.visitor(exchange.head, body, address, time(), _new_id)


def chosen(exchange: Exchange, route: Route, choice: Choice) -> None:
    """Note what the answer has to say to the visitor, now that it is known where the request goes."""
    if exchange.visitor is not None:
        exchange.cookie = route.set_cookie(exchange.visitor, choice, time())


def own_lines(exchange: Exchange) -> bytes:
    """The field lines of an answer that are about nobody but its client: a cookie, a token."""
    if exchange.counted is None:
        return exchange.cookie
    return exchange.cookie + exchange.counted.line(exchange)


def private(fields: bytes) -> bytes:
    """The field lines of an answer made one visitor's own."""
    if b"-control:" not in fields.lower():  # as of most models, whose lines need no look at each
        return fields + b"cache-control: private\r\n"
    lines, directives = [], [b"private"]
    for line in fields.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name == b"cache-control":
            directives += _without_shared(value)
        elif name != b"surrogate-control" and not name.endswith(b"-cache-control"):  # RFC 9213
            lines.append(line)
    lines.append(b"cache-control: " + b", ".join(directives))
    return b"\r\n".join(lines) + b"\r\n"


def _without_shared(value: bytes) -> list[bytes]:
    if value.count(b'"') % 2:
        return [b"no-store"]  # a quotation that does not end: nobody knows what it means
    stripped = (directive.strip(b" \t") for directive in _directives(value))
    return [one for one in stripped if one and one.partition(b"=")[0].strip(b" \t").lower() not in _SHARED]


def _new_id() -> bytes:
    return token_bytes(ID_BYTES)
