"""Both stores behind one door: each test that takes `place` runs against either, unless Redis is not installed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from stepdown.control.stores import Batch, Cell, Counts, Sighting, Store, StoreUnavailableError
from stepdown.control.stores.redis_store import RedisStore
from stepdown.control.stores.sqlite_store import SqliteStore
from tests.kit.looping import PATIENCE

Result = TypeVar("Result")


class Place(Protocol):
    """Where a store keeps what it has; every store that it makes finds the same."""

    def store(self) -> Store:
        """One that is not open yet."""
        ...


class SqlitePlace:
    """A file."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "state.db"

    def store(self) -> SqliteStore:
        """At the same file each time."""
        return SqliteStore(self.path)


class RedisPlace:
    """A namespace of its own."""

    def __init__(self, url: str, *, seconds: float = PATIENCE) -> None:
        self.url = url
        self.namespace = uuid.uuid4().hex
        self._seconds = seconds

    def store(self) -> RedisStore:
        """In the same namespace each time."""
        return RedisStore(self.url, self.namespace, seconds=self._seconds)


def tell(place: Place, story: Callable[[Store], Awaitable[Result]]) -> Result:
    """What comes of a story with an open store."""

    async def whole() -> Result:
        store = place.store()
        await store.open()
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(whole())


async def soon(look: Callable[[], Awaitable[object]]) -> None:
    """Wait until it looks as wanted, as long as a test's patience goes."""
    async with asyncio.timeout(PATIENCE):
        while not await look():
            await asyncio.sleep(0.01)


def units(sequence: int, number: int = 5000) -> Batch:
    """So many new ones."""
    spread = [(sequence * number + place) * 0x9E3779B97F4A7C15 % 2**64 for place in range(number)]
    return Batch("r", 1, "w", sequence, [Sighting(0, "stable", "click", unit) for unit in spread])


async def filling(store: Store) -> tuple[int, str]:
    """Add batches until one fails; how many did not, and what was said."""
    counted = 0
    while True:
        try:
            await store.add(units(counted + 1))
        except StoreUnavailableError as error:
            return counted, str(error)
        counted += 1


class Evidence:
    """What a store should have counted, in plain dictionaries."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], dict[Cell, Counts]] = {}
        self.sequences: dict[tuple[str, int, str], int] = {}
        self.forgotten: set[tuple[str, int]] = set()
        self._seen: set[tuple[str, int, int, str, str, int]] = set()

    def add(self, batch: Batch) -> tuple[str, int]:
        """Outcome, and how many sightings were new."""
        run = (batch.rollout, batch.run)
        if run in self.forgotten:
            return "forgotten", 0
        if batch.sequence <= self.sequences.get((*run, batch.source), 0):
            return "repeated", 0
        self.sequences[*run, batch.source] = batch.sequence
        for cell, counts in batch.deltas.items():
            self._count(run, cell, *counts)
        new = 0
        for stage, arm, kind, unit, side in batch.sightings:
            if (*run, stage, kind, side, unit) not in self._seen:
                self._seen.add((*run, stage, kind, side, unit))
                self._count(run, Cell(stage, arm, kind), side == "trials", side == "events")
                new += 1
        return "counted", new

    def forget(self, rollout: str, run: int) -> None:
        """Of a run."""
        self.forgotten.add((rollout, run))
        self.counts.pop((rollout, run), None)
        for key in [key for key in self.sequences if key[:2] == (rollout, run)]:
            del self.sequences[key]

    def of(self, rollout: str, run: int) -> dict[Cell, Counts]:
        """All counts of a run."""
        return self.counts.get((rollout, run), {})

    def _count(self, run: tuple[str, int], cell: Cell, trials: int, events: int) -> None:
        if trials or events:
            cells = self.counts.setdefault(run, {})
            had = cells.get(cell, Counts())
            cells[cell] = Counts(had.trials + trials, had.events + events)
