"""A worker process on its tether: how it begins, and all the ways in which it ends."""

from __future__ import annotations

import os
import signal

from stepdown.decide.spec import Chain, Step, digest, encode
from stepdown.process.settings import SLAB_BYTES
from stepdown.process.shield import EXIT_ORPHANED
from stepdown.process.worker import EXIT_SPECIFICATION
from stepdown.telemetry.slab import SlabReader
from tests.kit import specs
from tests.kit.client import ask
from tests.kit.load import REQUEST
from tests.kit.looping import LoopThread
from tests.kit.upstream import Upstream
from tests.kit.worker_process import worker


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
