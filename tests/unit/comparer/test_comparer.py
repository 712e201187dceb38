"""The comparer's loop, on rings that a test writes to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from stepdown.comparer import comparer as module
from stepdown.comparer.comparer import Comparer
from stepdown.decide.checks import Subject, head
from stepdown.decide.spec import digest, encode
from stepdown.plane.handoff import Handoff
from stepdown.telemetry.ring import RingReader, RingWriter
from stepdown.telemetry.slab import ABSENT, Slab
from tests.kit import specs
from tests.kit.looping import PATIENCE

SIZE = 65_536


def encoded(contract: Any) -> bytes:
    return encode(specs.snapshot(models=[specs.model(specs.version("1.0.0", 1, contract=contract, validate=1.0))]))


SPEC = encoded({"type": "object"})


class Scene:
    """A comparer of two workers."""

    def __init__(self) -> None:
        self.slab = Slab.create()
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)
        self.fds = [os.memfd_create("ring") for _ in range(2)]
        for fd in self.fds:
            os.ftruncate(fd, SIZE)
        self.writers = [RingWriter(fd, SIZE) for fd in self.fds]
        self.handoffs = [Handoff(writer, self.bell) for writer in self.writers]

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        self.slab.close()
        for fd in (*self.fds, self.bell, self.slab.fd):
            os.close(fd)

    def put(self, body: bytes, *, worker: int = 0, spec: bytes = SPEC, codings: bytes = b"") -> None:
        subject = Subject(digest(spec), "m", "1.0.0", "1.0.0")
        assert self.handoffs[worker].put(head(subject, 1000, codings), body)

    def counts(self, family: str = "stepdown_validations_total") -> dict[str, int]:
        """By the last label."""
        return {
            series.labels[-1]: self.slab.cells[series.first]
            for series in self.slab.series()
            if series.family == family and self.slab.cells[series.first]
        }

    def play(self, script: Callable[[Comparer], Awaitable[None]]) -> None:
        async def run() -> None:
            readers = [RingReader(fd, SIZE) for fd in self.fds]
            comparer = Comparer(readers, self.bell, self.slab)
            comparer.contracts.adopt(SPEC)
            work = asyncio.ensure_future(comparer.run())
            try:
                await script(comparer)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                for reader in readers:
                    reader.close()

        asyncio.run(run())

    async def until(self, expected: dict[str, int], family: str = "stepdown_validations_total") -> None:
        async with asyncio.timeout(PATIENCE):
            while self.counts(family) != expected:
                await asyncio.sleep(0.005)


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def test_what_was_there_before_and_what_comes_later_is_taken_from_all_workers(scene: Scene) -> None:
    async def script(_comparer: Comparer) -> None:
        await scene.until({"valid": 1})
        for worker in (0, 1):
            scene.put(b"{}", worker=worker)
            scene.put(b"[]", worker=worker)
        await scene.until({"valid": 3, "violated": 2})

    scene.put(b"{}")
    scene.play(script)


def test_a_sleeper_hears_the_bell(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLEEP", 10 * PATIENCE)

    async def script(_comparer: Comparer) -> None:
        for count in range(1, 6):
            await asyncio.sleep(0.05)  # it sleeps by now, or is about to
            scene.put(b"{}")
            await scene.until({"valid": count})

    scene.play(script)


def test_a_configuration_that_a_worker_has_first_is_waited_for(scene: Scene) -> None:
    newer = encoded({"type": "array"})

    async def script(comparer: Comparer) -> None:
        scene.put(b"[]", spec=newer)
        scene.put(b"{}", worker=1)
        await scene.until({"valid": 1})
        comparer.contracts.adopt(newer)
        await scene.until({"valid": 2})

    scene.play(script)
    assert scene.counts("stepdown_validations_skipped_total") == {}


def test_a_configuration_that_never_comes_is_given_up_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EARLY", 0.3)

    async def script(_comparer: Comparer) -> None:
        for _ in range(200):
            scene.put(b"[]", spec=encoded({"type": "array"}))
        scene.put(b"{}")
        await scene.until({"valid": 1})

    scene.play(script)
    assert scene.counts("stepdown_validations_skipped_total") == {"stale": 200}


def test_nothing_that_comes_ends_its_work(scene: Scene) -> None:
    async def script(_comparer: Comparer) -> None:
        scene.put(b"[" * 500)
        scene.put(b"[" * 500 + b"]" * 500)
        scene.put(b"no gzip", codings=b"gzip")
        scene.put(b"{}", codings=b"lzma")
        scene.put(b"1" * 2000, codings=b"identity")
        assert scene.writers[0].put(b"no sample", b"at all")
        scene.put(b"{}")
        await scene.until({"valid": 1, "violated": 3})

    scene.play(script)
    assert scene.counts("stepdown_validations_skipped_total") == {"coding": 2}


def test_the_last_look_is_a_gauge_as_long_as_it_works(scene: Scene) -> None:
    cell = scene.slab.gauge("stepdown_comparer_turn_timestamp_seconds", ())

    async def script(_comparer: Comparer) -> None:
        async with asyncio.timeout(PATIENCE):
            while scene.slab.cells[cell] < 1.7e9:
                await asyncio.sleep(0.005)

    scene.play(script)
    assert scene.slab.cells[cell] == ABSENT
