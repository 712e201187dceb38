"""The real data plane for tests, on a loop in a thread: listening, logging, counting, on a movable clock."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from typing import Any, Self

from stepdown.decide.spec import SnapshotSpec, encode
from stepdown.plane.clock import CoarseClock
from stepdown.plane.handoff import Handoff
from stepdown.plane.plane import Plane
from stepdown.telemetry.access import AccessLog
from stepdown.telemetry.lines import LineWriter
from stepdown.telemetry.render import render
from stepdown.telemetry.slab import Slab
from tests.kit.clock import FakeClock
from tests.kit.counts import summed
from tests.kit.looping import PATIENCE, LoopThread


class Sidecar:
    """One worker's plane with a listening socket on a free port; a context manager."""

    def __init__(
        self,
        thread: LoopThread,
        spec: SnapshotSpec,
        *,
        clock: FakeClock | None = None,
        handoff: Handoff | None = None,
    ) -> None:
        self._thread = thread
        self._spec = spec
        self._clock = clock
        self._handoff = handoff
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sidecar
        self.port = 0

    def __enter__(self) -> Self:
        self.slab = Slab.create()
        self._writer = LineWriter(self._log.fileno())
        self.access = AccessLog(self.slab, "json", self._writer)
        try:
            self._thread.call(self._start())
        except BaseException:
            self._close()
            raise
        return self

    async def _start(self) -> None:
        loop = self._thread.loop
        clock = CoarseClock(loop) if self._clock is None else self._clock.coarse(loop)
        self.plane = Plane(loop=loop, slab=self.slab, access=self.access, clock=clock, handoff=self._handoff)
        self.plane.activate(self.plane.prepare(encode(self._spec)))
        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        await self.plane.listen(listening)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._thread.call(self.plane.drain(0.0))
        self._close()

    def _close(self) -> None:
        self.access.close()
        self._log.close()
        self.slab.close()

    def reload(self, spec: SnapshotSpec) -> None:
        """Prepare and activate another specification."""

        def swap() -> None:
            self.plane.activate(self.plane.prepare(encode(spec)))

        self._thread.run(swap)

    def status(self) -> dict[str, Any]:
        """What the plane says about itself."""
        return self._thread.run(self.plane.status)

    def log(self) -> list[dict[str, Any]]:
        """All lines of the access log so far, parsed."""
        self._thread.run(self.access.flush)
        assert self._writer.drain(PATIENCE)
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), size, 0).decode("ascii")
        return [json.loads(line) for line in text.splitlines()]

    def metric(self, name: str, **labels: str) -> float:
        """Sum of all samples called `name` that carry these labels."""
        text = self._thread.run(lambda: render([self.slab])).decode()
        return summed(text, name, labels)
