"""The access log: one line for each exchange on standard output, which never holds up an exchange.

`add` keeps a record, `flush` makes lines of a batch of them and hands those to a thread that writes (`lines`). Both
ends are bounded: when records come faster than they are read, the newest are dropped and counted in
`stepdown_access_log_dropped_total`.

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
    "target",  # bytes, as sent
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

RECORD_BOUND = 8192
"""Records that may wait for `flush`."""

BATCH = 512
"""Records of one `flush`: some two milliseconds of work."""

_KEPT = 1024
"""Characters of a method and of a target that are kept while a record waits."""

_LIMITS = (_KEPT, 256, 64, 16)
"""Tried one after another until the line is short enough; at the last one every line is."""

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
        """Keep a record (`FIELDS`) until the next `flush`, or drop it where too many wait."""
        if len(self._records) >= RECORD_BOUND:
            self._cells[self._dropped] += 1
            return
        if len(record[2]) + len(record[3]) > _KEPT:  # a waiting record must not keep a whole head in memory
            record = (*record[:2], record[2][: _KEPT + 1], record[3][: _KEPT + 1], *record[4:])
        self._records.append(record)

    def flush(self) -> bool:
        """Hand a batch over to be written; whether more records wait."""
        batch, self._records = self._records[:BATCH], self._records[BATCH:]
        refused = self._writer.put(self._line(record) for record in batch)
        lost = self._writer.lost
        if missing := refused + lost - self._lost:
            self._cells[self._dropped] += missing
            self._lost = lost
        return bool(self._records)

    def close(self, timeout: float = 1.0) -> None:
        """Write all that is left, for at most `timeout` seconds."""
        while self.flush():
            pass
        self._writer.close(timeout)
        self.flush()

    def _line(self, record: Record) -> bytes:
        for limit in _LIMITS:
            line = self._format(record, limit)
            if len(line) <= LINE_LIMIT:
                break
        return line.encode("ascii")
