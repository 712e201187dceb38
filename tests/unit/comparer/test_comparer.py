"""The comparer's loop, on rings that a test writes to."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from stepdown.comparer import comparer as module
from stepdown.comparer.comparer import Comparer
from stepdown.decide import copies
from stepdown.decide.checks import Subject, head, label
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import digest, encode
from stepdown.plane.handoff import Handoff
from stepdown.telemetry.ring import RingReader, RingWriter
from stepdown.telemetry.slab import ABSENT, Slab
from tests.kit import specs
from tests.kit.counts import counted
from tests.kit.looping import PATIENCE
from tests.kit.shadowing import a_copy, an_answer

SIZE = 65_536


def encoded(contract: Any) -> bytes:
    return encode(specs.snapshot(models=[specs.model(specs.version("1.0.0", 1, contract=contract, validate=1.0))]))


SPEC = encoded({"type": "object"})


def shadowed(**more: Any) -> bytes:
    """A configuration with a shadow whose server refuses connections."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    model = specs.model(specs.version("1.0.0", port))
    route = specs.route({"1.0.0": 100}, shadows=(Shadow(name="s", version="1.0.0"),))
    return encode(specs.snapshot(route, models=[model], **more))


SHADOWED = shadowed()
COPIES, SKIPPED = "stepdown_shadow_copies_total", "stepdown_shadow_skipped_total"


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
        assert self.handoffs[worker].put(head(label(subject), 1000, codings), body)

    def counts(self, family: str = "stepdown_validations_total") -> dict[str, int]:
        """By the last label."""
        return {labels[-1]: times for labels, times in counted(self.slab, family).items()}

    def copy(self, *, worker: int = 0, spec: bytes = SHADOWED, id: int = 1) -> None:
        about = a_copy(id=id, digest=digest(spec), head=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert self.handoffs[worker].put(copies.copy(about), b"")

    def answer(self, *, worker: int = 0, id: int = 1) -> None:
        about = an_answer(id=id, elapsed=1, upstream=1, head=b"")
        assert self.handoffs[worker].put(copies.answer(about), b"{}")

    def play(self, script: Callable[[Comparer], Awaitable[None]]) -> None:
        async def run() -> None:
            readers = [RingReader(fd, SIZE) for fd in self.fds]
            comparer = Comparer(readers, self.bell, self.slab)
            comparer.adopt(*specs.named(SPEC))
            comparer.adopt(*specs.named(SHADOWED))
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
        comparer.adopt(*specs.named(newer))
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


def test_copies_and_answers_find_each_other_and_go_another_way_than_samples(scene: Scene) -> None:
    async def script(comparer: Comparer) -> None:
        await scene.until({"incomparable": 1}, "stepdown_shadow_compared_total")
        await scene.until({"refused": 1}, COPIES)
        await scene.until({"valid": 2})
        assert len(comparer.shadows.table) == 0

    scene.put(b"{}")
    scene.answer(id=7)
    scene.copy()
    scene.answer(worker=1)
    scene.put(b"{}")
    scene.answer()
    scene.play(script)


def test_a_copy_waits_for_its_configuration_and_keeps_what_is_behind_it_in_order(scene: Scene) -> None:
    newer = shadowed(trusted_hops=1)

    async def script(comparer: Comparer) -> None:
        scene.copy(spec=newer)
        scene.answer()
        scene.copy(worker=1)
        await scene.until({"refused": 1}, COPIES)
        comparer.adopt(*specs.named(newer))
        await scene.until({"refused": 2}, COPIES)
        await scene.until({"incomparable": 1}, "stepdown_shadow_compared_total")

    scene.play(script)
    assert scene.counts(SKIPPED) == {}


def test_copies_of_a_configuration_that_never_comes_are_stale(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EARLY", 0.3)

    async def script(_comparer: Comparer) -> None:
        for number in range(50):
            scene.copy(spec=SPEC + b" ", id=number)
        scene.put(b"{}")
        await scene.until({"valid": 1})

    scene.play(script)
    assert scene.counts(SKIPPED) == {"stale": 50}


def test_records_that_are_none_end_nothing(scene: Scene) -> None:
    async def script(_comparer: Comparer) -> None:
        for record in (b"\x02", b"\x02\xff\xff\xff\xff", b"\x03\x01\0\0\0\x90", b"\x04", b""):
            assert scene.writers[0].put(record, b"")
        scene.put(b"{}")
        await scene.until({"valid": 1})

    scene.play(script)
