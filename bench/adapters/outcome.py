"""What was measured of adapters, as tables and as promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.adapters import streams
from bench.adapters.many import Checked
from bench.adapters.turns import Cost
from bench.adapters.ways import BY_HAND, COMPILED, COPY
from bench.page import Table
from bench.promises import Promise

Shape = tuple[int, int]


@dataclass(frozen=True)
class Outcome:
    """All of one run."""

    chain: Mapping[str, Cost]
    """By way."""
    tensors: Mapping[Shape, Mapping[str, Cost]]
    """By shape, then by way."""
    checks: Mapping[int, Checked]
    """By number of versions."""
    streams: Mapping[str, Cost]
    """By way."""


def tables(outcome: Outcome) -> list[Table]:
    """One for each kind of work."""
    hand = outcome.chain[BY_HAND].least
    ranked = sorted(outcome.chain.items(), key=lambda way: way[1].least)
    chain = [(name, f"{c.least:.1f}", f"{c.median:.1f}", f"{c.least / hand:.2f}") for name, c in ranked]
    tensors = [
        (f"{list(shape)}", f"{ways[COMPILED].least:.1f}", f"{ways[COPY].least:.1f}", f"{_tensor(ways):.2f}")
        for shape, ways in outcome.tensors.items()
    ]
    checks = [(f"{count}", f"{check.wall:.2f}", f"{check.cpu:.2f}") for count, check in outcome.checks.items()]
    events = [(name, f"{cost.least:.1f}", f"{cost.median:.1f}") for name, cost in outcome.streams.items()]
    return [
        Table(("three steps over 1 KB", "µs", "median µs", "/ by hand"), chain),
        Table(("512 doubles to predictions", "chain µs", "orjson µs", "chain / orjson"), tensors),
        Table(("server-sent events of a chat", "µs", "median µs"), events),
        Table(("versions checked", "wall s", "CPU s"), checks),
    ]


def promises(outcome: Outcome) -> list[Promise]:
    """Each bound with what this run says of it."""
    return list(_promises(outcome))


def _promises(outcome: Outcome) -> Iterator[Promise]:
    yield Promise(
        "three steps over 1 KB: compiled chain / by hand",
        outcome.chain[COMPILED].least / outcome.chain[BY_HAND].least,
        1.5,
    )
    for shape, ways in outcome.tensors.items():
        yield Promise(f"tensor {list(shape)} to predictions: chain / orjson loads + dumps", _tensor(ways), 1.2)
    yield Promise("an adapted event of a stream, µs", outcome.streams[streams.TOUCHED].least, streams.BOUND)
    most = max(outcome.checks)
    yield Promise(f"check of {most} versions with {most - 1} adapters, wall s", outcome.checks[most].wall, 2)


def _tensor(ways: Mapping[str, Cost]) -> float:
    return ways[COMPILED].least / ways[COPY].least
