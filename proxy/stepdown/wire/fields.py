"""What each header field means to a proxy: forwarded, dropped, read, or refused.

A field name is classified once and remembered, in the spelling in which it came, so that the common case is one
dictionary look-up. The memory is bounded: names are the client's to choose.
"""

from __future__ import annotations

from stepdown.errors import BadRequestError

# Kinds. Everything that is not PLAIN needs a decision of its own.
PLAIN = 0
HOST = 1
LENGTH = 2
"""`Content-Length`: framing, re-emitted from the parsed number."""
CODING = 3
"""`Transfer-Encoding`: framing, re-emitted as `chunked`."""
CONNECTION = 4
EXPECT = 5
UPGRADE = 6
HOP = 7
"""Hop by hop (RFC 9110 section 7.6.1): dropped."""
OWN = 8
"""Stepdown's own fields: read, never forwarded as they came."""
FORWARDED = 9
"""What proxies in front say about the client: rewritten according to `trusted_hops`."""
VIA = 10

KINDS: dict[bytes, int] = {
    b"host": HOST,
    b"content-length": LENGTH,
    b"transfer-encoding": CODING,
    b"connection": CONNECTION,
    b"expect": EXPECT,
    b"upgrade": UPGRADE,
    b"keep-alive": HOP,
    b"proxy-connection": HOP,
    b"proxy-authorization": HOP,
    b"proxy-authenticate": HOP,
    b"te": HOP,
    b"trailer": HOP,
    b"http2-settings": HOP,
    b"x-model-version": OWN,
    b"x-model-served": OWN,
    b"x-stepdown-explain": OWN,
    b"x-stepdown-serve": OWN,
    b"x-stepdown-override": OWN,
    b"x-stepdown-override-token": OWN,
    b"x-stepdown-token": OWN,
    b"x-stepdown-feedback-key": OWN,
    b"x-forwarded-for": FORWARDED,
    b"x-forwarded-host": FORWARDED,
    b"x-forwarded-proto": FORWARDED,
    b"x-forwarded-port": FORWARDED,
    b"forwarded": FORWARDED,
    b"x-real-ip": FORWARDED,
    b"via": VIA,
}

# `Connection` may not nominate these for removal (CVE-2026-26365, "hop-by-hop header abuse"): a proxy that obeyed would
# drop the framing, the routing or the identity of a request.
PROTECTED = frozenset(
    name for name, kind in KINDS.items() if kind in (HOST, LENGTH, CODING, EXPECT, OWN, FORWARDED, VIA)
) | {b"authorization", b"cookie", b"content-type", b"content-encoding"}

NEGOTIATED = frozenset(
    (
        b"range",
        b"if-range",
        b"if-match",
        b"if-none-match",
        b"if-modified-since",
        b"if-unmodified-since",
        b"accept-encoding",
    )
)
"""Fields about the bytes of an answer: its parts, its validators, its coding (RFC 9110 sections 12.5.3, 13 and 14)."""

_BOUND = 1024
_known: dict[bytes, int] = {}
for _name, _kind in KINDS.items():
    _known[_name] = _known[_name.title()] = _known[_name.upper()] = _kind


def kind_of(name: bytes) -> int:
    """Kind of a field by its name in any case; raises `BadRequestError` for an underscore alias of a special field.

    WSGI and CGI servers map `_` to `-`, so `Transfer_Encoding` would become framing behind the proxy.
    """
    kind = _known.get(name)
    if kind is not None:
        return kind
    lower = name.lower()
    kind = KINDS.get(lower, PLAIN)
    if kind == PLAIN and b"_" in lower and lower.replace(b"_", b"-") in KINDS:
        raise BadRequestError(f"Field name {name.decode('latin-1')!r} is an alias of a field that proxies act on")
    if len(_known) < _BOUND and len(name) <= 64:
        _known[name] = kind
    return kind


known = _known.get
"""The look-up without the miss: `known(name)` is a kind or `None`; on `None` ask `kind_of`."""


class ConnectionOptions:
    """A parsed `Connection` field: what it says about persistence, and which fields it nominates for removal."""

    __slots__ = ("close", "keep_alive", "nominated")

    def __init__(self, value: bytes) -> None:
        tokens = {token.strip(b" \t").lower() for token in value.split(b",")} - {b""}
        self.close = b"close" in tokens
        self.keep_alive = b"keep-alive" in tokens and not self.close
        self.nominated = frozenset(tokens - {b"close", b"keep-alive", b"upgrade"} - set(KINDS)) | (tokens & PROTECTED)
