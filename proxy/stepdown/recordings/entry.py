"""One recorded exchange as one JSON line: what was asked, what was decided, and what the server answered.

The member `recording` comes first and says in which format the line is, so that such lines can be told from others.
Members may be added within a format, and a reader passes over those that it does not know.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from stepdown.decide.records import Value
from stepdown.recordings.bodies import TOO_LARGE, Message

FORMAT = 1
MARK = b'{"recording":'
"""How every line begins."""
LONGEST = 16 * 1024 * 1024
"""Bytes of a line; nobody writes longer ones, and nobody reads them."""


class Request(Message, frozen=True, omit_defaults=True, kw_only=True):
    """What the client sent."""

    method: str
    target: str
    """Path and query, in which values stand as `***` whose names speak of a secret."""
    cookies: dict[str, Value] = msgspec.field(default_factory=dict)
    """Cookies that decide."""


class Response(Message, frozen=True, omit_defaults=True, kw_only=True):
    """What the server answered, in the served version's shape."""

    status: int


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One exchange."""

    recording: int
    """`FORMAT`"""
    id: str
    """Unique within a route's recordings."""
    time: str
    """When the request came, RFC 3339."""
    config: str
    """Digest of the configuration that decided."""
    route: str
    model: str
    rule: str = ""
    pinned: str
    assigned: str
    chosen: str = ""
    """The version whose server was asked first, where that is not `served`."""
    served: str = ""
    """The version whose server gave `response`; empty where none answered."""
    reason: str = ""
    key: str = ""
    """Keyed digest of the sticky key, the same for one user while one process records; empty where there is none."""
    client: str = ""
    """The client's address, where it can decide."""
    request: Request
    outcome: str
    """What became of the answer (`plane.plan.OUTCOMES`): `adapted`, that the client got it stepped down."""
    status: int
    """What the client got to see; 0 where it left before."""
    error: str = ""
    """The problem of an answer that Stepdown made itself, or of one that was cut."""
    elapsed: float = 0.0
    """Seconds from the request to the end of its answer."""
    upstream: float = 0.0
    """Seconds of them that the server took."""
    response: Response | None = None
    """Absent where no server answered."""

    @property
    def seconds(self) -> float:
        """`time` as Unix seconds; raises `ValueError`."""
        return datetime.fromisoformat(self.time).timestamp()


class _Marked(msgspec.Struct):
    recording: int


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Entry)


def write(entry: Entry) -> bytes:
    """The entry as a line of at most `LONGEST` bytes; bodies that make it longer are left out, the longest first."""
    line = _ENCODER.encode(entry) + b"\n"
    while len(line) > LONGEST:
        shorter = _shorter(entry)
        if shorter is None:
            raise ValueError("an exchange whose head is too long for a line")
        entry = shorter
        line = _ENCODER.encode(entry) + b"\n"
    return line


def read(line: bytes) -> Entry:
    """One line; raises `ValueError` on anything else."""
    try:
        entry = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        found = _format_of(line)
        raise ValueError(str(error) if found in (None, FORMAT) else _unknown(found)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if entry.recording != FORMAT:
        raise ValueError(_unknown(entry.recording))
    return entry


def _format_of(line: bytes) -> int | None:
    try:
        return msgspec.json.decode(line, type=_Marked).recording
    except msgspec.DecodeError:
        return None


def _unknown(found: int | None) -> str:
    return f"has the format {found}, and this version reads {FORMAT}"


def _shorter(entry: Entry) -> Entry | None:
    """Without the longest of its bodies; `None` where it has none."""
    lengths = {
        name: len(bytes(message.body))
        for name, message in (("request", entry.request), ("response", entry.response))
        if message is not None and isinstance(message.body, msgspec.Raw)
    }
    if not lengths:
        return None
    name = max(lengths, key=lambda one: lengths[one])
    without = msgspec.structs.replace(
        getattr(entry, name), body=msgspec.UNSET, form="", coding="", redacted=(), missing=TOO_LARGE
    )
    return msgspec.structs.replace(entry, **{name: without})
