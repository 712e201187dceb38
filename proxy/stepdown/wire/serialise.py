"""The one place where bytes become a head: what is added by configuration is checked here, once, when it is loaded.

Lines of a parsed head have passed the guard and are written as they came; everything else passes `field`, which refuses
CR, LF, NUL and every other control byte, so no configured or computed value can split a message.
"""

from __future__ import annotations

from http import HTTPStatus

from stepdown.wire import grammar

_REASONS = {status.value: status.phrase for status in HTTPStatus}


def field(name: str | bytes, value: str | bytes) -> bytes:
    """One field line with its CRLF; raises `ValueError` where name or value could not be one line."""
    raw_name = name.encode("ascii") if isinstance(name, str) else name
    raw_value = value.encode("latin-1") if isinstance(value, str) else value
    if grammar.FIELD_NAME.fullmatch(raw_name) is None:
        raise ValueError(f"{raw_name!r} is no field name")
    if grammar.FIELD_VALUE.fullmatch(raw_value) is None:
        raise ValueError(f"The value of {raw_name!r} has a control byte or leading white space: {raw_value!r}")
    return raw_name + b": " + raw_value + b"\r\n"


def _status_line(status: int) -> bytes:
    return b"HTTP/1.1 %d %s\r\n" % (status, _REASONS.get(status, "Unknown").encode("ascii"))


STATUS_LINES: tuple[bytes, ...] = tuple(_status_line(status) for status in range(600))
"""Status line by status: an upstream's own reason phrase is never relayed."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNKED_LINE = b"transfer-encoding: chunked\r\n"
CLOSE_LINE = b"connection: close\r\n"
KEEP_ALIVE_LINE = b"connection: keep-alive\r\n"


def chunk(payload: bytes) -> bytes:
    """Frame content as one chunk; empty content gives nothing, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""
