"""A store's file: opened, checked and created, and what SQLite says about it in words.

**One process.** The file is locked for as long as it is open (`locking_mode=EXCLUSIVE`), so a second process is
refused, and one that was killed leaves no lock behind: the kernel has let go of it. WAL then needs no shared memory
beside the file.

**What a power cut takes.** A state is on the disk before its write is acknowledged (`synchronous=FULL`). Evidence is
not waited for (`NORMAL`). A process that is killed loses nothing of it, since the kernel has it. A machine that loses
power may lose the last batches, whole and in order: nothing is counted twice, and whoever would have sent more was on
the same machine. A state never outlives the evidence that it was judged on, because its write takes all before it to
the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepdown.control.stores.errors import StoreError, StoreRefusedError, StoreUnavailableError

APPLICATION = 0x5D0_5701E
"""Marks the file as ours, where SQLite keeps such marks (`PRAGMA application_id`)."""
SCHEMA_VERSION = 1
MOST_BYTES = 4 * 1024**3
"""That the file may have: some 270 million sightings, at 16 bytes each."""
_CACHE_KIB = 8192
_PAGE = 4096
_WAL_PAGES = 4000
"""Of the journal, before they go into the file. Sightings are spread over it, so many at once are less work."""

_SCHEMA = """
CREATE TABLE fence (token INTEGER NOT NULL, holder TEXT NOT NULL);
INSERT INTO fence VALUES (0, '');
CREATE TABLE states (
  rollout TEXT PRIMARY KEY, version INTEGER NOT NULL, document BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE history (
  rollout TEXT, number INTEGER, at REAL NOT NULL, run INTEGER NOT NULL, sentence TEXT NOT NULL, details BLOB NOT NULL,
  PRIMARY KEY (rollout, number)
) WITHOUT ROWID;
CREATE TABLE counts (
  rollout TEXT, run INTEGER, stage INTEGER, arm TEXT, kind TEXT, trials INTEGER NOT NULL, events INTEGER NOT NULL,
  PRIMARY KEY (rollout, run, stage, arm, kind)
) WITHOUT ROWID;
CREATE TABLE sources (
  rollout TEXT, run INTEGER, source TEXT, sequence INTEGER NOT NULL, PRIMARY KEY (rollout, run, source)
) WITHOUT ROWID;
CREATE TABLE scopes (
  id INTEGER PRIMARY KEY, rollout TEXT, run INTEGER, stage INTEGER, kind TEXT, side TEXT,
  UNIQUE (rollout, run, stage, kind, side)
);
CREATE TABLE sightings (scope INTEGER, unit INTEGER, PRIMARY KEY (scope, unit)) WITHOUT ROWID;
CREATE TABLE forgotten (rollout TEXT, run INTEGER, PRIMARY KEY (rollout, run)) WITHOUT ROWID;
"""

_FOR_A_PERSON = {
    sqlite3.SQLITE_NOTADB: "is no SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged; move it away to begin without state, or put a copy of it in its place",
    sqlite3.SQLITE_READONLY: "cannot be written, or not its folder, where its journal has to be",
    sqlite3.SQLITE_PERM: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or its journal not be created beside it: may its folder be written?",
}
_FOR_A_WHILE = {
    sqlite3.SQLITE_BUSY: "is in use by another process",
    sqlite3.SQLITE_FULL: "has no room: its disk is full, or it has reached its bound",
    sqlite3.SQLITE_IOERR: "cannot be read or written: its disk is full or fails",
    sqlite3.SQLITE_NOMEM: "cannot be read for want of memory",
}


def is_full(error: sqlite3.Error) -> bool:
    """Whether there was no room, and nothing else is wrong."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def mapped(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite raised as one of ours; the low byte of its code is the kind of failure."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FOR_A_PERSON:
        return StoreRefusedError(f"the state {path} {_FOR_A_PERSON[code]} ({error})")
    return StoreUnavailableError(f"the state {path} {_FOR_A_WHILE.get(code, 'cannot be used')} ({error})")


class StateFile:
    """A connection to a file that is known to be ours, and whole. Belongs to one thread at a time."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        """Open it, or make it. Raises `StoreError`."""
        self._path = path
        self._inode = _touch(path)
        connection = None
        try:
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self.connection = connection
            self._prepare(most_bytes)
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise mapped(path, error) from error
        except StoreError:
            assert connection is not None
            connection.close()
            raise

    def close(self) -> None:
        """Write what is in the journal into the file, and let go of both."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def is_in_place(self) -> bool:
        """Whether the path still leads to this file; one that was removed would be written for nobody."""
        try:
            return os.stat(self._path).st_ino == self._inode
        except OSError:
            return False

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """All or nothing; `durable` waits for the disk. What SQLite raises comes out as it is."""
        connection = self.connection
        connection.execute("PRAGMA synchronous=FULL" if durable else "PRAGMA synchronous=NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                connection.execute("ROLLBACK")
            raise

    def _prepare(self, most_bytes: int) -> None:
        connection = self.connection
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self._recognise()
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_PAGES * _PAGE}")
        connection.execute(f"PRAGMA max_page_count={most_bytes // _PAGE}")
        with self.transaction(durable=True):  # takes the lock also where there is nothing to create
            if self._number("user_version") == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id={APPLICATION}")
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def _recognise(self) -> None:
        """Raise where it is not ours, of a newer version, or damaged: better now than in the middle of a rollout."""
        version, application = self._number("user_version"), self._number("application_id")
        if application not in {0, APPLICATION} or (application == 0 and self._number("page_count") > 0):
            raise StoreRefusedError(f"the state {self._path} is a database of something else; name another file")
        if version > SCHEMA_VERSION:
            raise StoreRefusedError(
                f"the state {self._path} was written by a newer Stepdown (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); use that one, or name another file"
            )
        found = self.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreRefusedError(f"the state {self._path} {_FOR_A_PERSON[sqlite3.SQLITE_CORRUPT]} ({found})")

    def _number(self, pragma: str) -> int:
        return int(self.connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _touch(path: Path) -> int:
    """Make the file where there is none, for this user alone; its inode. SQLite gives its journal the same mode."""
    try:
        # Not to wait for a writer, in case it is a pipe.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreRefusedError(f"the state {path} cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise StoreRefusedError(f"the state {path} is no file")
        return found.st_ino
    finally:
        os.close(descriptor)
