"""Rounds of load on a sidecar with one kind of shadow, and in turns on one without, and what they found."""

from __future__ import annotations

import contextlib
import re
import statistics
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench import bodies, payload
from bench.load import Peak, peak, steady
from bench.peers import PROXY_CORE, TEMPLATES, Peer, Upstream, fill, stepdown
from bench.probes import WORKER
from bench.processes import Program, free_port, running
from bench.rounds import WARM_UP
from bench.shadows.kinds import NONE, Kind, serving

PEER = Peer("shadows", "stepdown-shadows.yaml", stepdown, needs=Path(sys.executable))
"""For what loads it: one route, the usual path."""


@dataclass(frozen=True)
class Round:
    """What one round of load found."""

    p50: float
    """Microseconds, as p99."""
    p99: float
    quarters: list[float]
    """The p99 of each quarter of a second."""
    cpu: float
    """Microseconds of the worker's CPU per request."""
    sent: float
    """Share of the requests that went to the shadow."""
    ended: float
    """Copies a second."""


@dataclass
class Row:
    """All rounds beside one kind of shadow, and as many of another sidecar without one, in turns."""

    kind: Kind
    rounds: list[Round] = field(default_factory=list)
    without: list[Round] = field(default_factory=list)

    def median(self, what: str) -> float:
        """Of one of a round's numbers."""
        return _median(self.rounds, what)

    def over(self, what: str) -> float:
        """How much more the median is than without a shadow."""
        return _median(self.rounds, what) - _median(self.without, what)

    @property
    def quiet(self) -> float:
        """The p99 in quarters of a second in which little else was in the way."""
        return _quiet(self.rounds)

    @property
    def times(self) -> float:
        """Median over the turns of how many times that is what it was without a shadow right before or after."""
        pairs = zip(self.rounds, self.without, strict=True)
        return statistics.median(_quiet([mine]) / _quiet([theirs]) for mine, theirs in pairs)


def _median(rounds: Sequence[Round], what: str) -> float:
    return statistics.median(float(getattr(each, what)) for each in rounds)


def _quiet(rounds: Sequence[Round]) -> float:
    """The lower quartile of all quarters of a second."""
    return statistics.quantiles(one for each in rounds for one in each.quarters)[0]


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


class Turns(NamedTuple):
    """How each of two sidecars is loaded."""

    times: int
    seconds: float
    """Of each."""
    rate: float
    """Requests a second."""


def measure(row: Row, behind: Upstream, turns: Turns, usual: float) -> None:
    """Load a sidecar with the shadow and one without it in turns; `usual` as for `serving`.

    Both run all the time, and the one that is not loaded does nothing.
    """
    times, seconds, rate = turns
    with (
        serving(row.kind, behind.folder, usual) as copies,
        sidecar(row.kind, copies, behind) as one,
        sidecar(NONE, copies, behind) as other,
    ):
        both = [(one, row.rounds), (other, row.without)]
        for each, _ in both:
            each.program.wait_until_idle()
            steady(each.port, rate, min(WARM_UP, seconds))
        for number in range(times):
            for each, rounds in reversed(both) if number % 2 else both:
                rounds.append(_round(each, seconds, rate))


def _round(one: Sidecar, seconds: float, rate: float) -> Round:
    ended, cpu = one.counted("stepdown_shadow_copies_total"), one.program.cpu(of=WORKER)
    found = steady(one.port, rate, seconds)
    cpu = one.program.cpu(of=WORKER) - cpu
    ended = one.counted("stepdown_shadow_copies_total") - ended
    share = ended / found.requests
    return Round(found.p50, found.p99, found.quarters, cpu / found.requests * 1e6, share, ended / found.took)
