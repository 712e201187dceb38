"""A process that adds batches and writes states until it is killed: `python -m tests.kit.batch_writer PLACE NAME`.

Batch `n` of a source is the same whoever makes it, so that it can be sent again after a kill, and a model can be told
of it. Each acknowledgement is a line: `batch SEQUENCE` or `state VERSION`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from stepdown.control.stores import Batch, Cell, ConflictError, Counts, Sighting, Store, Transition
from stepdown.control.stores.redis_store import RedisStore
from stepdown.control.stores.sqlite_store import SqliteStore

ROLLOUT, RUN = "r", 1
LONG = 1000.0
"""Seconds of a lease; a writer that is started again has the same name, and so gets it."""


def batch(source: str, sequence: int) -> Batch:
    """Sightings that meet those of other batches and sources, and deltas."""
    dice = random.Random(f"{source} {sequence}")
    sightings = [
        Sighting(dice.randrange(2), "candidate" if (unit := dice.randrange(4000)) % 2 else "stable", "click", unit)
        for _ in range(dice.randrange(60))
    ]
    deltas = {Cell(0, "stable", "requests"): Counts(dice.randrange(9), 1), Cell(1, "candidate", "errors"): Counts(3, 1)}
    return Batch(ROLLOUT, RUN, source, sequence, sightings, deltas)


def store_at(place: str) -> Store:
    """`redis://...#namespace`, or the path of a file."""
    url, _, namespace = place.partition("#")
    return RedisStore(url, namespace) if namespace else SqliteStore(Path(place))


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def add_batches(store: Store, source: str, first: int, last: int | None = None) -> None:
    """From `first` on, in order, for ever or up to `last`."""
    sequence = first
    while last is None or sequence <= last:
        await store.add(batch(source, sequence))
        _say(f"batch {sequence}")
        sequence += 1


async def write_states(store: Store, holder: str) -> None:
    """The next version again and again, each with one transition of its number; by one holder at a time."""
    while (token := await store.acquire(holder, LONG)) is None:
        await asyncio.sleep(0.01)
    state = await store.read(ROLLOUT)
    version = state.version if state else 0
    while True:
        step = Transition(0.0, RUN, f"to {version + 1}")
        try:
            version = await store.write(token, ROLLOUT, version, f"{version + 1}".encode(), [step])
        except ConflictError as error:
            raise AssertionError("nobody else writes") from error
        _say(f"state {version}")
        await asyncio.sleep(0.002)


async def main(place: str, source: str, first: int) -> None:
    """Both at once, for ever."""
    store = store_at(place)
    await store.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(add_batches(store, source, first))
        group.create_task(write_states(store, source))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
