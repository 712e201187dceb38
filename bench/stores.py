"""What keeping evidence costs: batches of new sightings, states with a sentence, and room; `python -m bench.stores`.

It is printed and not written down: Redis is installed where the system has it, and not by this project.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bench.peers import found
from bench.processes import free_port
from stepdown.control.stores import Batch, Cell, Counts, Sighting, Store, StoreUnavailableError, Transition
from stepdown.control.stores.redis_store import RedisStore
from stepdown.control.stores.sqlite_store import SqliteStore

UNITS = 1000
"""Of a batch."""
STATES = 200


def batches(begin: int, number: int) -> list[Batch]:
    """Units that nobody has seen, and a count."""
    dice = random.Random(begin)  # noqa: S311
    deltas = {Cell(0, "stable", "requests"): Counts(UNITS, 1)}
    return [
        Batch(
            *("rollout", 1, "worker", sequence),
            [Sighting(0, "candidate", "click", dice.getrandbits(64)) for _ in range(UNITS)],
            deltas,
        )
        for sequence in range(begin, begin + number)
    ]


async def measured(store: Store, millions: float) -> Sequence[str]:
    """Batches a second at the beginning and at the end, CPU of this process for one, states a second."""
    await store.open()
    total = int(millions * 1e6 / UNITS)
    rates = []
    for begin in range(1, total + 1, 100):
        made = batches(begin, 100)
        wall, cpu = time.perf_counter(), time.process_time()
        for batch in made:
            await store.add(batch)
        rates.append((100 / (time.perf_counter() - wall), (time.process_time() - cpu) * 10))
    token = await store.acquire("bench", 1000)
    assert token is not None
    wall = time.perf_counter()
    for version in range(STATES):
        await store.write(token, "rollout", version, b"x" * 4000, [Transition(0.0, 1, "a sentence of its own")])
    states = STATES / (time.perf_counter() - wall)
    await store.close()
    return [*(f"{rate:.0f} ({cpu:.1f} ms)" for rate, cpu in (rates[0], rates[-1])), f"{states:.0f}"]


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Its address."""
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    process = subprocess.Popen([found("redis-server"), *arguments], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


async def in_redis(url: str, millions: float) -> tuple[Sequence[str], int]:
    """What was measured, and bytes of Redis' memory."""
    store = RedisStore(url, seconds=60)
    while True:
        try:
            await store.open()
            break
        except StoreUnavailableError:  # it is starting
            await asyncio.sleep(0.1)
    numbers = await measured(store, millions)
    client = Redis.from_url(url)
    used = int((await client.info("memory"))["used_memory"])
    await client.aclose()
    return numbers, used


def main() -> None:
    """Measure both, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.stores", description="What keeping evidence costs.")
    parser.add_argument("--millions", type=float, default=1.0, help="sightings (default: %(default)g million)")
    millions = parser.parse_args().millions
    table = Table("store", "batches/s, empty", f"batches/s, {millions:g} million", "states/s", "MB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "state.db")
        numbers = asyncio.run(measured(SqliteStore(file), millions))
        table.add_row("SQLite", *numbers, f"{file.stat().st_size / 1e6:.0f}")
        with redis(Path(folder)) as url:
            numbers, used = asyncio.run(in_redis(url, millions))
        table.add_row("Redis", *numbers, f"{used / 1e6:.0f}")
    Console().print(table, f"a batch has {UNITS} sightings; in brackets the CPU time of the process that adds it")


if __name__ == "__main__":
    main()
