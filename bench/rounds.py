"""Short rounds of load, each on a proxy just started, and a row's medians over them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from bench.load import Peak, Steady, peak, steady
from bench.peers import Peer, Upstream, proxy
from bench.processes import Program

WARM_UP = 1.0
"""Seconds."""


@dataclass
class Row:
    """All rounds of one proxy; the properties are medians over them."""

    peer: Peer
    peaks: list[Peak] = field(default_factory=list)
    steadies: list[Steady] = field(default_factory=list)
    loaded: list[float] = field(default_factory=list)
    """MiB after each round (proportional set size)."""

    @property
    def rate(self) -> float:
        return statistics.median(round.rate for round in self.peaks)

    @property
    def cpu(self) -> float:
        return statistics.median(round.cpu for round in self.peaks)

    @property
    def busy(self) -> float:
        return statistics.median(round.busy for round in self.peaks)

    @property
    def memory(self) -> float:
        return statistics.median(self.loaded)

    @property
    def p50(self) -> float | None:
        return statistics.median(round.p50 for round in self.steadies) if self.steadies else None

    @property
    def p99(self) -> float | None:
        return statistics.median(round.p99 for round in self.steadies) if self.steadies else None

    @property
    def spread(self) -> float:
        """How far the costs of the rounds lie apart, as a share of their median."""
        costs = [round.cpu for round in self.peaks]
        return (max(costs) - min(costs)) / self.cpu


def warm_up(peer: Peer, program: Program, port: int) -> None:
    """Let start-up end, then load without measuring: connections are made, code is warm."""
    program.wait_until_idle()
    peak(peer, program, port, WARM_UP)


def peak_round(row: Row, behind: Upstream, seconds: float) -> None:
    """Add one round at the highest rate."""
    with proxy(row.peer, behind) as (program, port):
        warm_up(row.peer, program, port)
        row.peaks.append(peak(row.peer, program, port, seconds))
        row.loaded.append(program.memory())


def steady_round(row: Row, behind: Upstream, seconds: float, rate: float) -> None:
    """Add one round at `rate` requests per second."""
    with proxy(row.peer, behind) as (program, port):
        warm_up(row.peer, program, port)
        row.steadies.append(steady(port, rate, seconds))
