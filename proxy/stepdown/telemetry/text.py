"""Text from strangers as one line of plain ASCII: nothing in a log may look like the log's own structure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_ORDINARY = re.compile(r"[ !#-\[\]-~]*").fullmatch
_ORDINARY_BYTES = re.compile(rb"[ !#-\[\]-~]*").fullmatch
_BARE = re.compile(r"[!#-<>-\[\]-~]+").fullmatch

CUT = "..."
"""Stands at the end of what was longer than its limit."""


def cut(value: str | bytes, limit: int) -> str:
    """At most `limit` characters of the value, and `CUT` where it had more; a byte becomes one character."""
    kept = value[:limit].decode("latin-1") if isinstance(value, bytes) else value[:limit]
    return kept if len(value) <= limit else kept + CUT


def escaped(text: str) -> str:
    """The text with all but printable ASCII as Python's escapes, backslash and quotation mark included."""
    if _ORDINARY(text):
        return text
    return text.encode("unicode_escape").decode().replace('"', '\\"')


def readable(text: str) -> str:
    """The text with what cannot be seen (line ends, controls, direction marks) escaped, and all else as it is."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def value(text: str) -> str:
    """The value of a `key=value` field: bare where it can be, else escaped and in quotation marks."""
    return text if _BARE(text) else f'"{escaped(text)}"'


def printable(value: bytes, limit: int) -> str:
    """`escaped(cut(value, limit))`, at once where nothing is to be done."""
    if len(value) <= limit and _ORDINARY_BYTES(value):
        return value.decode()
    return escaped(cut(value, limit))


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(seconds: float) -> str:
    """Unix seconds as RFC 3339 text with milliseconds."""
    milliseconds = int(seconds * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"
