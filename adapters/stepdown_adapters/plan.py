"""Finds the chain of adapters from every served version to every version that a client may want.

The graph has an edge for each declared adapter and each projection. A chain is the better the fewer lossy steps it
has, then the fewer steps, and among equals the one that stays on the newest versions the longest.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stepdown_adapters.versions import Version


@dataclass(frozen=True, slots=True)
class Edge:
    """One step, from the shape of `source` to that of `target` (canonical version texts)."""

    source: str
    target: str
    lossless: bool = True


@dataclass(frozen=True)
class Plan:
    """The chains of one model."""

    chains: Mapping[tuple[str, str], tuple[Edge, ...]]
    """`(served, pinned)` to its steps in order; every reachable pair that is not of equal versions."""
    declared: Sequence[str]
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    leaving: Mapping[str, Sequence[Edge]] = field(default_factory=dict)
    """All steps by the version that they start from."""
    refusals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Steps that are declared to be impossible, with the reason as half a sentence."""

    def why(self, served: str, pinned: str) -> str:
        """What else than the chain could have been taken, and what is worse about it; empty if it is the only way."""
        chosen = self.chains[served, pinned]
        remarks: list[str] = []
        for index, edge in enumerate(chosen):
            for other in self.leaving.get(edge.source, ()):
                if other != edge:
                    remarks += self._against(other, chosen[index:], pinned)
        return "; ".join(remarks)

    def _against(self, other: Edge, chosen: Sequence[Edge], pinned: str) -> Iterator[str]:
        """What is worse about leaving the chosen way by another step."""
        onwards = () if other.target == pinned else self.chains.get((other.target, pinned))
        if onwards is None:
            yield f"{other.target}, from {other.source}, is a dead end: {self.missing(other.target, pinned)}"
            return
        if any(edge.target == other.source for edge in onwards):
            return  # a circle is no way of its own
        way = (other, *onwards)
        name = " -> ".join((other.source, *(edge.target for edge in way)))
        lossy, fewest = _lossy(way), _lossy(chosen)
        if lossy != fewest:
            yield f"{name} has {_counted(lossy, 'lossy step')} instead of {fewest}"
        elif len(way) != len(chosen):
            yield f"{name} has {_counted(len(way), 'step')} instead of {len(chosen)}"
        else:
            yield f"{name} is as good, and the way over the newer versions is taken"

    def missing(self, served: str, pinned: str) -> str:
        """One sentence that names the adapter without which `pinned` cannot be reached from `served`.

        Where such a step is declared to be impossible, it says so, with the reason.
        """
        precedence = {version: Version.parse(version) for version in (*self.declared, served, pinned)}
        ahead = [version for version in precedence if version == served or (served, version) in self.chains]
        behind = [version for version in precedence if version == pinned or self._leads(version, pinned)]
        refused = self.refused(served, pinned)
        if refused is not None:
            return f"{' -> '.join(refused)} is refused: {self.refusals[refused]}"
        # The narrowest gap: step down as far as adapters lead, but not below what is wanted.
        source = min(ahead, key=lambda version: (precedence[version] < precedence[pinned], precedence[version]))
        between = [version for version in behind if precedence[version] <= precedence[source]]
        target = max(between, key=precedence.__getitem__, default=pinned)
        reason = self.reasons.get((source, target))
        differ = f" and the contracts differ{reason}" if reason else ""
        return f"{source} -> {target}: no adapter is declared{differ}"

    def refused(self, served: str, pinned: str) -> tuple[str, str] | None:
        """The first refusal but for which, and those behind it, there would be a way from `served` to `pinned`."""
        for source, target in self.refusals:
            if (served == source or self._leads(served, source)) and (
                target == pinned or self._leads(target, pinned) or self.refused(target, pinned) is not None
            ):
                return source, target
        return None

    def _leads(self, version: str, pinned: str) -> bool:
        return (version, pinned) in self.chains


def plan_chains(
    served: Sequence[str],
    declared: Sequence[str],
    edges: Sequence[Edge],
    reasons: Mapping[tuple[str, str], str] | None = None,
    refusals: Mapping[tuple[str, str], str] | None = None,
) -> Plan:
    """Plans all chains among `declared` versions, from the `served` ones and, for `Plan.missing`, from the others too.

    `reasons` says for a pair without an edge why none could be derived, as the tail of "the contracts differ": for
    instance `" at /outputs: 'maxItems' is 2 instead of 1"` from `diff.Unprojectable`.
    `refusals` are steps that are declared to be impossible: no chain leads over them, and `Plan.missing` says why.
    """
    ends = [end for edge in edges for end in (edge.source, edge.target)]
    order = sorted({*declared, *served, *ends}, key=Version.parse, reverse=True)
    rank = {version: index for index, version in enumerate(order)}
    leaving: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        leaving[edge.source].append(edge)
    chains: dict[tuple[str, str], tuple[Edge, ...]] = {}
    for start in order:
        for target, chain in _best_chains(start, leaving, rank):
            chains[start, target] = chain
    return Plan(chains, tuple(order), dict(reasons or {}), dict(leaving), dict(refusals or {}))


def _lossy(way: Sequence[Edge]) -> int:
    return sum(not edge.lossless for edge in way)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _best_chains(
    start: str, leaving: Mapping[str, Sequence[Edge]], rank: Mapping[str, int]
) -> Iterable[tuple[str, tuple[Edge, ...]]]:
    """Dijkstra's algorithm over (lossy steps, steps, ranks of the versions passed); the newest version has rank 0."""
    waiting: list[tuple[int, int, tuple[int, ...], str, tuple[Edge, ...]]] = [(0, 0, (), start, ())]
    done: set[str] = set()
    while waiting:
        lossy, length, passed, version, chain = heapq.heappop(waiting)
        if version in done:
            continue
        done.add(version)
        if chain:
            yield version, chain
        for edge in leaving.get(version, ()):
            if edge.target not in done:
                key = (lossy + (not edge.lossless), length + 1, (*passed, rank[edge.target]))
                heapq.heappush(waiting, (*key, edge.target, (*chain, edge)))
