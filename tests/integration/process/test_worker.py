"""One worker process on its tether, with the test as its parent and without any controller."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from stepdown.decide.spec import Chain, SnapshotSpec, Step, digest, encode
from stepdown.process import held, ports
from stepdown.process.child import Child
from stepdown.process.parent import WORKER
from stepdown.process.settings import RING_BYTES, SLAB_BYTES, Settings
from stepdown.process.shield import EXIT_ORPHANED
from stepdown.process.tether import Received, Tether
from stepdown.process.worker import EXIT_SPECIFICATION
from stepdown.telemetry.slab import SlabReader
from tests.kit import specs
from tests.kit.client import ask
from tests.kit.load import REQUEST
from tests.kit.looping import PATIENCE, LoopThread
from tests.kit.upstream import Upstream

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


def test_a_worker_serves_with_what_the_parent_holds_and_counts_in_its_memory() -> None:
    with LoopThread() as thread, Upstream(thread) as upstream:
        spec = specs.plain(upstream.port)
        with worker(spec) as running:
            said = running.receive()
            assert (said.kind, said.facts) == ("listening", {"digest": digest(encode(spec))})
            assert ask(running.port, REQUEST, "POST").status == 200
            reader = SlabReader(running.slab, SLAB_BYTES)
            counted = sum(
                reader.cells[series.first] for series in reader.series() if series.family == "stepdown_requests_total"
            )
            reader.close()
            assert counted == 1


def test_a_drained_worker_ends_with_0() -> None:
    with worker(specs.plain(1)) as running:
        running.receive()
        running.child.tell("drain", grace=1.0)
        assert running.exit_code() == 0


def test_a_worker_whose_parent_is_gone_ends_at_once() -> None:
    with worker(specs.plain(1)) as running:
        running.receive()
        running.tether.close()
        assert running.exit_code() == EXIT_ORPHANED


def test_a_worker_that_cannot_compile_its_specification_says_why() -> None:
    step = Step(source="2.0.0", target="1.0.0", hook="no_such_module:adapt")
    model = specs.model(
        specs.version("1.0.0"),
        specs.version("2.0.0", 1),
        default="1.0.0",
        chains=(Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),),
    )
    with worker(specs.snapshot(specs.route({"2.0.0": 100}), models=[model])) as running:
        assert running.exit_code() == EXIT_SPECIFICATION


def test_signals_that_are_the_parents_business_never_reach_it() -> None:
    with worker(specs.plain(1)) as running:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(running.child.pid, number)  # also before its first instruction
        assert running.receive().kind == "listening"


def test_a_child_that_takes_no_messages_is_ended() -> None:
    with worker(specs.plain(1)) as running:
        running.receive()
        os.kill(running.child.pid, signal.SIGSTOP)
        for _ in range(100_000):
            running.child.tell("nothing", text="x" * 1000)
            if os.waitid(os.P_PID, running.child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
        assert running.exit_code() == -signal.SIGKILL
