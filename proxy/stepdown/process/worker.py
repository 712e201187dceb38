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
from stepdown.decide.inputs import lists_of
from stepdown.decide.spec import Decisions, Log, decode
from stepdown.errors import StepdownError
from stepdown.plane.handoff import Handoff
from stepdown.plane.plane import Plane
from stepdown.process import held, shield
from stepdown.process.arrivals import let_in_the_last
from stepdown.process.channel import Channel
from stepdown.process.lists import PREFIX, Lists
from stepdown.process.loop import new_loop
from stepdown.process.messages import (
    TO_CONTROLLER_BYTES,
    TO_WORKER_BYTES,
    Activate,
    Activated,
    EvidenceTaken,
    FlagAnswers,
    FlagQuestions,
    FlagsChanged,
    Health,
    Hello,
    Prepare,
    Prepared,
    Reader,
    Refused,
    Status,
    StatusRequest,
    ToWorker,
    evidence,
)
from stepdown.process.settings import RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether, TetherClosedError
from stepdown.telemetry import log
from stepdown.telemetry.access import AccessLog
from stepdown.telemetry.decisions import DecisionLog
from stepdown.telemetry.ring import RingWriter
from stepdown.telemetry.slab import Slab

logger = logging.getLogger(__name__)

LAST_SECONDS = 1.0
"""At most this long are connections accepted that were there before the drain."""

EXIT_SPECIFICATION = 2
"""What the parent holds cannot be compiled here, though the controller accepted it: a hook that cannot be imported."""


class Worker:
    """Between the parent's tether, the controller's channel and the plane."""

    def __init__(self, tether: Tether, introduction: Received, loop: asyncio.AbstractEventLoop) -> None:
        settings = Settings.from_json(introduction.facts["settings"])
        # Process.
        self._tether = tether
        self._loop = loop
        self._index: int = introduction.facts["index"]
        fds = introduction.fds
        self._listening = socket.socket(fileno=fds["listen"])
        encoded = held.read(fds["spec"])
        os.close(fds["spec"])
        self._slab = Slab.attach(fds["slab"], SLAB_BYTES)
        handoff = Handoff(RingWriter(fds["ring"], RING_BYTES), fds["bell"])
        self._plane = Plane(loop=loop, slab=self._slab, workers=settings.workers, handoff=handoff)
        self._lists = Lists(self._plane.lists)
        self._lists.take({name.removeprefix(PREFIX): fd for name, fd in fds.items() if name.startswith(PREFIX)})
        self._log: Log | None = None
        self._decisions: Decisions | None = None
        self._prepared_logs = _logs_of(encoded)
        self._follow_logs()
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
        _settle_memory()
        await self._drained.wait()

    # --- the parent ---------------------------------------------------------------------------------------------------

    def _hear_parent(self) -> None:
        try:
            while (message := self._tether.receive()) is not None:
                match message.kind:
                    case "link":
                        tasks.start(self._talk(message.fds["channel"]), name="open the channel")
                    case "lists":
                        self._lists.take(message.fds)
                        if "keep" in message.facts:
                            self._lists.keep(message.facts["keep"])
                    case "drain":
                        tasks.start(self._drain(message.facts["grace"]), name="drain")
        except TetherClosedError:
            shield.orphaned()

    async def _drain(self, grace: float) -> None:
        try:
            await let_in_the_last(self._listening, min(grace, LAST_SECONDS))
            await self._plane.drain(grace)
        finally:
            for written in (self._plane.access, self._plane.decisions):
                if written is not None:
                    written.close()
            self._drained.set()

    # --- the controller -----------------------------------------------------------------------------------------------

    async def _talk(self, fd: int) -> None:
        if self._channel is not None:
            self._channel.close()
        reader = Reader[ToWorker](ToWorker, TO_WORKER_BYTES)
        channel = self._channel = Channel(
            "the controller", reader, TO_CONTROLLER_BYTES, self._hear_controller, self._lose_controller
        )
        await channel.open(socket.socket(fileno=fd))
        channel.send(Hello(index=self._index, pid=os.getpid(), digest=self._digest))
        self._plane.desk.link(lambda questions: channel.send(FlagQuestions(questions=tuple(questions))))
        self._plane.books.link(lambda batch: channel.send(evidence(batch)))

    def _lose_controller(self, channel: Channel[ToWorker]) -> None:
        if channel is self._channel:
            self._plane.desk.link(None)
            self._plane.books.link(None)

    def _hear_controller(self, channel: Channel[ToWorker], message: ToWorker) -> None:
        match message:
            case Health():
                self._plane.set_health(message.states)
            case FlagAnswers():
                self._plane.desk.take(message.answers)
            case FlagsChanged():
                self._plane.desk.changed()
            case EvidenceTaken():
                self._plane.books.taken(message.rollout, message.run, message.source, message.sequence)
            case StatusRequest():
                channel.send(Status(ticket=message.ticket, report=self._plane.status()))
            case Prepare() | Activate():
                tasks.start(self._change(channel, message), name="change the specification")

    async def _change(self, channel: Channel[ToWorker], message: Prepare | Activate) -> None:
        try:
            if isinstance(message, Prepare):
                channel.send(await self._prepare(message))
            else:
                channel.send(self._activate(message))
        except Exception as error:
            # Whatever is wrong with a specification, it is no reason to stop serving with the one in force.
            if not isinstance(error, StepdownError):
                logger.exception("specification refused")
            channel.send(Refused(ticket=message.ticket, finding=str(error) or repr(error)))

    async def _prepare(self, message: Prepare) -> Prepared:
        """Compile in a thread: requests need not wait half a second for 1,000 routes with 10 versions each."""
        await self._lists.wait_for(lists_of(decode(message.encoded)))
        prepared = await asyncio.to_thread(self._plane.prepare, message.encoded)
        self._prepared_logs = _logs_of(message.encoded)
        return Prepared(ticket=message.ticket, digest=prepared)

    def _activate(self, message: Activate) -> Activated:
        self._plane.activate(message.digest)
        self._digest = message.digest
        self._follow_logs()
        self._loop.call_soon(_settle_memory)
        return Activated(ticket=message.ticket, digest=message.digest)

    def _follow_logs(self) -> None:
        wanted, decisions = self._prepared_logs
        if decisions != self._decisions:
            self._decisions = decisions
            if self._plane.decisions is not None:
                self._plane.decisions.close(timeout=0.0)  # its thread writes what is left
            self._plane.decisions = DecisionLog(self._slab, decisions) if decisions is not None else None
        if wanted == self._log:
            return
        self._log = wanted
        log.configure(f"worker {self._index}", wanted.format, wanted.level)
        if self._plane.access is not None:
            self._plane.access.close(timeout=0.0)  # its thread writes what is left
        self._plane.access = AccessLog(self._slab, wanted.format) if wanted.access else None


def _logs_of(encoded: bytes) -> tuple[Log, Decisions | None]:
    spec = decode(encoded)
    return spec.log, spec.decisions


def _settle_memory() -> None:
    """Collect what is garbage now, and keep all that lives out of later collections.

    What a specification was compiled to lives until the next one. Every full collection would walk it: 7 ms for one
    route, 76 ms for 1,000 routes with 10 versions each, and 0.01 ms once it is frozen (measured). What was frozen
    before is looked at again, or cycles in a specification that is no longer in force would stay for ever.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def main(arguments: list[str]) -> int:
    """`python -m stepdown.process.worker FD`, as the parent executes it; returns the exit code."""
    tether = Tether.inherited(int(arguments[0]))
    shield.enter()
    introduction = shield.introduction(tether)
    loop = new_loop()
    asyncio.set_event_loop(loop)
    try:
        worker = Worker(tether, introduction, loop)
    except StepdownError as error:
        logger.error("worker %d cannot start: %s", introduction.facts["index"], error)
        return EXIT_SPECIFICATION
    if isinstance(loop, asyncio.SelectorEventLoop):
        logger.warning("uvloop is not installed: requests cost more processor time")
    loop.run_until_complete(worker.run())
    loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
