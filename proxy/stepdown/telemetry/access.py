"""The access log: one line for each exchange on standard output, which never holds up an exchange.

`add` keeps a record. Every `BATCH` records, and at `flush`, lines are made of those that wait and handed to a thread
that writes (`lines`), so the work is spread evenly and nobody waits for the reader. When lines come faster than they
are read, the newest are dropped and counted in `stepdown_access_log_dropped_total`.

A record is a tuple in the order of `FIELDS`. Whatever a client sent, it becomes exactly one line of ASCII: bytes are
taken as Latin-1, so that any of them is one character, and all that is not printable is escaped and cut.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Literal

from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.slab import Slab
from stepdown.telemetry.text import cut, printable, timestamp, value

FIELDS = (
    "time",  # float, Unix seconds at which the exchange ended
    "client",  # str, address
    "method",  # bytes
    "target",  # bytes, in origin form; of a request that was refused, its first line
    "protocol",  # str, "HTTP/1.1" or "HTTP/1.0"
    "status",  # int
    "request_bytes",  # int, of the body
    "response_bytes",  # int, of the body as delivered
    "duration",  # float, seconds
    "upstream_duration",  # float, seconds; 0.0 where no endpoint was asked
    "route",  # str, like all that follow; empty where there is none
    "rule",
    "assigned",
    "served",
    "pinned",
    "reason",
    "adapter",
    "endpoint",
    "error",
)
"""Names of a record's members, in order."""

_NAMED = FIELDS.index("route")
"""Where the names begin."""

BATCH = 64
"""Records of which lines are made at once: a quarter of a millisecond of work."""

_LIMITS = (1024, 256, 64, 16)
"""Characters of a text that are shown, tried in turn until the line is short enough; at the last one each line is."""

Record = tuple[Any, ...]


def plain(record: Record, limit: int) -> str:
    """`time client "request line" status` and the other fields as `key=value`, empty ones left out."""
    time, client, method, target, protocol, status, received, sent, duration, upstream = record[:_NAMED]
    return (
        f'{timestamp(time)} {_plain_client(client, limit)} "{printable(method, limit)} {printable(target, limit)} '
        f'{protocol}" {status} in={received} out={sent} duration={duration:.6f} upstream={upstream:.6f}'
        f"{_plain_names(record[_NAMED:], limit)}\n"
    )


def json(record: Record, limit: int) -> str:
    """One JSON object with the names of `FIELDS`, all of them always there."""
    time, client, method, target, protocol, status, received, sent, duration, upstream = record[:_NAMED]
    return (
        f'{{"time":"{timestamp(time)}","client":{quoted(cut(client, limit))},"method":{quoted(cut(method, limit))},'
        f'"target":{quoted(cut(target, limit))},"protocol":"{protocol}","status":{status},'
        f'"request_bytes":{received},"response_bytes":{sent},"duration":{duration:.6f},'
        f'"upstream_duration":{upstream:.6f}{_json_names(record[_NAMED:], limit)}}}\n'
    )


# Names come from the configuration and from closed sets, and clients come again: their form is worked out once.


@lru_cache(maxsize=4096)
def _plain_client(client: str, limit: int) -> str:
    return value(cut(client, limit))


@lru_cache(maxsize=4096)
def _plain_names(names: tuple[str, ...], limit: int) -> str:
    return "".join(
        f" {key}={value(cut(text, limit))}" for key, text in zip(FIELDS[_NAMED:], names, strict=True) if text
    )


@lru_cache(maxsize=4096)
def _json_names(names: tuple[str, ...], limit: int) -> str:
    return "".join(f',"{key}":{quoted(cut(text, limit))}' for key, text in zip(FIELDS[_NAMED:], names, strict=True))


class AccessLog:
    """The records of one worker on their way to standard output."""

    def __init__(self, slab: Slab, style: Literal["plain", "json"] = "plain", writer: LineWriter | None = None) -> None:
        """Count what is dropped in `slab`; `writer` is standard output unless another one is given."""
        self._format: Callable[[Record, int], str] = json if style == "json" else plain
        self._writer = writer or LineWriter(sys.__stdout__.fileno() if sys.__stdout__ else -1)
        self._cells = slab.cells
        self._dropped = slab.counter("stepdown_access_log_dropped_total", ())
        self._lost = 0
        self._records: list[Record] = []

    def add(self, record: Record) -> None:
        """Take a record (`FIELDS`)."""
        self._records.append(record)
        if len(self._records) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits; to be called from time to time, so that the last records do not wait for more."""
        records, self._records = self._records, []
        missing = len(records) if self._writer.full else self._writer.put(self._line(record) for record in records)
        lost = self._writer.lost
        self._cells[self._dropped] += missing + lost - self._lost
        self._lost = lost

    def close(self, timeout: float = 1.0) -> None:
        """Write all that is left, for at most `timeout` seconds."""
        self.flush()
        self._writer.close(timeout)
        self.flush()

    def _line(self, record: Record) -> bytes:
        for limit in _LIMITS:
            line = self._format(record, limit)
            if len(line) <= LINE_LIMIT:
                break
        return line.encode("ascii")
