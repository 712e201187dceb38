"""What is found out about answers, as evidence of the rollouts that are driven: broken contracts, and differences.

**Broken contracts.** A sample says whose evidence it is (`decide.checks`). Its unit is a trial once it was held against
one contract, and an event once it broke one: that of the version that served, or that of the shape in which its client
got it. What was not sampled, or could not be held against anything, is neither.

**Differences.** A copy to a candidate is a trial at the stage that was in force when it was taken, if its answer and
that of stable could be compared. What a third version served says nothing about these two.

Both are counted only where a guard asks for them, and sent in batches like those of a worker (`plane.evidence_books`).
A comparer that dies loses what it had not sent, and its successor is another source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stepdown.comparer.contracts import KEPT
from stepdown.comparer.pairing import Pair
from stepdown.comparison.book import Result
from stepdown.decide.checks import Sample, asks
from stepdown.decide.driving import place_of
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.evidence_books import Books
from stepdown.rollout.counts import CONTRACT_VIOLATIONS, SHADOW_DIFFERENT


class Stage(NamedTuple):
    """Where a rollout stands in one configuration, as far as copies are concerned."""

    rollout: str
    run: int
    place: int
    """Of the step, from 0."""
    stable: str
    candidate: str


class Reader:
    """Keeps the book of a run as long as a configuration may bring something for it."""

    __slots__ = ("__weakref__",)


class Witness:
    """Between what the comparer finds and the books of all runs."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stages: dict[str, dict[str, list[Stage]]] = {}
        """By digest of the configuration, of those that were in force lately, and by route."""
        self._readers: dict[str, Reader] = {}

    def adopt(self, name: str, spec: SnapshotSpec) -> None:
        """This specification, whose digest is `name`, is in force from now on."""
        reader = Reader()
        for rollout in spec.rollouts:
            if rollout.driven is not None and rollout.driven.evidence and asks(rollout, CONTRACT_VIOLATIONS):
                self._books.book(rollout.name, rollout.driven.run).readers.add(reader)
        stages: dict[str, list[Stage]] = {}
        for route, stage in _compared(spec):
            self._books.book(stage.rollout, stage.run).readers.add(reader)
            stages.setdefault(route, []).append(stage)
        for known in (self._stages, self._readers):
            known.pop(name, None)
        self._stages[name], self._readers[name] = stages, reader
        while len(self._stages) > KEPT:
            oldest = next(iter(self._stages))
            del self._stages[oldest], self._readers[oldest]

    def validated(self, sample: Sample, *, broken: bool) -> None:
        """An answer was held against a contract."""
        watched = sample.watched
        if watched is None:
            return
        saw = self._books.book(watched.rollout, watched.run).saw
        saw(watched.stage, watched.arm, CONTRACT_VIOLATIONS, sample.unit, "trials")
        if broken:
            saw(watched.stage, watched.arm, CONTRACT_VIOLATIONS, sample.unit, "events")

    def compared(self, pair: Pair, result: Result) -> None:
        """A copy's answer was compared with the one that was served, or could not be."""
        stages = self._stages.get(pair.asked.about.digest, {}).get(pair.asked.route.name)
        if not stages or pair.answer is None or result == "incomparable":
            return
        for stage in stages:
            if (pair.answer.served, pair.shadow.version) == (stage.stable, stage.candidate):
                book = self._books.book(stage.rollout, stage.run)
                sums = book.sums(stage.place, "candidate", SHADOW_DIFFERENT)
                sums[0] += 1
                sums[1] += result == "different"


def _compared(spec: SnapshotSpec) -> Iterator[tuple[str, Stage]]:
    """Routes, each with a rollout that asks for differences of copies; also while it warms its candidate up."""
    routes = {rule.rollout: route.name for route in spec.routes for rule in route.rules if rule.rollout is not None}
    for rollout in spec.rollouts:
        driven, route = rollout.driven, routes.get(rollout.name)
        if driven is None or driven.taken_back or route is None or not asks(rollout, SHADOW_DIFFERENT):
            continue
        place = place_of(rollout)
        if driven.evidence or not rollout.steps[place].weight:
            yield route, Stage(rollout.name, driven.run, place, driven.stable, rollout.candidate)
