"""The controller's view of its workers over real channels; the workers here are scripts that may misbehave."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

import pytest

from stepdown.control.state import WorkerView
from stepdown.decide.spec import SnapshotSpec, digest, encode
from stepdown.process import fleet as fleet_module
from stepdown.process.channel import Channel
from stepdown.process.fleet import Fleet
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Activate,
    Activated,
    Health,
    Hello,
    Message,
    Prepare,
    Prepared,
    Reader,
    Refused,
    Status,
    StatusRequest,
    ToWorker,
)
from tests.kit.looping import PATIENCE

FIRST = encode(SnapshotSpec(models=(), routes=()))
SECOND = encode(SnapshotSpec(models=(), routes=(), trusted_hops=1))


class ScriptedWorker:
    """The other end of a channel: compiles everything, unless told to refuse or to say nothing."""

    def __init__(self, index: int, serving: bytes = FIRST) -> None:
        self.index = index
        self.digest = digest(serving)
        self.prepared: set[str] = set()
        self.health: list[dict[str, bool]] = []
        self.refuses = ""
        self.silent = False
        self.heard: list[str] = []
        self.news = asyncio.Event()
        reader = Reader[ToWorker](ToWorker, TO_WORKER_BYTES)
        self.channel = Channel("controller", reader, TO_CONTROLLER_BYTES, self._hear, lambda _channel: self.news.set())

    async def join(self, fleet: Fleet, *, pid: int = 100, restarts: int = 0) -> ScriptedWorker:
        near, far = socket.socketpair()
        await fleet.place(self.index, pid + self.index, restarts, far.detach())
        await self.channel.open(near)
        self.channel.send(Hello(index=self.index, pid=pid + self.index, digest=self.digest))
        await self.until(lambda: bool(self.health))
        return self

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def _hear(self, channel: Channel[ToWorker], message: ToWorker) -> None:
        self.heard.append(type(message).__name__)
        self.news.set()
        if isinstance(message, Health):
            self.health.append(message.states)
        elif not self.silent:
            channel.send(self._answer(message))

    def _answer(self, message: ToWorker) -> Message:
        match message:
            case Prepare():
                if self.refuses:
                    return Refused(ticket=message.ticket, finding=self.refuses)
                self.prepared.add(digest(message.encoded))
                return Prepared(ticket=message.ticket, digest=digest(message.encoded))
            case Activate():
                if message.digest not in self.prepared:
                    return Refused(ticket=message.ticket, finding="never prepared")
                self.digest = message.digest
                return Activated(ticket=message.ticket, digest=message.digest)
            case StatusRequest():
                return Status(ticket=message.ticket, report={"connections": 7})
        raise AssertionError(message)


class Play:
    """A fleet of two that joined, and what it asked the parent for."""

    def __init__(self) -> None:
        self.relinked: list[int] = []
        self.fleet = Fleet(2, FIRST, self.relinked.append)
        self.workers: list[ScriptedWorker] = []

    async def run(self, script: Callable[[Play], Awaitable[None]]) -> None:
        self.workers = [await ScriptedWorker(index).join(self.fleet) for index in (0, 1)]
        await script(self)
        for worker in self.workers:
            worker.channel.close()
        for index in (0, 1):
            await self.fleet.place(index, 0, 0, None)


def play(script: Callable[[Play], Awaitable[None]]) -> None:
    async def run() -> None:
        await Play().run(script)

    asyncio.run(run())


def test_workers_say_who_they_are_and_what_they_serve_with() -> None:
    async def script(scene: Play) -> None:
        assert scene.fleet.views() == (
            WorkerView(0, 100, True, digest(FIRST), 0),
            WorkerView(1, 101, True, digest(FIRST), 0),
        )

    play(script)


def test_a_change_is_prepared_by_all_and_then_activated_by_all() -> None:
    async def script(scene: Play) -> None:
        assert await scene.fleet.prepare(SECOND) == []
        assert [worker.digest for worker in scene.workers] == [digest(FIRST)] * 2
        await scene.fleet.activate()
        assert [worker.digest for worker in scene.workers] == [digest(SECOND)] * 2
        assert [view.digest for view in scene.fleet.views()] == [digest(SECOND)] * 2
        assert scene.workers[0].heard == ["Health", "Prepare", "Activate"]

    play(script)


def test_one_refusal_keeps_everybody_where_they_are() -> None:
    async def script(scene: Play) -> None:
        scene.workers[1].refuses = "hook missing.module:adapt cannot be imported"
        findings = await scene.fleet.prepare(SECOND)
        assert findings == ["worker 1 refuses it: hook missing.module:adapt cannot be imported"]
        assert [worker.digest for worker in scene.workers] == [digest(FIRST)] * 2

    play(script)


def test_a_worker_that_gives_no_answer_stops_the_change_and_loses_its_channel(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fleet_module, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(fleet_module, "RELINK_SECONDS", 0.01)

    async def script(scene: Play) -> None:
        scene.workers[0].silent = True
        assert await scene.fleet.prepare(SECOND) == ["worker 0 (process 100) gave no answer in 0.05 seconds"]
        await scene.workers[0].until(lambda: not scene.workers[0].channel.is_open)
        assert [view.alive for view in scene.fleet.views()] == [False, True]
        async with asyncio.timeout(PATIENCE):
            while not scene.relinked:
                await asyncio.sleep(0.01)
        assert scene.relinked == [0]

    with caplog.at_level(logging.WARNING):
        play(script)
    assert "channel to worker 0 dropped: it gives no answer" in caplog.text


@pytest.fixture
def no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for an answer waits until something else happens."""
    monkeypatch.setattr(fleet_module, "ANSWER_SECONDS", 1e6)


@pytest.mark.usefixtures("no_end")
def test_a_worker_that_dies_meanwhile_does_not_stop_the_change() -> None:
    async def script(scene: Play) -> None:
        scene.workers[0].silent = True
        preparing = asyncio.ensure_future(scene.fleet.prepare(SECOND))
        await scene.workers[0].until(lambda: "Prepare" in scene.workers[0].heard)
        scene.workers[0].channel.close()
        assert await asyncio.wait_for(preparing, PATIENCE) == []
        await scene.fleet.activate()
        assert scene.workers[1].digest == digest(SECOND)

    play(script)


@pytest.mark.usefixtures("no_end")
def test_a_worker_that_is_being_replaced_does_not_stop_the_change_either() -> None:
    async def script(scene: Play) -> None:
        scene.workers[0].silent = True
        preparing = asyncio.ensure_future(scene.fleet.prepare(SECOND))
        await scene.workers[0].until(lambda: "Prepare" in scene.workers[0].heard)
        await scene.fleet.place(0, 0, 1, None)
        assert await asyncio.wait_for(preparing, PATIENCE) == []

    play(script)


def test_a_worker_that_comes_with_something_old_is_brought_up_to_date() -> None:
    async def script(scene: Play) -> None:
        await scene.fleet.prepare(SECOND)
        await scene.fleet.activate()
        late = await ScriptedWorker(0).join(scene.fleet, pid=200, restarts=1)
        await late.until(lambda: late.digest == digest(SECOND))
        assert late.heard == ["Health", "Activate", "Prepare", "Activate"]
        scene.workers[0] = late

    play(script)


def test_a_worker_that_cannot_be_brought_up_to_date_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def script(scene: Play) -> None:
        await scene.fleet.prepare(SECOND)
        await scene.fleet.activate()
        late = ScriptedWorker(0)
        late.refuses = "out of memory"
        await late.join(scene.fleet)
        await late.until(lambda: late.heard.count("Prepare") == 1)
        await scene.fleet.status()
        assert scene.fleet.views()[0].digest == digest(FIRST)
        scene.workers[0] = late

    with caplog.at_level(logging.ERROR):
        play(script)
    assert f"worker 0 keeps serving with {digest(FIRST)}: out of memory" in caplog.text


def test_what_the_probes_say_reaches_those_who_are_there_and_those_who_come() -> None:
    async def script(scene: Play) -> None:
        scene.fleet.set_health({"a": True, "b": False})
        await scene.workers[0].until(lambda: len(scene.workers[0].health) == 2)
        late = await ScriptedWorker(1).join(scene.fleet)
        assert scene.workers[0].health[-1] == late.health[-1] == {"a": True, "b": False}
        scene.workers[1] = late

    play(script)


def test_status_comes_from_those_who_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "STATUS_SECONDS", 0.05)

    async def script(scene: Play) -> None:
        assert await scene.fleet.status() == [{"index": 0, "connections": 7}, {"index": 1, "connections": 7}]
        scene.workers[0].silent = True
        assert await scene.fleet.status() == [{"index": 1, "connections": 7}]

    play(script)


def test_a_worker_that_talks_garbage_loses_its_channel_and_nobody_else_does(caplog: pytest.LogCaptureFixture) -> None:
    async def script(scene: Play) -> None:
        near, far = socket.socketpair()
        near.setblocking(False)
        await scene.fleet.place(0, 300, 0, far.detach())
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(near, b"\x00\x00\x00\x05\x01junk")
        assert await loop.sock_recv(near, 1) == b""
        near.close()
        assert [view.alive for view in scene.fleet.views()] == [False, True]

    with caplog.at_level(logging.WARNING):
        play(script)
    assert "channel to worker 0 dropped: no message" in caplog.text
