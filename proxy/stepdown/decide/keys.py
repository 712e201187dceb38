"""Sticky keys: what a request says about whose it is, as bytes to be hashed.

Sources are tried in the route's order. One that is absent, empty or unreadable gives way to the next; reading a key
never fails. The label of the source goes into the hash, so a header's `1` is another key than a cookie's `1`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from stepdown.decide import spec
from stepdown.decide.cookies import pattern_of
from stepdown.decide.facts import Facts

BODY_BYTES = 64 * 1024
"""A longer body is not searched for a key."""

Reader = Callable[[Facts, bytes | None, str], bytes | None]
"""Reads a key from a request's facts, body (`None`: not kept) and client address; `None` or empty: not there."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_RAW = msgspec.json.Decoder(msgspec.Raw)
_STRING = msgspec.json.Decoder(str)


def label_of(source: spec.KeySource) -> str:
    """`header:x-user-id`, `cookie:uid`, `json:/user/id` or `client_ip`: in metrics, and in what is hashed."""
    if source.header is not None:
        return f"header:{source.header}"
    if source.cookie is not None:
        return f"cookie:{source.cookie}"
    if source.json is not None:
        return f"json:{source.json}"
    return "client_ip"


def reader_of(source: spec.KeySource) -> Reader:
    """The function that reads keys from this source; of a cookie that Stepdown sets it finds none (`cookies`)."""
    return _missing if source.set_cookie is not None else _reader_of(source)


def _missing(facts: Facts, body: bytes | None, client: str) -> None:
    """What a cookie of Stepdown's own says by itself, which is nothing."""


@lru_cache(maxsize=256)
def _reader_of(source: spec.KeySource) -> Reader:
    """One for all routes that have the source: what a thousand of them share stays in the processor's caches."""
    if source.header is not None:
        header = source.header.encode()
        return lambda facts, body, client: facts.get(header)
    if source.cookie is not None:
        return _cookie_reader(source.cookie)
    if source.json is not None:
        pointer = tokens_of(source.json)
        return lambda facts, body, client: json_value(body, pointer)
    return lambda facts, body, client: client.encode()


def _cookie_reader(name: str) -> Reader:
    pair = pattern_of(name)

    def read(facts: Facts, body: bytes | None, client: str) -> bytes | None:
        cookies = facts.get(b"cookie")
        found = pair.search(cookies) if cookies is not None else None
        return found[1].strip(b" \t") if found is not None else None

    return read


def tokens_of(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a JSON Pointer (RFC 6901)."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def json_value(body: bytes | None, pointer: tuple[str, ...]) -> bytes | None:
    """The scalar at `pointer` as text: a string's characters, a number as it is written, `true` or `false`.

    `None` where `json_raw` has none, and for an object or an array.
    """
    value = json_raw(body, pointer)
    if value is None or value[:1] in (b"{", b"["):
        return None
    if value[:1] != b'"':
        return value
    try:
        return _STRING.decode(value).encode() if b"\\" in value else value[1:-1]
    except ValueError:  # half of a surrogate pair
        return None


def json_raw(body: bytes | None, pointer: tuple[str, ...]) -> bytes | None:
    """The value at `pointer` as it is written.

    `None` where the body is absent, longer than `BODY_BYTES` or no JSON, or where there is no such member, or it is
    null. Only the containers on the way are taken apart.
    """
    if body is None or len(body) > BODY_BYTES:
        return None
    value = body.strip(b" \t\r\n")
    try:
        for token in pointer:
            value = bytes(_member(value, token))
        if value[:1] == b"n":
            return None
        _RAW.decode(value)
    except (ValueError, LookupError, RecursionError):
        return None
    return value


def _member(container: bytes, token: str) -> msgspec.Raw:
    """One member; raises `LookupError` or `ValueError` where there is none."""
    if container[:1] == b"[":
        if not re.fullmatch("0|[1-9][0-9]{0,5}", token):
            raise LookupError(token)
        return _ARRAY.decode(container)[int(token)]
    return _OBJECT.decode(container)[token]
