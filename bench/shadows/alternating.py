"""Load on two routes of one sidecar in turns: for a second on the one, for the next one on the other.

Both get the very same gaps between requests, and their places change after each pair (0 1 1 0), so that neither what
the machine does nor what drifts falls on one of them more than on the other. A block's first quarter is left out: what
the other route has begun still goes on in it.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import payload
from bench.steady import OpenLoop, percentile, poisson, requests

WITHOUT = f"{payload.PATH}/without"
"""Of the second route's requests; the first one's have the usual path."""
BLOCK = 1.0
"""Seconds on one route."""
QUARTER = 0.25
"""Seconds; as often a sidecar's clock ticks, so what it does at each tick is in every one of them."""
_BLOCK, _QUARTER = int(BLOCK * 1e9), int(QUARTER * 1e9)


@dataclass(frozen=True)
class Block:
    """What a second on one route found, all in microseconds."""

    p50: float
    p99: float
    quiet: float
    """The median of the p99s of its quarters: what comes about once a second is in one of them."""
    cpu: float
    """Of the worker, per request."""
    requests: int


def route_of(block: int) -> int:
    """0 or 1."""
    return (0, 1, 1, 0)[block % 4]


def due_in(blocks: int, rate: float) -> list[int]:
    """Nanoseconds at which requests are due; both blocks of a pair have the same ones."""
    return [number * _BLOCK + at for number in range(blocks) for at in poisson(rate, BLOCK, number // 2)]


class Alternating(OpenLoop):
    """Notes what `worker`, a process, has used when a block begins."""

    def __init__(self, port: int, due: Sequence[int], worker: int) -> None:
        both = requests(), requests(WITHOUT)
        asked = [both[route_of(at // _BLOCK)][number % len(both[0])] for number, at in enumerate(due)]
        super().__init__(port, due, asked)
        self._used = Path(f"/proc/{worker}/schedstat")
        self.used: list[int] = []
        """Nanoseconds of CPU, at the first request of each block, and at the end."""

    def _ask(self, connection: int, number: int, now: int) -> None:
        if self._due[number] // _BLOCK == len(self.used):
            self.note()
        super()._ask(connection, number, now)

    def note(self) -> None:
        """Note what was used by now."""
        self.used.append(int(self._used.read_bytes().split()[0]))

    def blocks(self) -> list[Block]:
        """Load, and give what was found, in order."""
        answered = self.run()
        self.note()
        found: list[dict[int, list[int]]] = [{} for _ in self.used[1:]]
        for due, latency in answered:
            found[due // _BLOCK].setdefault(due % _BLOCK // _QUARTER, []).append(latency)
        return [_block(quarters, self.used[place + 1] - self.used[place]) for place, quarters in enumerate(found)]


def _block(quarters: dict[int, list[int]], used: int) -> Block:
    asked = sum(map(len, quarters.values()))
    kept = [latencies for quarter, latencies in quarters.items() if quarter]
    latencies = [latency for quarter in kept for latency in quarter]
    quiet = statistics.median(percentile(quarter, 99) for quarter in kept)
    return Block(percentile(latencies, 50), percentile(latencies, 99), quiet, used / 1e3 / asked, asked)


def main() -> None:
    """`python -m bench.shadows.alternating PORT RATE PAIRS WORKER`: prints two blocks for each pair, as JSON."""
    port, rate, pairs, worker = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    blocks = Alternating(port, due_in(2 * pairs, rate), worker).blocks()
    print(json.dumps([asdict(block) for block in blocks]))


if __name__ == "__main__":
    main()
