"""A worker process: the data plane on its own loop, started and stopped by the parent, configured by the controller.

It starts with the specification that the parent holds, so it serves at once and needs no controller. Later ones come
over the channel in two steps: prepare (compile, answer) and activate (from the next request on).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys

from stepdown import tasks
from stepdown.decide.spec import decode
from stepdown.errors import StepdownError
from stepdown.plane.plane import Plane
from stepdown.process import held, shield
from stepdown.process.channel import Channel
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Activate,
    Activated,
    Health,
    Hello,
    Prepare,
    Prepared,
    Reader,
    Refused,
    Status,
    StatusRequest,
    ToWorker,
)
from stepdown.process.settings import SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether, TetherClosedError
from stepdown.telemetry import log
from stepdown.telemetry.access import AccessLog
from stepdown.telemetry.slab import Slab

logger = logging.getLogger(__name__)


class Worker:
    """Between the parent's tether, the controller's channel and the plane."""

    def __init__(self, tether: Tether, introduction: Received, loop: asyncio.AbstractEventLoop) -> None:
        settings = Settings.from_json(introduction.facts["settings"])
        # Process.
        self._tether = tether
        self._loop = loop
        self._index: int = introduction.facts["index"]
        self._listening = socket.socket(fileno=introduction.fds["listen"])
        encoded = held.read(introduction.fds["spec"])
        os.close(introduction.fds["spec"])
        self._log = decode(encoded).log
        log.configure(f"worker {self._index}", self._log.format, self._log.level)
        slab = Slab.attach(introduction.fds["slab"], SLAB_BYTES)
        self._access = AccessLog(slab, self._log.format) if self._log.access else None
        self._plane = Plane(loop=loop, slab=slab, workers=settings.workers, access=self._access)
        self._digest = self._plane.prepare(encoded)
        self._plane.activate(self._digest)
        self._drained = asyncio.Event()
        # The controller, as long as it lives.
        self._channel: Channel[ToWorker] | None = None

    async def run(self) -> None:
        """Serve until the parent says to drain, and that is done."""
        await self._plane.listen(self._listening)
        self._tether.send("listening", digest=self._digest)
        self._loop.add_reader(self._tether.fileno(), self._hear_parent)
        # What exists now lives as long as the process: keep it out of every later collection.
        gc.collect()
        gc.freeze()
        await self._drained.wait()

    # --- the parent ---------------------------------------------------------------------------------------------------

    def _hear_parent(self) -> None:
        try:
            while (message := self._tether.receive()) is not None:
                match message.kind:
                    case "link":
                        tasks.start(self._talk(message.fds["channel"]), name="open the channel")
                    case "drain":
                        tasks.start(self._drain(message.facts["grace"]), name="drain")
        except TetherClosedError:
            shield.orphaned()

    async def _drain(self, grace: float) -> None:
        try:
            await self._plane.drain(grace)
        finally:
            if self._access is not None:
                self._access.close()
            self._drained.set()

    # --- the controller -----------------------------------------------------------------------------------------------

    async def _talk(self, fd: int) -> None:
        if self._channel is not None:
            self._channel.close()
        reader = Reader[ToWorker](ToWorker, TO_WORKER_BYTES)
        self._channel = Channel(
            "the controller", reader, TO_CONTROLLER_BYTES, self._hear_controller, lambda _over: None
        )
        await self._channel.open(socket.socket(fileno=fd))
        self._channel.send(Hello(index=self._index, pid=os.getpid(), digest=self._digest))

    def _hear_controller(self, channel: Channel[ToWorker], message: ToWorker) -> None:
        match message:
            case Health():
                self._plane.set_health(message.states)
            case StatusRequest():
                channel.send(Status(ticket=message.ticket, report=self._plane.status()))
            case Prepare() | Activate():
                try:
                    channel.send(self._change(message))
                except Exception as error:
                    # Whatever is wrong with a specification, it is no reason to stop serving with the one in force.
                    if not isinstance(error, StepdownError):
                        logger.exception("specification refused")
                    channel.send(Refused(ticket=message.ticket, finding=str(error) or repr(error)))

    def _change(self, message: Prepare | Activate) -> Prepared | Activated:
        if isinstance(message, Prepare):
            return Prepared(ticket=message.ticket, digest=self._plane.prepare(message.encoded))
        self._plane.activate(message.digest)
        self._digest = message.digest
        return Activated(ticket=message.ticket, digest=message.digest)


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, or asyncio's where uvloop is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - the only optional import of this process
    except ImportError:
        logger.warning("uvloop is not installed: requests cost about twice the processor time")
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main(arguments: list[str]) -> int:
    """`python -m stepdown.process.worker FD`, as the parent executes it; returns the exit code."""
    tether = Tether.inherited(int(arguments[0]))
    shield.enter()
    introduction = shield.introduction(tether)
    loop = new_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(Worker(tether, introduction, loop).run())
    loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
