"""Records of decisions: one JSON line with all that is needed to decide again, and what was decided.

A record holds the facts that can decide under the configuration that it was made under (`needs`), not the whole
request: whose key it is, what the conditions read, the pin. What is absent is `null`; what is not named was not looked
at, and nobody can say now whether it was there. Three kinds of values are not there as they came:

- Secrets. Of fields whose name speaks of one, or that the configuration names in `redact`, the SHA-256 stands there. A
  configuration that compares with a value, or with a digest, can still be decided with it; one that looks into the
  value cannot. A sticky key that is hidden keeps its slot, as long as salt and source stay.
- Stepdown's own cookies: the id in them is there, which is the key, but not the signature.
- What made the line too long (`cut`).

The member `event` comes first and says `decision`, so that such lines can be told from others in the same stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

EVENT = b'{"event":"decision"'
"""How every record begins."""

_SPEAKS_OF_A_SECRET = re.compile(r"auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE)


class Hidden(msgspec.Struct, frozen=True):
    """A value that is not to be known."""

    sha256: str


HIDDEN = "***"
"""Stands in a query for a value that is not to be known."""

Value = str | Hidden | None
"""Bytes as Latin-1; `None`: the request has no such thing."""


class Visitor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose request it was by Stepdown's own cookie (`cookies.Visitor`)."""

    id: str
    record: str = ""
    new: bool = False


class FlagSaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a feature flag said about the request (`view.FlagAnswer`)."""

    value: Any
    variant: str | None = None
    reason: str = ""
    error: str | None = None
    message: str = ""


class Decided(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What was decided; members as in an explanation, those that were not reached are left out."""

    route: str = ""
    """Empty: none matched, and the request went through where `error` is empty too."""
    model: str = ""
    rule: str = ""
    salt: str = ""
    pinned: str = ""
    assigned: str = ""
    served: str = ""
    reason: str = ""
    key_source: str = ""
    slot: int | None = None
    turn: int | None = None
    error: str = ""
    """The problem with which it was refused."""
    status: int = 0
    """Its status; 0 where it was not refused."""
    override: str = ""
    """What became of an override (`overrides.Ruling`)."""
    holder: str = ""
    """Who asked for it."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One request and the decision about it."""

    event: Literal["decision"]
    time: str
    """When it was decided, RFC 3339."""
    config: str
    """Digest of the configuration that decided."""
    sample: float
    """Share of the requests that are recorded."""
    method: str
    host: str = ""
    path: str
    query: str = ""
    headers: dict[str, Value] = {}
    cookies: dict[str, Value] = {}
    body: dict[str, msgspec.Raw] = {}
    """JSON scalars by the pointer that leads to them; null where there is nothing, `[]` for any object or array, and a
    `Hidden` where it is a secret."""
    client: str = ""
    """The client's address, where it can decide."""
    visitor: Visitor | None = None
    flags: dict[str, FlagSaid] = {}
    """What flags said, as far as they were asked."""
    down: tuple[str, ...] = ()
    """Versions of the model whose servers were not up."""
    cut: tuple[str, ...] = ()
    """What was left out of this record because it was too long: `header x-a`, `query`, ..."""
    decided: Decided

    @property
    def seconds(self) -> float:
        """`time` as Unix seconds; raises `ValueError`."""
        return datetime.fromisoformat(self.time).timestamp()


def is_secret(name: str, redact: frozenset[str]) -> bool:
    """Whether values of this field, cookie or parameter are hidden in records."""
    return name.lower() in redact or _SPEAKS_OF_A_SECRET.search(name) is not None


def shown_query(query: str, redact: frozenset[str]) -> str:
    """A query without the values that are hidden."""
    if not query:
        return ""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        f"{name}{sign}{HIDDEN if value and is_secret(unquote(name), redact) else value}" for name, sign, value in pairs
    )


def is_hidden_in(query: str, name: str) -> bool:
    """Whether a parameter is there whose value is hidden."""
    return any(unquote(pair.partition("=")[0]) == name and pair.endswith(f"={HIDDEN}") for pair in query.split("&"))


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


def read(line: bytes) -> Record:
    """One line; raises `ValueError` on anything else."""
    return _DECODER.decode(line)


def write(record: Record, limit: int) -> bytes:
    """The record as a line of at most `limit` bytes, what makes it longer left out and named in `cut`.

    Empty where even that does not help.
    """
    line = _ENCODER.encode(record) + b"\n"
    while len(line) > limit:
        shorter = _shortened(record)
        if shorter is None:
            return b""
        record = shorter
        line = _ENCODER.encode(record) + b"\n"
    return line


_PARTS: Mapping[str, str] = {"headers": "header", "cookies": "cookie", "body": "body"}
_KEPT_PATH = 256
_MANY = 8
_ABSENT = (None, msgspec.Raw(b"null"))


def _shortened(record: Record) -> Record | None:
    """Without the names of what is absent, where they are many, else without its longest part; `None`: it has none."""
    parts: dict[str, dict[str, object]] = {part: getattr(record, part) for part in _PARTS}
    absent = sum(value in _ABSENT for values in parts.values() for value in values.values())
    if absent > _MANY:
        present = {
            part: {name: value for name, value in values.items() if value not in _ABSENT}
            for part, values in parts.items()
        }
        return _changed(record, "what is absent", present)
    lengths: dict[tuple[str, str], int] = {
        (part, name): len(_ENCODER.encode(value)) for part, values in parts.items() for name, value in values.items()
    }
    lengths |= {("query", ""): len(record.query), ("host", ""): len(record.host)}
    lengths["path", ""] = len(record.path) - _KEPT_PATH
    part, name = max(lengths, key=lambda key: lengths[key])
    if lengths[part, name] <= 0:
        return None
    if part == "path":
        return _changed(record, part, {part: record.path[:_KEPT_PATH]})
    if part not in parts:
        return _changed(record, part, {part: ""})
    left = {other: value for other, value in parts[part].items() if other != name}
    return _changed(record, f"{_PARTS[part]} {name}", {part: left})


def _changed(record: Record, cut: str, changes: Mapping[str, object]) -> Record:
    return msgspec.structs.replace(record, cut=(*record.cut, cut), **changes)
