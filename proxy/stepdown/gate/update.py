"""Adds what is published to the lock; what is there already changes by an accepted edit, or a harmless one, only."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stepdown.gate.facts import SIDES, Facts, VersionFacts
from stepdown.gate.lock import Edit, Entry, Key, Lock
from stepdown.gate.steps import Edited


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Why a published contract may change, and who says so."""

    reason: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """A new lock, and what is new about it."""

    lock: Lock
    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    """By an accepted or a harmless edit."""
    refused: tuple[Key, ...] = ()
    """Other contracts than those that were published, which nobody accepted."""
    needless: tuple[Key, ...] = ()
    """Accepted, and nothing is different."""


def update(
    lock: Lock,
    head: Facts,
    today: datetime.date,
    accepted: Mapping[Key, Acceptance],
    edits: Mapping[Key, tuple[Edited, ...]],
) -> Update:
    """The lock with a line for every release; `edits` are those against a base, by which harmless ones are told."""
    entries = dict(lock.entries)
    added: list[Key] = []
    changed: list[Key] = []
    refused: list[Key] = []
    for name, model in head.models.items():
        for one in model.versions.values():
            key = (name, one.id)
            known = entries.get(key)
            if not one.is_release or not one.prints:
                continue
            if known is None:
                entries[key] = Entry(dict(one.prints), today)
                added.append(key)
            elif dict(known.prints) != dict(one.prints):
                entry = _changed(known, one, today, accepted.get(key), edits.get(key, ()))
                (refused if entry is None else changed).append(key)
                entries[key] = entry or known
    needless = tuple(key for key in accepted if key not in changed)
    return Update(Lock(entries), tuple(added), tuple(changed), tuple(refused), needless)


def _changed(
    known: Entry, one: VersionFacts, today: datetime.date, acceptance: Acceptance | None, edits: tuple[Edited, ...]
) -> Entry | None:
    """The entry after an edit; `None` where the edit is not allowed."""
    prints = dict(one.prints)
    harmless = {edited.side for edited in edits if edited.is_harmless}
    # A side that had no contract and gets one broke no promise.
    differing = {side for side in SIDES if side in known.prints and known.prints[side] != prints.get(side)}
    if differing <= harmless:
        return replace(known, prints=prints)
    if acceptance is None:
        return None
    was = {side: known.prints[side] for side in SIDES if side in differing}
    return replace(known, prints=prints, edits=(*known.edits, Edit(today, was, acceptance.reason, acceptance.by)))
