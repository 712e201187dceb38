"""The store of one replica: a SQLite file, and one thread that works on it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TypeVar

from stepdown.control.stores import sqlite_evidence, sqlite_states
from stepdown.control.stores.desk import Desk
from stepdown.control.stores.errors import FencedError, StoreError, StoreUnavailableError
from stepdown.control.stores.sqlite_file import MOST_BYTES, StateFile, is_full, mapped
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Added, Recorded, State, Transition
from stepdown.control.stores.watching import Bells, watch
from stepdown.rollout.batch import Batch, Cell, Counts

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

CALL_SECONDS = 5.0
"""Within which a call ends; a disk has to be in trouble to take as long."""
OPEN_SECONDS = 60.0
"""The file is checked, which takes some 0.2 s for each gigabyte that is in memory, and more from a disk."""
PAUSE_SECONDS = 1.0
"""After which a file that could not be opened is tried again."""


class SqliteStore(Store):
    """See `Store`. The lease is in memory: whoever could open the file knows that no other process has it."""

    def __init__(
        self,
        path: Path,
        *,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = monotonic,
        seconds: float = CALL_SECONDS,
    ) -> None:
        """`most_bytes` bounds the file, `clock` (in seconds) tells when a lease has run out."""
        self._path = path
        self._most_bytes = most_bytes
        self._clock = clock
        self._desk = Desk(f"the state {path}", seconds)
        self._bells = Bells()
        self._file: StateFile | None = None
        self._closed = False
        self._held_until = float("-inf")
        self._again, self._why = float("-inf"), StoreError()

    async def open(self) -> None:
        """See `Store`."""
        self._again = float("-inf")
        await self._desk.run(self._opened, OPEN_SECONDS)

    async def close(self) -> None:
        """See `Store`."""
        try:
            await self._desk.run(self._close)
        except StoreUnavailableError:
            logger.warning("the state %s hangs, and is left as it is", self._path)
        self._desk.close()

    # --- who decides --------------------------------------------------------------------------------------------------

    async def acquire(self, holder: str, ttl: float) -> int | None:
        """See `Store`."""

        def work(file: StateFile) -> int | None:
            if self._clock() < self._held_until and holder != sqlite_states.holder(file.connection):
                return None
            with file.transaction(durable=True) as connection:
                token = sqlite_states.next_token(connection, holder)
            self._held_until = self._clock() + ttl
            return token

        return await self._call(work)

    async def renew(self, token: int, ttl: float) -> bool:
        """See `Store`."""

        def work(file: StateFile) -> bool:
            if token != sqlite_states.token(file.connection):
                return False
            self._held_until = self._clock() + ttl
            return True

        return await self._call(work)

    async def release(self, token: int) -> None:
        """See `Store`."""

        def work(file: StateFile) -> None:
            with file.transaction(durable=True) as connection:
                if token != sqlite_states.token(connection):
                    return
                sqlite_states.next_token(connection)
            self._held_until = float("-inf")

        await self._call(work)

    # --- states -------------------------------------------------------------------------------------------------------

    async def rollouts(self) -> tuple[str, ...]:
        """See `Store`."""
        return await self._call(lambda file: sqlite_states.rollouts(file.connection))

    async def read(self, rollout: str) -> State | None:
        """See `Store`."""
        return await self._call(lambda file: sqlite_states.read(file.connection, rollout))

    async def write(
        self, token: int, rollout: str, expected: int, document: bytes, transitions: Sequence[Transition] = ()
    ) -> int:
        """See `Store`."""

        def work(file: StateFile) -> int:
            with file.transaction(durable=True) as connection:
                latest = sqlite_states.token(connection)
                if token != latest:
                    raise FencedError(f"token {token} is not the latest one, which is {latest}")
                sqlite_states.write(connection, rollout, expected, document)
                sqlite_states.record(connection, rollout, transitions)
            return expected + 1

        version = await self._call(work)
        self._bells.ring(rollout)
        return version

    async def history(self, rollout: str, *, before: int | None = None, limit: int = 100) -> list[Recorded]:
        """See `Store`."""
        return await self._call(lambda file: sqlite_states.history(file.connection, rollout, before, limit))

    def watch(self, rollout: str) -> AsyncIterator[State | None]:
        """See `Store`."""
        return watch(self.read, self._bells, rollout)

    # --- evidence -----------------------------------------------------------------------------------------------------

    async def add(self, batch: Batch) -> Added:
        """See `Store`."""

        def work(file: StateFile) -> Added:
            with file.transaction(durable=False) as connection:
                return sqlite_evidence.add(connection, batch)

        return await self._call(work)

    async def evidence(self, rollout: str, run: int) -> dict[Cell, Counts]:
        """See `Store`."""
        return await self._call(lambda file: sqlite_evidence.evidence(file.connection, rollout, run))

    async def counted(self, rollout: str, run: int, source: str) -> int:
        """See `Store`."""
        return await self._call(lambda file: sqlite_evidence.counted(file.connection, rollout, run, source))

    async def forget(self, rollout: str, run: int) -> None:
        """See `Store`."""

        def mark(file: StateFile) -> None:
            with file.transaction(durable=True) as connection:
                sqlite_evidence.mark_forgotten(connection, rollout, run)

        def remove(file: StateFile) -> bool:
            with file.transaction(durable=False) as connection:
                return sqlite_evidence.forget_slice(connection)

        await self._call(mark)
        while await self._call(remove):
            pass

    # --- in the thread ------------------------------------------------------------------------------------------------

    async def _call(self, work: Callable[[StateFile], Result]) -> Result:
        return await self._desk.run(lambda: self._on_file(work))

    def _on_file(self, work: Callable[[StateFile], Result]) -> Result:
        file = self._opened()
        try:
            if not file.is_in_place():
                raise StoreUnavailableError(f"the state {self._path} was removed or replaced while it was in use")
            return work(file)
        except sqlite3.Error as error:
            if is_full(error):  # the transaction is undone, and nothing is wrong with the connection
                raise mapped(self._path, error) from error
            raise self._lost(mapped(self._path, error)) from error
        except StoreUnavailableError as error:
            raise self._lost(error) from None

    def _lost(self, error: StoreError) -> StoreError:
        """Begin anew with the next call; nothing is known of a connection that failed, but that it can be closed."""
        logger.error("%s", error)
        if self._file is not None:
            self._file.close()
            self._file = None
        return error

    def _opened(self) -> StateFile:
        if self._closed:  # what was asked for behind the closing must not take the file again
            raise StoreUnavailableError(f"the state {self._path} was closed")
        if self._file is None:
            if self._clock() < self._again:
                raise type(self._why)(*self._why.args)
            try:
                self._file = StateFile(self._path, self._most_bytes)
            except StoreError as error:
                # Opening checks the whole file, which not every call is to do again.
                self._again, self._why = self._clock() + PAUSE_SECONDS, error
                raise
        return self._file

    def _close(self) -> None:
        self._closed = True
        if self._file is not None:
            self._file.close()
            self._file = None
