"""Cookies and queries: the value of one name among pairs, without taking all of them apart.

Of several pairs with one name the first counts. In a query, `name` without `=` has an empty value, escapes in names and
values are taken back, and a plus is a space.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from stepdown.decide.cookies import pattern_of
from stepdown.decide.facts import Facts


def cookie_reader(name: str) -> Callable[[Facts], bytes | None]:
    """Reads a cookie of a request."""
    read = in_cookies(name)
    return lambda facts: read(field) if (field := facts.get(b"cookie")) is not None else None


def in_cookies(name: str) -> Callable[[bytes], bytes | None]:
    """Reads a cookie from a `Cookie` field, as `keys` does.

    The expression is only needed where `name=` may be a part of something else.
    """
    needle = name.encode() + b"="
    length = len(needle)
    search = pattern_of(name).search

    def read(field: bytes) -> bytes | None:
        start = field.find(needle)
        if start < 0:
            return None
        if start == 0 or field.endswith((b";", b"; "), 0, start):
            end = field.find(b";", start)
            return field[start + length : end if end >= 0 else None].strip(b" \t")
        found = search(field)
        return found[1].strip(b" \t") if found is not None else None

    return read


def query_reader(name: str) -> Callable[[bytes], bytes | None]:
    """Reads a parameter from the raw part of a target after `?`."""
    wanted = name.encode()

    def read(query: bytes) -> bytes | None:
        escaped = b"%" in query or b"+" in query
        if not escaped and wanted not in query:
            return None
        for pair in query.split(b"&"):
            found, _, value = pair.partition(b"=")
            if (_unescaped(found) if escaped else found) == wanted and pair:
                return _unescaped(value) if escaped else value
        return None

    return read


def _unescaped(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
