"""Load on sidecars beside one kind of shadow, and in turns on a route without one, and what was found."""

from __future__ import annotations

import contextlib
import re
import statistics
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench import bodies, payload
from bench.load import Peak, found_by, peak, steady
from bench.peers import PROXY_CORE, TEMPLATES, Peer, Upstream, fill, stepdown
from bench.probes import WORKER
from bench.processes import Program, free_port, running
from bench.rounds import WARM_UP
from bench.shadows.alternating import BLOCK, WITHOUT, Block, route_of
from bench.shadows.kinds import Kind, serving

PEER = Peer("shadows", "stepdown-shadows.yaml", stepdown, needs=Path(sys.executable))
"""For what loads it at the highest rate: one route, the usual path."""
SETTLED = 3.0
"""Seconds until the comparer has sent what workers gave it before it knew how busy they are."""
PROGRAM = "bench.shadows.alternating"
COPIES = "stepdown_shadow_copies_total"


@dataclass
class Row:
    """All seconds on the route with one kind of shadow, and each with the one on the route without beside it."""

    kind: Kind
    beside: list[Block] = field(default_factory=list)
    without: list[Block] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    """Share of the requests that went to the shadow, in each run."""
    copies: list[float] = field(default_factory=list)
    """Those that ended, a second, in each run."""

    def median(self, what: str) -> float:
        """Of one of a block's numbers, on the route with the shadow."""
        return statistics.median(float(getattr(each, what)) for each in self.beside)

    def times(self, what: str) -> float:
        """Median over the pairs of how many times a number is what it is without a shadow."""
        return statistics.median(self._ratios(what))

    def between(self, what: str) -> tuple[float, float]:
        """Where that lies with a confidence of 95 %: order statistics, whose ranks are a binomial's quantiles."""
        ratios = sorted(self._ratios(what))
        out = int(max(0.0, len(ratios) / 2 - 0.98 * len(ratios) ** 0.5))
        return ratios[out], ratios[-1 - out]

    def _ratios(self, what: str) -> list[float]:
        pairs = zip(self.beside, self.without, strict=True)
        return [getattr(mine, what) / getattr(theirs, what) for mine, theirs in pairs]


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
def sidecar(kind: Kind, copies: int, behind: Upstream) -> Iterator[Sidecar]:
    """A sidecar whose shadow's server is at the port `copies`, all of it on one core, for the time of the block."""
    port, status = free_port(), free_port()
    values = {
        "listen": port,
        "status": status,
        "upstream_v1": behind.v1,
        "copies": copies,
        "percent": kind.percent,
        "path": payload.PATH,
        "without": WITHOUT,
        "peers": TEMPLATES,
    }
    folder = behind.folder / f"sidecar-{port}"
    config = fill(PEER.template, folder, values)
    with running(PEER.command(config), port=port, core=PROXY_CORE, output=folder.with_suffix(".log")) as program:
        bodies.exchange(port, ask=2, answer=2)
        yield Sidecar(program, port, status)


def peak_of(kind: Kind, behind: Upstream, seconds: float) -> Peak:
    """The highest rate, for a rate to be chosen by."""
    with serving(kind, behind.folder, 0.0) as copies, sidecar(kind, copies, behind) as one:
        one.program.wait_until_idle()
        peak(PEER, one.program, one.port, min(WARM_UP, seconds))
        return peak(PEER, one.program, one.port, seconds)


class Runs(NamedTuple):
    """How a row is measured."""

    times: int
    """Each with a sidecar of its own: where a process has its memory makes a difference of some percent."""
    pairs: int
    """Seconds on each of its two routes."""
    rate: float
    """Requests a second."""


def measure(row: Row, behind: Upstream, runs: Runs, usual: float) -> None:
    """Load sidecars on a route with the shadow and on one without it in turns; `usual` as for `serving`."""
    for _ in range(runs.times):
        with serving(row.kind, behind.folder, usual) as copies, sidecar(row.kind, copies, behind) as one:
            one.program.wait_until_idle()
            (worker,) = one.program.pids(of=WORKER)
            # Before kernel threads too, which stop it for milliseconds; the comparer comes last in any case.
            one.program.go_first(of=WORKER)
            steady(one.port, runs.rate, SETTLED)
            before = one.counted(COPIES)
            blocks = [Block(**found) for found in found_by(PROGRAM, one.port, runs.rate, runs.pairs, worker)]
            ended = one.counted(COPIES) - before
        mine = [block for place, block in enumerate(blocks) if not route_of(place)]
        row.beside += mine
        row.without += [block for place, block in enumerate(blocks) if route_of(place)]
        row.sent.append(ended / sum(block.requests for block in mine))
        row.copies.append(ended / (len(mine) * BLOCK))
