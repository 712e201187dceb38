"""`stepdown explain FILE --replay RECORDS`: who would move if a configuration were in force."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stepdown.cli.moves import Group, Moves
from stepdown.cli.output import show_tables
from stepdown.cli.summary import Table
from stepdown.config import Loaded
from stepdown.decide.records import EVENT, read
from stepdown.decide.replay import NotRecordedError, Replay, recorded_outcome

STDIN = "-"
_LONGEST = 1024 * 1024
"""Bytes of a line; a longer one is broken."""
_NAMED = 5
"""Broken lines that are named."""
_PROGRESS_SECONDS = 1.0
_CELLS = 12
"""Moves of one group that are shown; `--json` has all."""


class UnusableError(Exception):
    """The records cannot be read, or none of them can be decided again."""


class Lines:
    """The lines of a file of records, and what was wrong with some of them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._number = 0
        """Of the line that was given last."""
        self.broken = 0
        self.named: list[str] = []
        """Where the first broken lines are."""
        self.others = 0
        """Lines that are something else, such as an access log in the same stream."""

    def __iter__(self) -> Iterator[bytes]:
        """Lines that begin as records do; raises `UnusableError` where the file cannot be read."""
        with self._opened() as (source, size):
            progress = _Progress(size)
            number = done = 0
            while line := source.readline(_LONGEST):
                number += 1
                done += len(line)
                progress.at(done, number)
                if line.startswith(EVENT) and line.endswith(b"}\n"):
                    self._number = number
                    yield line
                elif line.startswith(EVENT[:1]) and not line.endswith(b"}\n"):
                    self._number = number
                    self.note_broken()
                elif line.strip():
                    self.others += 1
            progress.over()

    def note_broken(self) -> None:
        """The line that was given last, or is being looked at, is none."""
        self.broken += 1
        if len(self.named) < _NAMED:
            self.named.append(f"{self._path}:{self._number}")

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, int]]:
        if self._path == STDIN:
            yield sys.stdin.buffer, 0
            return
        try:
            with Path(self._path).open("rb") as source:
                yield source, os.fstat(source.fileno()).st_size
        except OSError as error:
            raise UnusableError(f"{self._path}: {error.strerror}") from error


class _Progress:
    """Says on a terminal how far the reading is, once a second."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._shown = False
        self._next = time.monotonic() + _PROGRESS_SECONDS if sys.stderr.isatty() else float("inf")

    def at(self, done: int, number: int) -> None:
        """After this many bytes and lines."""
        if number % 1000 == 0 and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PROGRESS_SECONDS
            share = f"{done / self._size:4.0%} " if self._size else ""
            print(f"\r{share}{number:,} lines", end="", file=sys.stderr, flush=True)
            self._shown = True

    def over(self) -> None:
        """The reading is done."""
        if self._shown:
            print(file=sys.stderr)


def replay(loaded: Loaded, path: str) -> tuple[Moves, Lines]:
    """Decide all records of a file again; raises `UnusableError`."""
    deciding = Replay(loaded.spec, loaded.key_sets())
    lines, moves = Lines(path), Moves()
    for line in lines:
        try:
            record = read(line)
            record.seconds  # noqa: B018 - a time that is none makes the record none
        except ValueError:
            lines.note_broken()
            continue
        moves.configs[record.config] += 1
        if record.decided.override in ("honoured", "unanswerable"):
            moves.overridden += 1
            continue
        try:
            after = deciding.decide(record)
        except NotRecordedError as error:
            moves.unknown[str(error)] += 1
            continue
        moves.add(record, recorded_outcome(record), after)
    if not moves.whole.all.records:
        raise UnusableError(_why_nothing(path, lines, moves))
    return moves, lines


def show(moves: Moves, lines: Lines) -> None:
    """The report for people: all groups, and what becomes of those of which something does."""
    changing = [item for item in sorted(moves.groups.items()) if item[1].changes]
    show_tables([_overview(moves), *(_cells(key, group) for key, group in changing)])
    print()
    for sentence in _remarks(moves, lines):
        print(sentence)
    print(_sentence(moves.whole))


def as_json(moves: Moves, lines: Lines) -> str:
    """The report for machines."""
    report = moves.as_json() | {"broken": {"lines": lines.broken, "first": lines.named}, "other_lines": lines.others}
    return json.dumps(report, indent=2)


def _overview(moves: Moves) -> Table:
    rows = [("route", "rule", "requests", "records", "move", "95 % interval", "refused before", "after")]
    for (route, rule, drawn), group in sorted(moves.groups.items()):
        low, high = group.all.interval(group.share)
        rows.append(
            (
                route or "(none)",
                (rule or "(none)") + (" (drawn)" if drawn else ""),
                f"{group.all.requests:,.0f}",
                f"{group.all.records:,}",
                f"{group.share:.2%}",
                f"{low:.2%} to {high:.2%}",
                f"{group.refused_before.requests:,.0f}",
                f"{group.refused_after.requests:,.0f}",
            )
        )
    return Table("Who would move", tuple(rows))


def _cells(key: tuple[str, str, bool], group: Group) -> Table:
    route, rule, drawn = key
    rows: list[tuple[str, ...]] = [("what", "from", "to", "records", "for example")]
    for what, counts in (("version", group.assigned), ("shape", group.pinned), ("rule", group.routes)):
        for (before, after), count in counts.most_common(_CELLS):
            example = group.examples.get((before, after), ()) if what == "version" else ()
            shown = f"{example[0]['time']} {example[0]['method']} {example[0]['path']}" if example else ""
            rows.append((what, before, after, f"{count:,}", shown))
    place = f"{route or '(no route)'} {rule}".rstrip()
    return Table(f"{place}{', drawn for each request' if drawn else ''}", tuple(rows))


def _remarks(moves: Moves, lines: Lines) -> Iterator[str]:
    if len(moves.configs) > 1:
        decided = ", ".join(f"{digest} {count:,}" for digest, count in moves.configs.most_common())
        yield f"Records of {len(moves.configs)} configurations: {decided}."
    if any(drawn for _, _, drawn in moves.groups):
        yield "Requests without a key are drawn anew each time; here each keeps the slot that it was given."
    if moves.overridden:
        yield f"Left out: {moves.overridden:,} requests whose caller asked for a server."
    for what, count in moves.unknown.most_common():
        yield f"Not decided: {count:,} requests, because this is not on record: {what}."
    if lines.broken:
        yield f"Broken: {lines.broken:,} lines, the first at {', '.join(lines.named)}."
    if lines.others:
        yield f"Passed over: {lines.others:,} lines that are no records of decisions."


def _sentence(whole: Group) -> str:
    low, high = whole.all.interval(whole.share)
    return (
        f"{whole.moved.records:,} of {whole.all.records:,} recorded requests would move: {whole.share:.2%} "
        f"({low:.2%} to {high:.2%} of all), which is {whole.moved.requests:,.0f} of {whole.all.requests:,.0f} requests."
    )


def _why_nothing(path: str, lines: Lines, moves: Moves) -> str:
    reasons = [
        *([f"{lines.broken} broken lines, the first at {lines.named[0]}"] if lines.broken else []),
        *([f"{lines.others} lines that are no records of decisions"] if lines.others else []),
        *([f"{moves.overridden} overridden requests"] if moves.overridden else []),
        *(f"{count} requests of which this is not on record: {what}" for what, count in moves.unknown.most_common(3)),
    ]
    return f"{path}: nothing in it can be decided again; it has {'; '.join(reasons) or 'no lines'}"
