"""Rounds of load on a sidecar with one kind of shadow, each just started, and a row's medians over them."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import bodies, payload
from bench.load import Peak, peak, steady
from bench.peers import LOAD_CORE, PROXY_CORE, TEMPLATES, Peer, Upstream, fill, stepdown
from bench.probes import WORKER
from bench.processes import Program, free_port, running
from bench.rounds import WARM_UP
from bench.shadows.kinds import Kind, serving

PEER = Peer("shadows", "stepdown-shadows.yaml", stepdown, needs=Path(sys.executable))
"""For what loads it: one route, the usual path."""
COMPARER = "stepdown.process.comparer"
"""What is in the command line of the process that sends copies, and in no other's."""
COMPARER_CORE = 2 if (os.cpu_count() or 1) > 2 else LOAD_CORE
"""Where that one runs when it has another core than its worker: one of its own, or else the load's."""
PATIENCE = 10.0
"""Seconds in which it has to be there."""


@dataclass(frozen=True)
class Round:
    """What one round of load found."""

    p50: float
    """Microseconds, as p99."""
    p99: float
    cpu: float
    """Microseconds of the worker's CPU per request."""
    sent: float
    """Share of the requests that went to the shadow."""
    ended: float
    """Copies a second."""


@dataclass
class Row:
    """All rounds beside one kind of shadow."""

    kind: Kind
    apart: bool = False
    """The comparer runs on another core than the worker."""
    rounds: list[Round] = field(default_factory=list)

    def median(self, what: str) -> float:
        """Of one of a round's numbers."""
        return statistics.median(float(getattr(each, what)) for each in self.rounds)

    def over(self, other: Row, what: str) -> float:
        """Median over the rounds of how many times the number is that of the other row in the same round."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(float(getattr(mine, what)) / float(getattr(theirs, what)) for mine, theirs in pairs)


@dataclass(frozen=True)
class Sidecar:
    """One that runs, on a core of its own."""

    program: Program
    port: int
    status: int

    def counted(self, name: str) -> float:
        """Sum over all series of a metric."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status}/metrics") as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}\{{.*\}} (\S+)$", text, re.MULTILINE))


@contextlib.contextmanager
def sidecar(kind: Kind, copies: int, behind: Upstream, *, apart: bool = False) -> Iterator[Sidecar]:
    """A sidecar whose shadow's server is at the port `copies`, for the time of the block.

    All of it runs on one core, but with `apart` for its comparer.
    """
    port, status = free_port(), free_port()
    values = {
        "listen": port,
        "status": status,
        "upstream_v1": behind.v1,
        "copies": copies,
        "percent": kind.percent,
        "path": payload.PATH,
        "peers": TEMPLATES,
    }
    config = fill(PEER.template, behind.folder / "shadows", values)
    with running(PEER.command(config), port=port, core=PROXY_CORE, output=behind.folder / "shadows.log") as program:
        bodies.exchange(port, ask=2, answer=2)
        if apart:
            _move_comparer(program)
        yield Sidecar(program, port, status)


def _move_comparer(program: Program) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (found := program.pids(of=COMPARER)):
        if time.monotonic() > deadline:
            raise RuntimeError("the sidecar has no comparer")
        time.sleep(0.05)
    for pid in found:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {COMPARER_CORE})


def peak_of(kind: Kind, behind: Upstream, seconds: float) -> Peak:
    """The highest rate, for a rate to be chosen by."""
    with serving(kind, behind.folder, 0.0) as copies, sidecar(kind, copies, behind) as one:
        one.program.wait_until_idle()
        peak(PEER, one.program, one.port, min(WARM_UP, seconds))
        return peak(PEER, one.program, one.port, seconds)


def measure(row: Row, behind: Upstream, seconds: float, rate: float, usual: float) -> None:
    """Add one round at `rate` requests a second; `usual` as for `serving`."""
    with serving(row.kind, behind.folder, usual) as copies, sidecar(row.kind, copies, behind, apart=row.apart) as one:
        one.program.wait_until_idle()
        steady(one.port, rate, min(WARM_UP, seconds))
        ended, cpu = one.counted("stepdown_shadow_copies_total"), one.program.cpu(of=WORKER)
        found = steady(one.port, rate, seconds)
        cpu = one.program.cpu(of=WORKER) - cpu
        ended = one.counted("stepdown_shadow_copies_total") - ended
    per_request = cpu / found.requests * 1e6
    row.rounds.append(Round(found.p50, found.p99, per_request, ended / found.requests, ended / found.took))
