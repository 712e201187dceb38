"""Evidence in SQLite: one transaction for a batch, and a run forgotten in slices so that batches come in between."""

from __future__ import annotations

import sqlite3

from stepdown.control.stores.tallies import Group, Scope, groups, sums
from stepdown.control.stores.values import Added
from stepdown.rollout.batch import Batch, Cell, Counts

SLICE = 10_000
"""Sightings that are removed in one transaction."""

_COUNT = """
INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET trials = trials + excluded.trials, events = events + excluded.events
"""
_SLICE = """
DELETE FROM sightings WHERE scope = ?1 AND unit IN (SELECT unit FROM sightings WHERE scope = ?1 LIMIT ?2)
"""
_LEFT = """
SELECT id FROM scopes JOIN forgotten USING (rollout, run) ORDER BY id LIMIT 1
"""


def add(connection: sqlite3.Connection, batch: Batch) -> Added:
    """Count a batch, unless it was; within a transaction. Raises `ValueError`."""
    deltas, seen = sums(batch), groups(batch)
    run = (batch.rollout, batch.run)
    if connection.execute("SELECT 1 FROM forgotten WHERE rollout = ? AND run = ?", run).fetchone():
        return Added("forgotten")
    if batch.sequence <= counted(connection, *run, batch.source):
        return Added("repeated")
    connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", (*run, batch.source, batch.sequence))
    new = 0
    for group in seen:
        first = _see(connection, run, group)
        new += first
        if first:
            deltas.append((Cell(group.scope.stage, group.arm, group.scope.kind), _as_counts(group.scope, first)))
    connection.executemany(_COUNT, [(*run, *cell, *counts) for cell, counts in deltas])
    return Added("counted", new)


def evidence(connection: sqlite3.Connection, rollout: str, run: int) -> dict[Cell, Counts]:
    """All counts of a run."""
    found = connection.execute(
        "SELECT stage, arm, kind, trials, events FROM counts WHERE rollout = ? AND run = ?", (rollout, run)
    )
    return {Cell(stage, arm, kind): Counts(trials, events) for stage, arm, kind, trials, events in found}


def counted(connection: sqlite3.Connection, rollout: str, run: int, source: str) -> int:
    """The last sequence number of a source."""
    found = connection.execute(
        "SELECT sequence FROM sources WHERE rollout = ? AND run = ? AND source = ?", (rollout, run, source)
    ).fetchone()
    return int(found[0]) if found else 0


def mark_forgotten(connection: sqlite3.Connection, rollout: str, run: int) -> None:
    """The run takes no batches any more, and its counts are gone; its sightings are left for `forget_slice`."""
    connection.execute("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", (rollout, run))
    connection.execute("DELETE FROM counts WHERE rollout = ? AND run = ?", (rollout, run))
    connection.execute("DELETE FROM sources WHERE rollout = ? AND run = ?", (rollout, run))


def forget_slice(connection: sqlite3.Connection) -> bool:
    """Remove some sightings of any forgotten run; whether there may be more."""
    scope = connection.execute(_LEFT).fetchone()
    if scope is None:
        return False
    if connection.execute(_SLICE, (scope[0], SLICE)).rowcount < SLICE:
        connection.execute("DELETE FROM scopes WHERE id = ?", scope)
    return True


def _see(connection: sqlite3.Connection, run: tuple[str, int], group: Group) -> int:
    """Note units of one scope; how many were new. In order, so that neighbours of the tree are met together."""
    key = (*run, *group.scope)
    connection.execute("INSERT OR IGNORE INTO scopes (rollout, run, stage, kind, side) VALUES (?, ?, ?, ?, ?)", key)
    scope = connection.execute(
        "SELECT id FROM scopes WHERE rollout = ? AND run = ? AND stage = ? AND kind = ? AND side = ?", key
    ).fetchone()[0]
    # SQLite's integers have a sign.
    rows = [(scope, unit - 2**63) for unit in sorted(group.units)]
    return connection.executemany("INSERT OR IGNORE INTO sightings VALUES (?, ?)", rows).rowcount


def _as_counts(scope: Scope, number: int) -> Counts:
    return Counts(trials=number) if scope.side == "trials" else Counts(events=number)
