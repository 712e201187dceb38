"""Who writes is killed at any instant: what was acknowledged is there, and what is sent again counts once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from stepdown.control.stores import Store
from tests.kit.batch_writer import ROLLOUT, RUN, add_batches, batch
from tests.kit.looping import PATIENCE
from tests.kit.redis_server import MISSING, PROGRAM, RedisServer
from tests.kit.stores import Evidence, Place, RedisPlace, SqlitePlace, tell

ROOT = Path(__file__).parents[4]
KILLS = 6


def address(place: Place) -> str:
    if isinstance(place, RedisPlace):
        return f"{place.url}#{place.namespace}"
    assert isinstance(place, SqlitePlace)
    return str(place.path)


def writer(place: Place, source: str, first: int) -> subprocess.Popen[bytes]:
    """A process that writes there until it is killed, from that batch on."""
    command = [sys.executable, "-m", "tests.kit.batch_writer", address(place), source, str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)


def lived(place: Place, source: str, first: int, seconds: float) -> dict[str, int]:
    """Run a writer until it has acknowledged something and for some time more; the last of what it acknowledged."""
    with writer(place, source, first) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        lines = [begun, *process.stdout.read().splitlines(keepends=True)]
        process.wait(PATIENCE)
    # A line that the kill cut off acknowledged nothing; the kernel takes a short one whole.
    pairs = [line.decode().split() for line in lines if line.endswith(b"\n")]
    assert pairs
    return {kind: int(number) for kind, number in pairs}


async def evidence_of(store: Store, sources: Sequence[str]) -> dict[str, int]:
    """How many batches of each source were counted; checked that the evidence is what they had."""
    before: list[int] = []
    while True:  # what somebody had sent who was killed may still come in
        counted = [await store.counted(ROLLOUT, RUN, source) for source in sources]
        if counted == before:
            break
        before, found = counted, await store.evidence(ROLLOUT, RUN)
    expected = Evidence()
    for source, last in zip(sources, counted, strict=True):
        for sequence in range(1, last + 1):
            expected.add(batch(source, sequence))
    assert found == expected.of(ROLLOUT, RUN)
    return dict(zip(sources, counted, strict=True))


def agrees(place: Place, acknowledged: dict[str, int]) -> None:
    """All that was acknowledged is there, and at most what was under way besides."""

    async def story(store: Store) -> None:
        counted = await evidence_of(store, ["w"])
        assert counted["w"] - acknowledged["batch"] in {0, 1}
        state = await store.read(ROLLOUT)
        version = state.version if state else 0
        assert version - acknowledged["state"] in {0, 1}
        history = await store.history(ROLLOUT, limit=version + 1)
        assert [(one.number, one.transition.sentence) for one in history] == [
            (number, f"to {number}") for number in range(version, 0, -1)
        ]
        assert state is None or state.document == str(version).encode()

    tell(place, story)


def test_a_writer_that_is_killed_loses_nothing_acknowledged_and_counts_nothing_twice(place: Place) -> None:
    dice = random.Random(1)
    acknowledged = {"batch": 0, "state": 0}
    for _ in range(KILLS):
        # It sends again what it does not know to be counted, as a worker would.
        acknowledged |= lived(place, "w", acknowledged["batch"] + 1, dice.random() * 0.15)
        agrees(place, acknowledged)


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_a_redis_that_is_killed_and_started_again_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        place = RedisPlace(server.url)
        for begin in (1, 6):
            tell(place, lambda store, begin=begin: add_batches(store, "w", begin, begin + 4))  # type: ignore[misc]
            server.kill()
            assert server.start()
        agrees(place, {"batch": 10, "state": 0})


def test_evidence_of_several_processes_adds_up(redis_server: RedisServer) -> None:
    place = RedisPlace(redis_server.url)
    sources = ["a", "b", "c"]
    writers = [writer(place, source, 1) for source in sources]
    try:
        for process in writers:
            assert process.stdout is not None
            while process.stdout.readline() not in {b"batch 50\n", b""}:
                pass
    finally:
        for process in writers:
            process.kill()
            process.communicate()

    async def story(store: Store) -> None:
        assert min((await evidence_of(store, sources)).values()) >= 50

    tell(place, story)
