"""The promises as numbers: what was measured against what is promised (docs/design.md names them)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.probes import Memories
from bench.rounds import Row


@dataclass(frozen=True)
class Promise:
    """One bound; `measured` and `bound` are in the unit that `what` names."""

    what: str
    measured: float
    bound: float

    @property
    def kept(self) -> bool:
        return self.measured <= self.bound


def promises(rows: Mapping[str, Row], cold: float | None, memory: Memories | None) -> list[Promise]:
    """Those that the rows of this run allow to judge."""
    return [*_ratios(rows), *_alone(cold, memory)]


def _ratios(rows: Mapping[str, Row]) -> Iterator[Promise]:
    for name, other, bound in (
        ("stepdown", "nginx", 1.5),
        ("stepdown", "envoy", 0.62),
        ("stepdown adapting", "nginx + LuaJIT", 1.0),
        ("stepdown adapting", "nginx + njs", 1.0),
        ("stepdown, 1000 routes, 1 asked", "stepdown", 1.1),
        ("stepdown, 1000 routes asked", "stepdown", 1.1),
        ("stepdown, 2 workers", "stepdown", 1.05),
    ):
        if name in rows and other in rows:
            yield Promise(f"CPU per request: {name} / {other}", rows[name].cpu / rows[other].cpu, bound)
    if "stepdown" in rows and "envoy" in rows:
        ours, theirs = rows["stepdown"], rows["envoy"]
        if ours.p50 and theirs.p50 and ours.p99 and theirs.p99:
            yield Promise("p50 at a given rate: stepdown / envoy", ours.p50 / theirs.p50, 1.0)
            yield Promise("p99 at a given rate: stepdown / envoy", ours.p99 / theirs.p99, 1.0)


def _alone(cold: float | None, memory: Memories | None) -> Iterator[Promise]:
    if cold is not None:
        yield Promise("cold start to first answer, s", cold, 0.7)
    if memory is not None:
        yield Promise("memory of a worker, MiB", memory.worker, 60)
        yield Promise("memory of the sidecar with one worker, MiB", memory.sidecar, 150)
        yield Promise("more for a request body of 1 GiB, MiB", memory.body_asked, 32)
        yield Promise("more for an answer of 1 GiB, MiB", memory.body_answered, 32)
        yield Promise("more for 10,000 idle connections, MiB", memory.connections, 150)
