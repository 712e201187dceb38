"""States, their history and the fence in SQLite, each function within a transaction of its caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from stepdown.control.stores.errors import ConflictError
from stepdown.control.stores.values import Recorded, State, Transition


def token(connection: sqlite3.Connection) -> int:
    """The latest one that was given out."""
    return int(connection.execute("SELECT token FROM fence").fetchone()[0])


def holder(connection: sqlite3.Connection) -> str:
    """Who has it; nobody's name where it was given back."""
    return str(connection.execute("SELECT holder FROM fence").fetchone()[0])


def next_token(connection: sqlite3.Connection, holder: str = "") -> int:
    """A greater one than all before, for a new holder or for nobody."""
    found = connection.execute("UPDATE fence SET token = token + 1, holder = ? RETURNING token", (holder,))
    return int(found.fetchone()[0])


def rollouts(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Those that have a state, by name."""
    return tuple(name for (name,) in connection.execute("SELECT rollout FROM states ORDER BY rollout"))


def read(connection: sqlite3.Connection, rollout: str) -> State | None:
    """Its state."""
    found = connection.execute("SELECT version, document FROM states WHERE rollout = ?", (rollout,)).fetchone()
    return State(*found) if found else None


def write(connection: sqlite3.Connection, rollout: str, expected: int, document: bytes) -> None:
    """Replace version `expected`, or raise `ConflictError`."""
    found = read(connection, rollout)
    version = found.version if found else 0
    if version != expected:
        raise ConflictError(f"the state of {rollout} is at version {version}, and not at {expected}")
    connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (rollout, expected + 1, document))


def record(connection: sqlite3.Connection, rollout: str, transitions: Sequence[Transition]) -> None:
    """Append to its history."""
    found = connection.execute("SELECT max(number) FROM history WHERE rollout = ?", (rollout,)).fetchone()[0]
    rows = [
        (rollout, number, one.at, one.run, one.sentence, one.details)
        for number, one in enumerate(transitions, (found or 0) + 1)
    ]
    connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", rows)


def history(connection: sqlite3.Connection, rollout: str, before: int | None, limit: int) -> list[Recorded]:
    """The newest, the newest first."""
    found = connection.execute(
        "SELECT number, at, run, sentence, details FROM history "
        "WHERE rollout = ? AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3",
        (rollout, before, limit),
    )
    return [Recorded(number, Transition(*rest)) for number, *rest in found]
