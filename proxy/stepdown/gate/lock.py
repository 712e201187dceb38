"""`stepdown.lock`: the fingerprints of all published contracts, one line for each version, for diffs that can be read.

A version gets its line when it is published and keeps it for ever, also when it is no longer declared: it cannot come
back as something else. A line changes by an accepted edit only, which is written into it with its reason.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepdown.gate.facts import SIDES
from stepdown_adapters.contract.sides import Side
from stepdown_adapters.versions import Version, VersionError

FORMAT = 1
Key = tuple[str, str]
"""Model and version."""


class LockError(ValueError):
    """A lock cannot be read; `line` counts from 1."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a published contract that was allowed."""

    on: datetime.date
    was: Mapping[Side, str]
    """The fingerprints before."""
    reason: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One version."""

    prints: Mapping[Side, str]
    published: datetime.date
    edits: tuple[Edit, ...] = ()

    def accepts(self, side: Side, was: str | None) -> Edit | None:
        """The edit that allows a contract with this fingerprint to have become what the entry has."""
        return next((edit for edit in self.edits if was is not None and edit.was.get(side) == was), None)


@dataclass(frozen=True, slots=True)
class Lock:
    """All entries."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    lines: Mapping[Key, int] = field(default_factory=dict)
    """Where each stands in the file."""


def parse(text: str) -> Lock:
    """Read a lock; raises `LockError`."""
    try:
        whole = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        conflict = ": it holds the marks of a merge conflict" if "<<<<<<<" in text or ">>>>>>>" in text else ""
        raise LockError(f"is no JSON{conflict or f': {error.msg}'}", error.lineno) from None
    except RecursionError:
        raise LockError("is nested too deeply") from None
    if not isinstance(whole, dict) or whole.pop("format", None) != FORMAT:
        raise LockError(f'is no lock: it needs "format": {FORMAT}')
    lines = _lines(text)
    entries = {_key(name, lines): _entry(name, value, lines) for name, value in whole.items()}
    return Lock(entries, {_key(name, lines): lines.get(name, 1) for name in whole})


def written(lock: Lock) -> str:
    """The text of a lock: sorted, one line for each version; the format comes last, so that no line loses a comma."""
    names = sorted(lock.entries, key=lambda key: (key[0], Version.parse(key[1]), key[1]))
    rows = [f"{json.dumps(f'{model}/{version}')}: {_row(lock.entries[model, version])},\n" for model, version in names]
    return f'{{\n{"".join(rows)}"format": {FORMAT}\n}}\n'


def _row(entry: Entry) -> str:
    row: dict[str, Any] = {side: entry.prints[side] for side in SIDES if side in entry.prints}
    row["published"] = entry.published.isoformat()
    if entry.edits:
        row["edits"] = [
            {
                "on": edit.on.isoformat(),
                "was": {side: edit.was[side] for side in SIDES if side in edit.was},
                "reason": edit.reason,
                **({"by": edit.by} if edit.by is not None else {}),
            }
            for edit in entry.edits
        ]
    return json.dumps(row, ensure_ascii=False)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LockError(f'has "{twice}" a second time: keep one of the lines')
    return found


def _lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, separator, _ = line.strip().partition('":')
        if separator and name.startswith('"'):
            lines.setdefault(json.loads(f'{name}"') if "\\" in name else name[1:], number)
    return lines


def _key(name: str, lines: Mapping[str, int]) -> Key:
    model, _, version = name.rpartition("/")
    try:
        canonical = str(Version.parse(version))
    except VersionError:
        canonical = ""
    if not model or canonical != version:
        raise LockError(f'has the key "{name}"; allowed MODEL/VERSION such as churn/1.0.0', lines.get(name, 1))
    return model, version


def _entry(name: str, value: Any, lines: Mapping[str, int]) -> Entry:
    try:
        if not isinstance(value, dict):
            raise TypeError("it is no object")
        edits = tuple(
            Edit(_date(one["on"]), _prints(one["was"]), _text(one["reason"]), one.get("by"))
            for one in value.get("edits", [])
        )
        return Entry(_prints(value), _date(value["published"]), edits)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        sentence = f"has an entry for {name} that cannot be read ({type(error).__name__}: {error})"
        raise LockError(f"{sentence}; restore the line", lines.get(name, 1)) from None


def _prints(value: Mapping[str, Any]) -> dict[Side, str]:
    return {side: _text(value[side]) for side in SIDES if side in value}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _date(value: Any) -> datetime.date:
    return datetime.date.fromisoformat(_text(value))
