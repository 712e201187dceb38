"""Texts of the file that stand for something else: durations, sizes, addresses, versions, dates, URLs.

Each `read_*` function takes the value as YAML gives it and returns it converted, or raises what `refused` makes.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from stepdown.config.file.section import refused
from stepdown.wire.request import METHODS
from stepdown_adapters.versions import Range, Version, VersionError

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_DURATION = 30 * 24 * 3600.0
_LIFETIME = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|m|h|d)")
LONGEST_LIFETIME = 400 * 24 * 3600
"""Browsers keep no cookie longer (RFC 6265bis, section 5.5)."""
_SIZE = re.compile(r"([0-9]+) ?(B|kB|MB|GB|KiB|MiB|GiB)")
_BYTES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_LARGEST_SIZE = 2**50
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
"""RFC 9110 section 5.6.2: names of header fields, cookies, methods."""
_ADDRESS = re.compile(r"([^:\[\]]*|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_LARGEST_PORT = 65535
_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_COOKIE_PATH = re.compile(r"/[!-:<-~]{0,500}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_PATH = re.compile(r"/[!-\"$->@-~]{0,2000}")
"""Visible ASCII without `#` and `?`."""


def read_duration(value: Any) -> float:
    """Seconds of `2s`, `500ms`, `1m`, `1h` or a number of seconds."""
    allowed = "a duration such as 2s, 500ms, 1m, or a number of seconds, up to 30 days"
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and len(value) <= 40 and (found := _DURATION.fullmatch(value)):
        seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds is None or not 0 <= seconds <= _LONGEST_DURATION:
        raise refused(allowed)
    return seconds


def read_lifetime(value: Any) -> int:
    """Whole seconds of `30d`, `12h`, `90m`, or a number of seconds."""
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and len(value) <= 40 and (found := _LIFETIME.fullmatch(value)):
        seconds = float(found[1]) * (86400.0 if found[2] == "d" else _SECONDS[found[2]])
    if seconds is None or not 0 <= seconds <= LONGEST_LIFETIME:
        raise refused("a time such as 30d, 12h, or a number of seconds, up to 400 days")
    return int(seconds)


def read_size(value: Any) -> int:
    """Bytes of `8MiB`, `64 kB` or a number of bytes."""
    size: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and len(value) <= 40 and (found := _SIZE.fullmatch(value)):
        size = int(found[1]) * _BYTES[found[2]]
    if size is None or not 0 <= size <= _LARGEST_SIZE:
        raise refused("a size such as 8MiB, 64KiB, 1GB, or a number of bytes")
    return size


def read_share(value: Any) -> float:
    """Share (0 to 1) of `20%` or `0.2`."""
    share: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    elif isinstance(value, str) and (found := _PERCENTAGE.fullmatch(value)):
        share = float(found[1]) / 100
    if share is None or not 0 <= share <= 1:
        raise refused("a percentage such as 20%, or a share from 0 to 1")
    return share


def read_percent(value: Any) -> float:
    """A number from 0 to 100."""
    percent: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        percent = float(value)
    if percent is None or not 0 <= percent <= 100:
        raise refused("a number from 0 to 100: 20 is every fifth")
    return percent


def read_address(value: Any) -> tuple[str, int]:
    """Host and port of `0.0.0.0:8080`, `[::1]:8080`, `localhost:0`, or `:8080` for every IPv4 address."""
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[2]) > _LARGEST_PORT or (found[1] and not _HOST.fullmatch(found[1])):
        raise refused("HOST:PORT such as 0.0.0.0:8080 or [::1]:8080")
    return found[1].strip("[]") or "0.0.0.0", int(found[2])  # noqa: S104 (asked for)


def read_url(value: Any) -> str:
    """`http://host:port` or `https://host`, nothing behind it; the result has no trailing slash."""
    allowed = "a URL such as http://churn-v1:8080"
    if not isinstance(value, str) or len(value) > 500:
        raise refused(allowed)
    try:
        parts = urlsplit(value)
        port, username, host = parts.port, parts.username, parts.hostname or ""
    except ValueError:
        raise refused(allowed) from None
    if username is not None:
        raise refused(f"{allowed}; credentials go to `set_headers`", problem="found a URL with credentials in it")
    if parts.path not in {"", "/"} and parts.scheme in {"http", "https"}:
        raise refused(f"{allowed}; the path goes to `path` of the endpoint")
    bracketed = f"[{host}]" if ":" in host else host
    clean = not (parts.query or parts.fragment or "?" in value or "#" in value)
    if parts.scheme not in {"http", "https"} or port == 0 or not clean or "*" in host or not _HOST.fullmatch(bracketed):
        raise refused(allowed)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def read_version(value: Any) -> str:
    """A complete version, as it is written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refused(f'a version such as "1.1.0"; quote it: "{_three_parts(value)}"')
    try:
        Version.parse(value)
    except (VersionError, TypeError, AttributeError):
        raise refused('a complete version such as "1.1.0"') from None
    return str(value)


def read_range(value: Any) -> str:
    """A version, a range, or `latest`, as it is written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refused(f'a version or range such as "1.1.0", "1" or ^1.2; quote it: "{value}"')
    try:
        if value != "latest":
            Range.parse(value)
    except (VersionError, TypeError, AttributeError):
        raise refused('a version or range such as "1.1.0", "1", ^1.2 or latest') from None
    return str(value)


def _three_parts(value: float) -> str:
    """What a number was most likely meant to be: 1.1 is "1.1.0", 2 is "2.0.0"."""
    text = str(value)
    return text + ".0" * (2 - text.count(".")) if text.replace(".", "").isdigit() else "1.1.0"


def read_date(value: Any) -> int:
    """Unix seconds of `2026-12-01` (midnight UTC) or `2026-12-01T12:00:00Z`."""
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is None and _DATE.fullmatch(value):
            moment = moment.replace(tzinfo=datetime.UTC)
        seconds = int(moment.timestamp()) if moment.tzinfo else -1
    except (TypeError, ValueError, OverflowError):
        seconds = -1
    if seconds < 0:
        raise refused("a date such as 2026-12-01, or a time with its zone such as 2026-12-01T12:00:00Z")
    return seconds


def read_network(value: Any) -> str:
    """An address or a network in CIDR form, normalised."""
    try:
        return str(ipaddress.ip_network(_text(value), strict=False))
    except ValueError:
        raise refused("an address or network such as 10.0.0.0/8") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def matching_text(pattern: re.Pattern[str], allowed: str) -> BeforeValidator:
    """A validator of texts that `pattern` matches whole."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise refused(allowed)
        return value

    return BeforeValidator(check)


def read_method(value: Any) -> str:
    """A method that requests are forwarded with; others are answered with 501, so no condition can ask for them."""
    if not isinstance(value, str) or value.encode() not in METHODS:
        raise refused(f"a method in capitals, one of {', '.join(sorted(method.decode() for method in METHODS))}")
    return value


def written(kind: str, *types: str, pattern: re.Pattern[str] | None = None) -> WithJsonSchema:
    """How a value looks in the file, for the JSON Schema; `x-kind` is its name in the reference."""
    schema: dict[str, Any] = {"type": types[0] if len(types) == 1 else list(types), "x-kind": kind}
    if pattern is not None:
        schema["pattern"] = f"^(?:{pattern.pattern})$"
    return WithJsonSchema(schema)


Duration = Annotated[float, BeforeValidator(read_duration), written("duration", "number", "string", pattern=_DURATION)]
Lifetime = Annotated[int, BeforeValidator(read_lifetime), written("duration", "number", "string", pattern=_LIFETIME)]
Size = Annotated[int, BeforeValidator(read_size), written("size", "integer", "string", pattern=_SIZE)]
Share = Annotated[float, BeforeValidator(read_share), written("percentage", "number", "string", pattern=_PERCENTAGE)]
Percent = Annotated[float, BeforeValidator(read_percent), written("number from 0 to 100", "number")]
Address = Annotated[tuple[str, int], BeforeValidator(read_address), written("`HOST:PORT`", "string")]
Url = Annotated[str, BeforeValidator(read_url), written("URL", "string")]
VersionText = Annotated[str, BeforeValidator(read_version), written("version", "string")]
RangeText = Annotated[str, BeforeValidator(read_range), written("version or range", "string")]
Date = Annotated[int, BeforeValidator(read_date), written("date", "string")]
Network = Annotated[str, BeforeValidator(read_network), written("network", "string")]
HeaderName = Annotated[
    str, matching_text(_TOKEN, "a header name such as x-user-id"), written("header name", "string", pattern=_TOKEN)
]
CookieName = Annotated[
    str, matching_text(_TOKEN, "a cookie name such as uid"), written("cookie name", "string", pattern=_TOKEN)
]
CookiePath = Annotated[
    str,
    matching_text(_COOKIE_PATH, "a path that begins with /, without ;"),
    written("path", "string", pattern=_COOKIE_PATH),
]
Method = Annotated[str, BeforeValidator(read_method), written("method", "string")]
Host = Annotated[
    str,
    matching_text(_HOST, "a host name such as api.example.com or *.example.com, without a port"),
    written("host", "string", pattern=_HOST),
]
Name = Annotated[
    str, matching_text(_NAME, "a name of letters, digits, ., _ and -"), written("name", "string", pattern=_NAME)
]
UrlPath = Annotated[
    str, matching_text(_PATH, "a path that begins with / and has no query"), written("path", "string", pattern=_PATH)
]
Pointer = Annotated[str, matching_text(_POINTER, "a JSON Pointer such as /user/id"), written("JSON Pointer", "string")]
