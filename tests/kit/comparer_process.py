"""A comparer in a process of its own, with the test as its parent, its worker and its controller."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stepdown.decide.checks import Subject, Watched, head, label
from stepdown.decide.spec import SnapshotSpec, digest, encode
from stepdown.plane.handoff import Handoff
from stepdown.process import held
from stepdown.process.child import Child
from stepdown.process.messages import TO_CONTROLLER_BYTES, Evidence, EvidenceTaken, Reader, frame
from stepdown.process.parent import COMPARER
from stepdown.process.settings import BOARD_BYTES, RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.tether import Tether
from stepdown.rollout.batch import Batch
from stepdown.telemetry.ring import RingWriter
from stepdown.telemetry.slab import SlabReader
from tests.kit.driven import Store
from tests.kit.looping import PATIENCE

SETTINGS = Settings("none.yaml", ("127.0.0.1", 0), None, None, 1, 1, 0.0, 1.0, "plain")


class Line:
    """The controller's end of the comparer's channel."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._reader = Reader[Evidence](Evidence, TO_CONTROLLER_BYTES)
        self._heard: list[Evidence] = []

    def hear(self) -> Evidence:
        """The next batch."""
        while not self._heard:
            assert self.says_something(PATIENCE), "nothing is heard of the comparer"
            data = self._end.recv(65_536)
            assert data, "the comparer has let go of its channel"
            self._heard += self._reader.feed(data)
        return self._heard.pop(0)

    def says_something(self, seconds: float) -> bool:
        """Whether anything comes within so long."""
        return bool(self._heard or select.select([self._end], [], [], seconds)[0])

    def store(self, store: Store, *, until: Callable[[], bool]) -> None:
        """Put batches into a store, and say so, until it has what it should."""
        while not until():
            batch = self.hear()
            store.add(
                Batch(batch.rollout, batch.run, batch.source, batch.sequence, batch.sightings, dict(batch.deltas))
            )
            self.take(batch)

    def take(self, batch: Evidence) -> None:
        """Say that the store has a batch."""
        self._end.send(
            frame(EvidenceTaken(rollout=batch.rollout, run=batch.run, source=batch.source, sequence=batch.sequence))
        )

    def send(self, data: bytes) -> None:
        """Whatever a controller should not."""
        self._end.send(data)

    def ended(self) -> bool:
        """Whether the comparer lets go of it before anything else comes."""
        return self.says_something(PATIENCE) and not self._end.recv(1)

    def close(self) -> None:
        """The controller is gone."""
        self._end.close()


class ComparerProcess:
    """What the parent holds for it, and the process itself, which may be replaced."""

    def __init__(self, spec: SnapshotSpec) -> None:
        self.spec = encode(spec)
        self.fds = {
            "slab": held.blank("slab", SLAB_BYTES),
            "board": held.blank("board", BOARD_BYTES),
            "bell": os.eventfd(0, os.EFD_NONBLOCK),
            "spec": held.hold("spec", self.spec),
        }
        self.ring = held.blank("ring", RING_BYTES)
        self._writer = RingWriter(self.ring, RING_BYTES)
        self.handoff = Handoff(self._writer, self.fds["bell"])
        self.child = Child(COMPARER)
        self._tether: Tether | None = None
        self._lines: list[Line] = []
        self.start()

    def start(self) -> None:
        """A comparer, and another one in the place of one that is gone."""
        self._tether = self.child.start(time.monotonic())
        self.child.tell("descriptors", {"ring 0": self.ring})
        self.child.tell("start", self.fds, settings=SETTINGS.to_json())

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        _pid, status = os.waitpid(self.child.pid, 0)
        self.child.left()
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        """As memory that is short would."""
        self.child.kill()
        self.wait()

    def link(self) -> Line:
        """A controller is there, in the place of any before it."""
        near, far = socket.socketpair()
        with near:
            self.child.tell("link", {"channel": near.fileno()})
        self._lines.append(Line(far))
        return self._lines[-1]

    def put(self, body: bytes, unit: int, watched: Watched | None, *, contract: str = "2.0.0") -> None:
        """An answer of 2.0.0 was sampled."""
        subject = Subject(digest(self.spec), "m", "2.0.0", contract)
        assert self.handoff.put(head(label(subject, watched), 1000, b"", unit), body)

    def metric(self, family: str) -> int:
        """Of all series."""
        reader = SlabReader(self.fds["slab"], SLAB_BYTES)
        try:
            return sum(reader.cells[series.first] for series in reader.series() if series.family == family)
        finally:
            reader.close()

    def close(self) -> None:
        """End it, and let go of everything."""
        if self.child.pid:
            self.kill()
        for line in self._lines:
            line.close()
        self._writer.close()
        for fd in (*self.fds.values(), self.ring):
            os.close(fd)


@contextmanager
def comparer(spec: SnapshotSpec) -> Iterator[ComparerProcess]:
    """One that runs."""
    made = ComparerProcess(spec)
    try:
        yield made
    finally:
        made.close()
