"""The controller's end of the comparer's channel, over real socket pairs; the comparer here is a script."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from stepdown.process import comparer_link as module
from stepdown.process.channel import Channel
from stepdown.process.comparer_link import ComparerLink
from stepdown.process.fleet import Fleet, Taken
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Evidence,
    EvidenceTaken,
    Hello,
    Message,
    Reader,
)
from tests.kit.looping import PATIENCE

BATCH = Evidence(rollout="r", run=1, source="s", sequence=1)
TAKEN = EvidenceTaken(rollout="r", run=1, source="s", sequence=1)


class Play:
    """A link, what its fleet counted, and what it asked the parent for."""

    def __init__(self) -> None:
        self.relinked = 0
        self.counted: list[Evidence] = []
        self.fleet = Fleet(0, b"", lambda _index: None)
        self.link = ComparerLink(self.fleet, self._relink)
        self.comparers: list[Comparer] = []

    def _relink(self) -> None:
        self.relinked += 1

    def count(self, evidence: Evidence, taken: Taken) -> None:
        """What takes batches, once it is there."""
        self.counted.append(evidence)
        taken(EvidenceTaken(rollout=evidence.rollout, run=1, source=evidence.source, sequence=evidence.sequence))

    async def join(self) -> Comparer:
        """A comparer is there."""
        near, far = socket.socketpair()
        await self.link.place(far.detach())
        made = Comparer()
        await made.channel.open(near)
        self.comparers.append(made)
        return made

    async def run(self, script: Callable[[Play], Coroutine[Any, Any, None]]) -> None:
        await script(self)
        for comparer in self.comparers:
            comparer.channel.close()
        await until(lambda: self.link._channel is None and all(comparer.over for comparer in self.comparers))


class Comparer:
    """The other end."""

    def __init__(self) -> None:
        self.heard: list[EvidenceTaken] = []
        self.over = False
        reader = Reader[EvidenceTaken](EvidenceTaken, TO_WORKER_BYTES)
        self.channel = Channel("controller", reader, TO_CONTROLLER_BYTES, self._hear, self._end)

    def _hear(self, _channel: Channel[EvidenceTaken], message: EvidenceTaken) -> None:
        self.heard.append(message)

    def _end(self, _channel: Channel[EvidenceTaken]) -> None:
        self.over = True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def play(script: Callable[[Play], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(Play().run(script))


def test_batches_go_where_those_of_workers_go_and_their_source_is_told() -> None:
    async def script(scene: Play) -> None:
        comparer = await scene.join()
        scene.fleet.counted = scene.count  # set late, as by a controller that is being loaded
        comparer.channel.send(BATCH)
        await until(lambda: bool(comparer.heard))
        assert (scene.counted, comparer.heard) == ([BATCH], [TAKEN])

    play(script)


def test_a_successor_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RELINK_SECONDS", 0.01)

    async def script(scene: Play) -> None:
        scene.fleet.counted = scene.count
        first = await scene.join()
        second = await scene.join()
        await until(lambda: first.over)
        second.channel.send(BATCH)
        await until(lambda: second.heard == [TAKEN])
        await asyncio.sleep(0.05)
        assert scene.relinked == 0

    play(script)


@pytest.mark.parametrize("nonsense", [True, False])
def test_a_channel_that_is_lost_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, nonsense: bool) -> None:
    monkeypatch.setattr(module, "RELINK_SECONDS", 0.01)

    async def script(scene: Play) -> None:
        comparer = await scene.join()
        if nonsense:
            wrong: Message = Hello(index=0, pid=1, digest="what workers say")
            comparer.channel.send(wrong)
        else:
            comparer.channel.close()
        await until(lambda: scene.relinked == 1 and comparer.over)

    play(script)
