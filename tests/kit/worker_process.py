"""One worker process on its tether, with the test as its parent and without any controller."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from stepdown.decide.spec import SnapshotSpec, encode
from stepdown.process import held, ports
from stepdown.process.child import Child
from stepdown.process.parent import WORKER
from stepdown.process.settings import RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.tether import Received, Tether
from tests.kit.looping import PATIENCE

SETTINGS = Settings("none.yaml", ("127.0.0.1", 0), None, None, 1, 1, 0.0, 1.0, "plain")


class Running:
    """The process, and what the parent holds for it."""

    def __init__(self, child: Child, tether: Tether, listening: socket.socket, slab: int) -> None:
        self.child = child
        self.tether = tether
        self.port = int(listening.getsockname()[1])
        self.slab = slab

    def receive(self) -> Received:
        """Its next message."""
        assert select.select([self.tether], [], [], PATIENCE)[0]
        message = self.tether.receive()
        assert message is not None
        return message

    def exit_code(self) -> int:
        """Once it has ended by itself."""
        pid, status = os.waitpid(self.child.pid, 0)
        assert pid
        self.child.pid = 0
        return os.waitstatus_to_exitcode(status)


@contextmanager
def worker(spec: SnapshotSpec) -> Iterator[Running]:
    """A worker that begins with this specification."""
    child = Child(WORKER)
    tether = child.start(time.monotonic())
    (listening,) = ports.bind("listen", SETTINGS.listen)
    fds = {
        "listen": listening.fileno(),
        "slab": held.blank("slab", SLAB_BYTES),
        "spec": held.hold("spec", encode(spec)),
        "ring": held.blank("ring", RING_BYTES),
        "bell": os.eventfd(0),
    }
    try:
        child.tell("start", fds, index=0, settings=SETTINGS.to_json())
        yield Running(child, tether, listening, fds["slab"])
    finally:
        if child.pid:
            child.kill()
            os.waitpid(child.pid, 0)
        tether.close()
        listening.close()
        for name in ("slab", "spec", "ring", "bell"):
            os.close(fds[name])
