"""Several ways to do the same work, timed in turns.

Ratios are what is judged, so all that disturbs must disturb all alike: short slices, one way after the other, many
times over. A slice counts the thread's own time on the CPU, so that other programs on the machine take nothing from
it but their share of the caches; the least of a way's slices is what it costs when nothing at all was in its way.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat

SLICE = 0.002
"""Seconds that a slice takes at least: thousands of times what reading the clock takes."""


@dataclass(frozen=True)
class Cost:
    """Of one call of one way, in microseconds of CPU."""

    least: float
    median: float


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int, at_least: float = SLICE) -> dict[str, Cost]:
    """Cost of each way over `rounds` slices, under its name; `at_least` is in seconds."""
    calls = {name: _calls(way, at_least) for name, way in ways.items()}
    slices: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.freeze()  # what the process holds anyway is no way's to search for garbage
    try:
        for _ in range(rounds):
            for name, way in ways.items():
                slices[name].append(_seconds(way, calls[name]) / calls[name] * 1e6)
    finally:
        gc.unfreeze()
    return {name: Cost(min(costs), statistics.median(costs)) for name, costs in slices.items()}


def _calls(way: Callable[[], object], at_least: float) -> int:
    """How many calls fill a slice; finding out warms the code up as well."""
    calls = 1
    while _seconds(way, calls) < at_least:
        calls *= 2
    return calls


def _seconds(way: Callable[[], object], calls: int) -> float:
    start = time.thread_time()
    for _ in repeat(None, calls):
        way()
    return time.thread_time() - start
