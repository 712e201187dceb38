"""The controller process: gets its sockets and channels from the parent, and gives them to `control.controller`.

The channels come first: aiohttp, pydantic and the rest are loaded when the workers can already be heard.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stepdown import tasks
from stepdown.control.state import ComparerView
from stepdown.decide.spec import decode
from stepdown.process import held, shield
from stepdown.process.comparer_link import ComparerLink
from stepdown.process.fleet import Fleet, Taken
from stepdown.process.messages import Evidence, EvidenceTaken
from stepdown.process.settings import BOARD_BYTES, LISTS_A_MESSAGE, SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether, TetherClosedError
from stepdown.rollout.batch import Batch
from stepdown.telemetry import log
from stepdown.telemetry.board import Board
from stepdown.telemetry.slab import SlabReader

if TYPE_CHECKING:
    from stepdown.control.controller import Controller

logger = logging.getLogger(__name__)


class Host:
    """Between the parent's tether and the controller."""

    def __init__(self, tether: Tether, introduction: Received) -> None:
        self._tether = tether
        self._introduction = introduction
        self._settings = Settings.from_json(introduction.facts["settings"])
        self._encoded = held.read(introduction.fds["spec"])
        settings = decode(self._encoded).log
        log.configure("controller", settings.format, settings.level)
        self._fleet = Fleet(self._settings.workers, self._encoded, lambda index: self._tell("relink", index=index))
        self._comparer_link = ComparerLink(self._fleet, lambda: self._tell("relink-comparer"))
        self._controller: Controller | None = None
        self._early: list[str] = []
        self.comparer: ComparerView | None = None
        """`None` where the configuration has nothing for it."""

    async def run(self) -> None:
        """Until the parent ends this process, or is gone."""
        asyncio.get_running_loop().add_reader(self._tether.fileno(), self._hear)
        await asyncio.sleep(0)  # channels that are here already are opened before anything heavy is loaded
        from stepdown.config import ProcessSettings  # noqa: PLC0415 - see the head of the file
        from stepdown.control.controller import Controller  # noqa: PLC0415

        fds, settings = self._introduction.fds, self._settings
        self._controller = Controller(
            file=Path(self._settings.file),
            environ=os.environ,
            encoded=self._encoded,
            remembered=held.read(fds["remembered"]) if "remembered" in fds else None,
            started_with=ProcessSettings(
                listen=settings.listen,
                status=settings.status,
                admin=settings.admin,
                workers=settings.workers_in_file,
                drain_delay=settings.drain_delay,
                drain_grace=settings.drain_grace,
            ),
            workers=self._fleet,
            parent=self,
            slabs=[
                SlabReader(fds[f"slab {name}"], SLAB_BYTES) for name in (*map(str, range(settings.workers)), "comparer")
            ],
            board=Board(fds["board"], BOARD_BYTES),
        )
        self._fleet.asked = self._controller.provider.ask
        self._fleet.counted = self._count
        for request in self._early:
            self._pass_on(request)
        await self._controller.run(
            socket.socket(fileno=fds["status"]) if "status" in fds else None,
            socket.socket(fileno=fds["admin"]) if "admin" in fds else None,
        )

    def _count(self, evidence: Evidence, taken: Taken) -> None:
        """Have a batch of evidence stored, and say so to its source once it is."""
        assert self._controller is not None
        name, run, source, number = evidence.rollout, evidence.run, evidence.source, evidence.sequence
        batch = Batch(name, run, source, number, evidence.sightings, dict(evidence.deltas))
        answer = EvidenceTaken(rollout=name, run=run, source=source, sequence=number)
        self._controller.rollouts.take(batch, lambda: taken(answer))

    # --- what the parent can be asked ---------------------------------------------------------------------------------

    def share(self, tables: Mapping[str, int]) -> None:
        """Have lists of ids held and given to every worker."""
        names = list(tables)
        for begin in range(0, len(names), LISTS_A_MESSAGE):
            self._tell("lists", {name: tables[name] for name in names[begin : begin + LISTS_A_MESSAGE]})

    def keep(
        self,
        encoded: bytes,
        remembered: bytes,
        *,
        drain_delay: float,
        drain_grace: float,
        compares: bool,
        lists: Collection[str],
    ) -> None:
        """Hold this for processes that start from now on; run a comparer if it has work."""
        fds = {"spec": held.hold("stepdown-spec", encoded), "remembered": held.hold("stepdown-remembered", remembered)}
        in_force = {"drain_delay": drain_delay, "drain_grace": drain_grace, "compares": compares, "lists": list(lists)}
        self._tell("accepted", fds, **in_force)
        for fd in fds.values():
            os.close(fd)

    def begin_anew(self, route: str, shadow: str, wish: str) -> None:
        """Have the comparer begin the report of a shadow anew."""
        self._tell("begin-anew", route=route, shadow=shadow, wish=wish)

    def leave(self) -> None:
        """Take the whole sidecar out, as SIGTERM does."""
        self._tell("drain")

    def _tell(self, kind: str, fds: dict[str, int] | None = None, /, **facts: object) -> None:
        if not self._tether.send(kind, fds, **facts):
            logger.error("the parent takes no messages: %s is lost", kind)

    # --- what the parent says -----------------------------------------------------------------------------------------

    def _hear(self) -> None:
        try:
            while (message := self._tether.receive()) is not None:
                if message.kind == "worker":
                    facts = message.facts
                    tasks.start(
                        self._fleet.place(facts["index"], facts["pid"], facts["restarts"], message.fds.get("channel")),
                        name=f"link worker {facts['index']}",
                    )
                elif message.kind == "comparer":
                    facts = message.facts
                    view = ComparerView(facts["pid"], facts["ready"], facts["restarts"])
                    self.comparer = view if facts["wanted"] else None
                elif message.kind == "comparer-link":
                    tasks.start(self._comparer_link.place(message.fds["channel"]), name="link the comparer")
                else:
                    self._pass_on(message.kind)
        except TetherClosedError:
            shield.orphaned()

    def _pass_on(self, request: str) -> None:
        if self._controller is None:
            self._early.append(request)
        elif request == "reload":
            tasks.start(self._controller.reload(), name="reload on SIGHUP")
        elif request == "drain":
            self._controller.note_draining()


def main(arguments: list[str]) -> int:
    """`python -m stepdown.process.controller FD`, as the parent executes it; returns the exit code."""
    tether = Tether.inherited(int(arguments[0]))
    shield.enter()
    asyncio.run(Host(tether, shield.introduction(tether)).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
