"""What is sent to an endpoint: the request's head written anew from the parsed one, and an endpoint's own wishes.

`RequestTemplate` is compiled once per endpoint. Only lines that passed the guard, numbers and text that passed
`serialise.field` get into a head.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stepdown.decide.spec import Endpoint
from stepdown.errors import ConfigError
from stepdown.wire import RequestHead, serialise
from stepdown.wire.fields import NEGOTIATED

_PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

_IDENTITY = b"accept-encoding: identity\r\n"


class RequestTemplate:
    """How one endpoint wants its requests."""

    __slots__ = ("_host", "_own_host", "_path", "_plain", "_remove", "_set", "endpoint")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        try:
            set_lines = [serialise.field(name, value) for name, value in endpoint.set_headers]
            self._own_host = serialise.field("host", _authority(endpoint))
            self._host = self._host_line(endpoint)
        except (ValueError, UnicodeEncodeError) as error:
            raise ConfigError(f"Endpoint {endpoint.id}: {error}") from None
        self._set = b"".join(set_lines)
        self._remove = frozenset(name.lower().encode() for name, _ in endpoint.set_headers) | frozenset(
            name.lower().encode() for name in endpoint.remove_headers
        )
        self._path = _compile_path(endpoint.path) if endpoint.path is not None else None
        self._plain = self._host is None and not self._remove
        """Whether the head goes on as it came, but for the lines of this hop."""

    def _host_line(self, endpoint: Endpoint) -> bytes | None:
        if endpoint.host_header == "keep":
            return None
        if endpoint.host_header == "endpoint":
            return self._own_host
        return serialise.field("host", endpoint.host_header)

    def head(self, head: RequestHead, params: dict[str, bytes], origin: bytes, framing: bytes, adapted: bool) -> bytes:
        """The head to send; `origin` are the X-Forwarded-* and Via lines, `framing` the line for the body's length."""
        target = head.target
        if self._path is not None:
            target = self._path(params)
            if head.query:
                target += b"?" + head.query
        lines = head.lines
        if adapted:
            # The answer is made anew here: a range or a validator of the upstream's bytes would say nothing about it,
            # and a coding would only have to be undone.
            if head.negotiates:
                lines = _without(lines, NEGOTIATED)
            origin += _IDENTITY
        if self._plain and lines and head.host:
            return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b\r\n%b%b\r\n" % (
                head.method,
                target,
                head.host,
                b"\r\n".join(lines),
                origin,
                framing,
            )
        host = self._host
        if host is None and not head.host:
            host = self._own_host  # HTTP/1.0 needs no Host, HTTP/1.1 does
        elif host is None:
            host = b"host: " + head.host + b"\r\n"
        elif head.host:
            origin = origin + b"x-forwarded-host: " + head.host + b"\r\n"
        if self._remove:
            lines = _without(lines, self._remove)
        fields = b"\r\n".join(lines)
        if fields:
            fields += b"\r\n"
        return b"".join(
            (head.method, b" ", target, b" HTTP/1.1\r\n", host, fields, self._set, origin, framing, b"\r\n")
        )


def _authority(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == (443 if endpoint.tls else 80) else f"{host}:{endpoint.port}"


def _without(lines: list[bytes], names: frozenset[bytes]) -> list[bytes]:
    return [line for line in lines if line.partition(b":")[0].lower() not in names]


def _compile_path(template: str) -> Callable[[dict[str, bytes]], bytes]:
    """A function from the route's path parts (raw, as the client encoded them) to the path to send."""
    pieces = _PART.split(template)
    if len(pieces) == 1:
        fixed = template.encode("ascii")
        return lambda _params: fixed
    literals = [piece.encode("ascii") for piece in pieces]

    def render(params: dict[str, bytes]) -> bytes:
        return b"".join(params[pieces[i]] if i % 2 else literals[i] for i in range(len(pieces)))

    return render


def request_origin(head: RequestHead, peer: bytes, scheme: bytes, trusted_hops: int) -> bytes:
    """The X-Forwarded-* and Via lines of a request from `peer`.

    Without trusted hops, what came is overwritten: anybody can write an X-Forwarded-For. With them, it is continued.
    """
    via = b", ".join([*head.via, b"1.%d stepdown" % head.minor])
    if trusted_hops == 0:
        return b"via: %b\r\nx-forwarded-for: %b\r\nx-forwarded-proto: %b\r\n" % (via, peer, scheme)
    before = head.get_all(b"x-forwarded-for")
    kept = [line for line in head.forwarded if line.partition(b":")[0].lower() != b"x-forwarded-for"]
    lines = [*kept, b"x-forwarded-for: " + b", ".join([*before, peer]), b"via: " + via]
    if not any(line.lower().startswith(b"x-forwarded-proto:") for line in kept):
        lines.append(b"x-forwarded-proto: " + scheme)
    return b"\r\n".join(lines) + b"\r\n"


def client_address(head: RequestHead, peer: str, trusted_hops: int) -> str:
    """The client's address: the peer, or as many entries from the right of X-Forwarded-For as hops are trusted."""
    if trusted_hops == 0:
        return peer
    entries = b",".join(head.get_all(b"x-forwarded-for")).split(b",")
    chain = [entry.strip(b" \t").decode("latin-1") for entry in entries if entry.strip(b" \t")]
    return chain[-trusted_hops] if len(chain) >= trusted_hops else (chain[0] if chain else peer)
