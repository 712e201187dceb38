"""Who would move: outcomes of recorded requests before and after a change, counted, and scaled to all requests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepdown.decide.records import Record
from stepdown.decide.replay import Outcome

EXAMPLES = 3
"""Requests that are named of each move."""
Z = 1.959964
"""Of a 95 % interval."""

Pair = tuple[str, str]
"""From and to."""


@dataclass(slots=True)
class Sample:
    """How much of what was recorded, and how much of all requests that stands for."""

    records: int = 0
    requests: float = 0.0
    """Requests that the records stand for: each record for 1 / `sample`."""
    squares: float = 0.0

    def add(self, sample: float) -> None:
        """One more record, made at this sampling rate."""
        self.records += 1
        self.requests += 1 / sample
        self.squares += 1 / sample**2

    def interval(self, share: float) -> tuple[float, float]:
        """Where the share among all requests is, with 95 % confidence.

        Wilson's interval (1927) for as many equally weighted records as these are worth (Kish's effective sample size),
        with the correction for a finite population: where every request is on record nothing is left to chance.
        """
        if not self.records:
            return 0.0, 1.0
        size = self.requests**2 / self.squares
        left_out = max(0.0, 1 - self.records / self.requests)
        z2 = Z**2 * left_out
        centre = (share + z2 / (2 * size)) / (1 + z2 / size)
        half = math.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(slots=True)
class Group:
    """Requests that were alike before: of one route and rule, with a key or drawn for."""

    all: Sample = field(default_factory=Sample)
    moved: Sample = field(default_factory=Sample)
    """Those of which the version, the shape or a refusal is another one."""
    refused_before: Sample = field(default_factory=Sample)
    refused_after: Sample = field(default_factory=Sample)
    assigned: Counter[Pair] = field(default_factory=Counter)
    """Records by version before and after; `route/version` after, where the route is another one."""
    pinned: Counter[Pair] = field(default_factory=Counter)
    """Records by shape."""
    routes: Counter[Pair] = field(default_factory=Counter)
    """Records by `route/rule` before and after, where they differ."""
    examples: dict[Pair, list[dict[str, str]]] = field(default_factory=dict)
    """Of each move between versions."""

    def add(self, record: Record, before: Outcome, after: Outcome) -> None:
        """One more request."""
        sample = record.sample
        self.all.add(sample)
        versions = (before.to, after.to if after.model == before.model else f"{after.model} {after.to}".strip())
        shapes = (before.shape, after.shape if after.model == before.model else f"{after.model} {after.shape}".strip())
        self.assigned[versions] += 1
        self.pinned[shapes] += 1
        if before.error:
            self.refused_before.add(sample)
        if after.error:
            self.refused_after.add(sample)
        places = (_place(before), _place(after))
        if places[0] != places[1] and after.rule:
            self.routes[places] += 1
        if versions[0] != versions[1] or shapes[0] != shapes[1]:
            self.moved.add(sample)
            named = self.examples.setdefault(versions, [])
            if len(named) < EXAMPLES:
                named.append(_named(record))

    @property
    def share(self) -> float:
        """Share of the requests that move."""
        return self.moved.requests / self.all.requests if self.all.records else 0.0

    @property
    def changes(self) -> bool:
        """Whether anything becomes of any of them: another version, shape, rule or refusal."""
        return bool(self.moved.records or self.routes)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        low, high = self.all.interval(self.share)
        return {
            "records": self.all.records,
            "requests": round(self.all.requests),
            "moved": {
                "records": self.moved.records,
                "requests": round(self.moved.requests),
                "share": self.share,
                "interval": [low, high],
            },
            "refused": {"before": self.refused_before.records, "after": self.refused_after.records},
            "assigned": _matrix(self.assigned),
            "pinned": _matrix(self.pinned),
            "rules": _matrix(self.routes),
            "examples": [
                {"from": pair[0], "to": pair[1], "requests": requests} for pair, requests in self.examples.items()
            ],
        }


@dataclass(slots=True)
class Moves:
    """All that a replay has found."""

    groups: dict[tuple[str, str, bool], Group] = field(default_factory=dict)
    """By route, rule and whether the request had to be drawn for, as it was decided before."""
    whole: Group = field(default_factory=Group)
    overridden: int = 0
    """Records of requests whose caller had asked for a server: what would become of them is the caller's to say."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Records that cannot be decided again, by what is not on record."""
    configs: Counter[str] = field(default_factory=Counter)
    """Records by the configuration that decided."""

    def add(self, record: Record, before: Outcome, after: Outcome) -> None:
        """One request that was decided again."""
        key = (before.route, before.rule, before.drawn)
        self.groups.setdefault(key, Group()).add(record, before, after)
        self.whole.add(record, before, after)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "configs": dict(self.configs),
            "overridden": self.overridden,
            "undecided": dict(self.unknown),
            "whole": self.whole.as_json(),
            "groups": [
                {"route": route, "rule": rule, "drawn": drawn} | group.as_json()
                for (route, rule, drawn), group in sorted(self.groups.items())
            ],
        }


def _place(outcome: Outcome) -> str:
    return f"{outcome.route}/{outcome.rule}" if outcome.rule else outcome.route


def _matrix(counts: Mapping[Pair, int]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"from": before, "to": after, "records": count} for (before, after), count in ordered]


def _named(record: Record) -> dict[str, str]:
    """Enough to find the request again; no value that a client sent but its path."""
    return {"time": record.time, "method": record.method, "host": record.host, "path": record.path}
