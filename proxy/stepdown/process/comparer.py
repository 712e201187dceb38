"""The comparer process: gets memory and contracts from the parent, and gives them to `comparer.comparer`.

It is the one that may go: it runs when nothing else wants the processor, and when memory is short the kernel takes it
first. It does its work with or without a controller, which it tells of nothing but evidence of rollouts
(`comparer.witness`), and which has nothing to say but that it took that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stepdown import tasks
from stepdown.comparer.comparer import Comparer
from stepdown.comparer.courtesy import Usage
from stepdown.decide.spec import decode, digest
from stepdown.process import held, shield
from stepdown.process.channel import Channel
from stepdown.process.loop import new_loop
from stepdown.process.messages import TO_CONTROLLER_BYTES, TO_WORKER_BYTES, EvidenceTaken, Reader, evidence
from stepdown.process.settings import BOARD_BYTES, RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether, TetherClosedError
from stepdown.telemetry import log
from stepdown.telemetry.board import Board
from stepdown.telemetry.ring import RingReader
from stepdown.telemetry.slab import Slab

logger = logging.getLogger(__name__)

NICENESS = 10
"""What is left of stepping back on a kernel that refuses `SCHED_IDLE`."""
SCHEDSTAT = Path("/proc/self/schedstat")
"""Which a kernel may have been built without."""
SCHEDSTAT_BYTES = 64
"""Room for its three numbers."""
OOM_SCORE = "800"
"""Of 1000, at which the kernel would take it before anything else."""


class Host:
    """Between the parent's tether and the comparer."""

    def __init__(self, tether: Tether, introduction: Received) -> None:
        fds = introduction.fds
        settings = Settings.from_json(introduction.facts["settings"])
        self._tether = tether
        rings = [RingReader(fds[f"ring {index}"], RING_BYTES) for index in range(settings.workers)]
        slab, board = Slab.attach(fds["slab"], SLAB_BYTES), Board(fds["board"], BOARD_BYTES)
        self._comparer = Comparer(rings, fds["bell"], slab, board, _meter())
        self._adopt(fds["spec"])
        self._work: asyncio.Task[None] | None = None
        self._channel: Channel[EvidenceTaken] | None = None

    async def run(self) -> None:
        """Until the parent has no more use for it, or is gone; raises what the work raises, to be started anew."""
        asyncio.get_running_loop().add_reader(self._tether.fileno(), self._hear)
        self._work = tasks.start(self._comparer.run(), name="compare")
        self._tether.send("comparing")
        with suppress(asyncio.CancelledError):
            await self._work

    def _hear(self) -> None:
        try:
            while (message := self._tether.receive()) is not None:
                match message.kind:
                    case "spec":
                        self._adopt(message.fds["spec"])
                    case "link":
                        tasks.start(self._talk(message.fds["channel"]), name="open the channel")
                    case "begin-anew":
                        self._comparer.reports.begin_anew(**message.facts)
                    case "leave":
                        assert self._work is not None
                        self._work.cancel()
        except TetherClosedError:
            shield.orphaned()

    async def _talk(self, fd: int) -> None:
        """To the controller, from now on over this channel."""
        if self._channel is not None:
            self._channel.close()
        reader = Reader[EvidenceTaken](EvidenceTaken, TO_WORKER_BYTES)
        channel = self._channel = Channel("the controller", reader, TO_CONTROLLER_BYTES, self._taken, self._lose)
        await channel.open(socket.socket(fileno=fd))
        if channel is self._channel:  # else another one has come meanwhile
            self._comparer.books.link(lambda batch: channel.send(evidence(batch)))

    def _taken(self, _channel: Channel[EvidenceTaken], taken: EvidenceTaken) -> None:
        self._comparer.books.taken(taken.rollout, taken.run, taken.source, taken.sequence)

    def _lose(self, channel: Channel[EvidenceTaken]) -> None:
        if channel is self._channel:
            self._comparer.books.link(None)

    def _adopt(self, fd: int) -> None:
        encoded = held.read(fd)
        os.close(fd)
        spec = decode(encoded)
        log.configure("comparer", spec.log.format, spec.log.level)
        self._comparer.adopt(digest(encoded), spec)


def _meter() -> Callable[[], Usage] | None:
    """Gives what the kernel has counted of the thread that runs the loop; `None` where it counts nothing.

    It is read at each tick and opened once: that costs a tenth, and every microsecond of it is a worker's.
    """
    try:
        fd = os.open(SCHEDSTAT, os.O_RDONLY)
    except OSError:
        return None

    def used() -> Usage:
        ran, waited, _ = map(int, os.pread(fd, SCHEDSTAT_BYTES, 0).split())
        return Usage(ran / 1e9, waited / 1e9)

    return used


def _step_back() -> None:
    """Leave processor and memory to whoever serves requests.

    A worker that shares a core with it takes that core at once when a request comes, instead of waiting for the end of
    a slice as it would beside a process that is merely nice.
    """
    with suppress(OSError):
        os.nice(NICENESS)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(OOM_SCORE)


async def _run(tether: Tether, introduction: Received) -> None:
    await Host(tether, introduction).run()


def main(arguments: list[str]) -> int:
    """`python -m stepdown.process.comparer FD`, as the parent executes it; returns the exit code."""
    tether = Tether.inherited(int(arguments[0]))
    shield.enter()
    _step_back()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_run(tether, shield.introduction(tether)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
