"""The event log: what happened to the sidecar, on standard error, plain or JSON.

Every room logs with the standard library's `logging`, and names what an event is about in `extra`:

    logger.warning("endpoint put aside", extra=fields(endpoint=endpoint.id, failures=5))

`configure` is called once in each process. It makes every record one line (a traceback's lines begin with a bar, so
that none of them can be mistaken for a record), hands it to a thread that writes, and lets no kind of event flood the
log: of one kind, told by its logger and its message before arguments are put in, `BURST` records are written in
`WINDOW` seconds, and the next one that is written says how many were not.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any, Literal

from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.text import cut, readable, timestamp, value

BURST = 100
WINDOW = 10.0
KINDS = 1024
"""Kinds of events that are told apart; when there are more, counting starts over."""

_CHATTY = ("watchfiles", "asyncio")
"""Libraries whose informational events are about themselves. `watchfiles` tells of every change that it sees, which in
a watched folder with a log file in it is the log's own next line."""

_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}
_TEXT_LIMIT = 1000
"""Characters of a message, a field or a line of a traceback."""
_TRACEBACK_LINES = 60


def fields(**values: object) -> dict[str, Any]:
    """What an event is about, for the `extra` of a logging call."""
    return {"fields": values}


def configure(process: str, style: Literal["plain", "json"], level: str, *, fd: int = 2) -> EventHandler:
    """Send all that this process logs to `fd`; `process` is the name that its lines carry, such as `worker 0`.

    Called again, it puts the new style and level in force.
    """
    root = logging.getLogger()
    root.setLevel(level.upper())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for handler in root.handlers:
        if isinstance(handler, EventHandler):
            handler.style = style
            return handler
    handler = EventHandler(process, style, LineWriter(fd), colour=_is_terminal(fd))
    root.addHandler(handler)
    return handler


class EventHandler(logging.Handler):
    """Makes lines of records and has them written in the background."""

    def __init__(
        self,
        process: str,
        style: Literal["plain", "json"],
        writer: LineWriter,
        *,
        colour: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.style = style
        self._process = process
        self._writer = writer
        self._colour = colour
        self._clock = clock
        self._kinds: dict[tuple[str, object], _Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it where too many of its kind came."""
        try:
            suppressed = self._admit((record.name, record.msg))
            if suppressed is not None:
                about = dict(getattr(record, "fields", {}))
                if suppressed:
                    about["suppressed"] = suppressed
                lines = self._json(record, about) if self.style == "json" else self._plain(record, about)
                self._writer.put(line.encode("utf-8", "replace") + b"\n" for line in lines)
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until all is written, for a second at most."""
        self._writer.drain(1.0)

    def close(self) -> None:
        """Write what is left, and stop."""
        self._writer.close(1.0)
        super().close()

    def _admit(self, key: tuple[str, object]) -> int | None:
        """How many of this kind were not written since the last one that was; `None` where this one is not either."""
        now = self._clock()
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= KINDS:
                self._kinds.clear()
            kind = self._kinds[key] = _Kind(now)
        if now - kind.since >= WINDOW:
            kind.since, kind.count = now, 0
        kind.count += 1
        if kind.count > BURST:
            kind.suppressed += 1
            return None
        suppressed, kind.suppressed = kind.suppressed, 0
        return suppressed

    def _plain(self, record: logging.LogRecord, about: dict[str, object]) -> list[str]:
        level = record.levelname.lower()
        shown = f"\x1b[{_COLOURS.get(level, '0')}m{level}\x1b[0m" if self._colour else level
        message, *more = record.getMessage().split("\n")
        named = "".join(f" {key}={value(cut(str(content), _TEXT_LIMIT))}" for key, content in about.items())
        first = f"{timestamp(record.created)} {shown} {self._process}: {readable(cut(message, _TEXT_LIMIT))}{named}"
        below = more + _traceback(record).splitlines()
        return [_fitting(first), *(_fitting(f"  | {readable(cut(line, _TEXT_LIMIT))}") for line in below)]

    def _json(self, record: logging.LogRecord, about: dict[str, object]) -> list[str]:
        line = ""
        for limit in (_TEXT_LIMIT * 2, _TEXT_LIMIT // 5, _TEXT_LIMIT // 20):
            shown: dict[str, object] = {
                "time": timestamp(record.created),
                "level": record.levelname.lower(),
                "process": self._process,
                "logger": record.name,
                "event": cut(record.getMessage(), limit),
            }
            shown |= {key: _short(content, limit) for key, content in about.items() if key not in shown}
            if traceback := _traceback(record):
                shown["traceback"] = traceback[-limit:]
            line = json.dumps(shown)
            if len(line) < LINE_LIMIT:
                break
        return [line]


class _Kind:
    """How many events of one kind came since when."""

    __slots__ = ("count", "since", "suppressed")

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 0
        self.suppressed = 0


def _traceback(record: logging.LogRecord) -> str:
    """The end of the traceback, where the error is; empty without one."""
    if not record.exc_info:
        return ""
    lines = logging.Formatter().formatException(record.exc_info).splitlines()
    return "\n".join(lines[-_TRACEBACK_LINES:])


def _short(content: object, limit: int) -> object:
    """A number or a truth value as it is, all else as text."""
    return content if content is None or isinstance(content, int | float) else cut(str(content), limit)


def _fitting(line: str) -> str:
    """The line, cut to what a pipe takes in one go."""
    data = line.encode("utf-8", "replace")
    return line if len(data) < LINE_LIMIT else data[: LINE_LIMIT - 4].decode("utf-8", "ignore") + "..."


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd) and "NO_COLOR" not in os.environ
    except OSError:
        return False
