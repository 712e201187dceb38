"""What the comparer finds, as evidence: each unit once for each kind, of the arm and the stage that the sample says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from stepdown.comparer.contracts import KEPT
from stepdown.comparer.pairing import Pair
from stepdown.comparer.witness import Witness
from stepdown.comparison.book import Result
from stepdown.decide.checks import Sample, Subject, Watched
from stepdown.decide.rollout_spec import Ceiling, Driven, Rollout, Share, Step
from stepdown.decide.spec import Rule, SnapshotSpec
from stepdown.plane.evidence_books import AGAIN_SECONDS, Books
from stepdown.rollout.batch import Batch, Cell, Counts, Sighting
from stepdown.rollout.counts import CONTRACT_VIOLATIONS, SHADOW_DIFFERENT
from stepdown.telemetry.slab import Slab
from tests.kit import specs
from tests.unit.comparer.test_judging import pair

SUBJECT = Subject("d", "m", "2.0.0", "1.0.0")
GUARDS = (
    Share(name="contracts", kind=CONTRACT_VIOLATIONS),
    Ceiling(name="copies", kind=SHADOW_DIFFERENT, limit=0.05),
)
NAME = "churn-2"


def rolled_out(step: int = 1, *, started: bool = True, guards: Any = GUARDS, **changes: Any) -> SnapshotSpec:
    """A walk from 2.0.0, which `pair` has for its served version, to 1.0.0, which has its shadow."""
    driven = Driven(run=3, step=step, weight=5, stable="2.0.0", evidence=True)
    rollout = Rollout(
        name=NAME,
        stable="2.0.0",
        candidate="1.0.0",
        steps=(Step(weight=0), Step(weight=5), Step(weight=50)),
        guards=guards,
        driven=msgspec.structs.replace(driven, **changes) if started else None,
    )
    rule = Rule(name="all", split=(("2.0.0", 1),), rollout=NAME)
    model = specs.model(specs.version("1.0.0", 1), specs.version("2.0.0", 1))
    return specs.snapshot(specs.route({}, rules=(rule,)), models=[model], rollouts=(rollout,))


class Scene:
    """A witness, and all that its books have to send."""

    def __init__(self, slab: Slab) -> None:
        self.books = Books(asyncio.get_running_loop(), slab)
        self.witness = Witness(self.books)
        self.batches: list[Batch] = []
        self.books.link(self.batches.append)

    def flushed(self) -> list[Batch]:
        """What was sent since, taken by the store."""
        for book in self.books:
            self.books.push(book)
        found, self.batches[:] = list(self.batches), []
        for batch in found:
            self.books.taken(batch.rollout, batch.run, batch.source, batch.sequence)
        return found

    def validated(self, unit: int, *, broken: bool, watched: Watched | None = None) -> None:
        watched = watched or Watched(NAME, 3, 1, "candidate")
        self.witness.validated(Sample(SUBJECT, "", 100, b"{}", watched, unit), broken=broken)

    def compared(self, result: Result, one: Pair | None = None, digest: str = "d") -> None:
        one = a_pair(digest) if one is None else one
        self.witness.compared(one, result)


def a_pair(digest: str = "d", served: str = "2.0.0") -> Pair:
    """The answer of `served`, and that of 1.0.0 to a copy."""
    one = pair(b"{}", b"{}", served=served)
    one.asked.about = msgspec.structs.replace(one.asked.about, digest=digest)
    return one


@contextmanager
def scene(slab: Slab) -> Iterator[Scene]:
    made = Scene(slab)
    try:
        yield made
    finally:
        made.books.close()


def sighting(unit: int, side: Any, stage: int = 1, arm: Any = "candidate") -> Sighting:
    return Sighting(stage, arm, CONTRACT_VIOLATIONS, unit, side)


def run(slab: Slab, script: Any) -> None:
    async def play() -> None:
        with scene(slab) as made:
            script(made)

    asyncio.run(play())


def test_a_unit_is_a_trial_once_and_an_event_once_however_many_of_its_answers_are_looked_at(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out())
        made.validated(7, broken=False)
        made.validated(7, broken=False)
        made.validated(8, broken=True)
        made.validated(7, broken=True)
        made.validated(7, broken=True)
        (batch,) = made.flushed()
        assert (batch.rollout, batch.run, batch.sequence, batch.deltas) == (NAME, 3, 1, {})
        assert batch.sightings == (
            sighting(7, "trials"),
            sighting(8, "trials"),
            sighting(8, "events"),
            sighting(7, "events"),
        )
        made.validated(7, broken=True)
        assert made.flushed() == []

    run(slab, script)


def test_it_counts_for_the_arm_the_stage_and_the_run_that_the_sample_says(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out(step=2))
        made.validated(1, broken=True, watched=Watched(NAME, 3, 1, "stable"))
        made.validated(2, broken=False, watched=Watched(NAME, 2, 0, "candidate"))
        found = {(batch.run, batch.sightings) for batch in made.flushed()}
        assert found == {
            (3, (sighting(1, "trials", 1, "stable"), sighting(1, "events", 1, "stable"))),
            (2, (sighting(2, "trials", 0),)),
        }

    run(slab, script)


def test_answers_that_are_evidence_of_nothing_bring_nothing(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out())
        made.witness.validated(Sample(SUBJECT, "", 100, b"{}"), broken=True)
        assert made.flushed() == []

    run(slab, script)


def test_copies_of_the_candidate_are_counted_at_the_stage_in_which_they_were_taken(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("before", rolled_out(step=1))
        made.witness.adopt("d", rolled_out(step=2))
        made.compared("equal")
        made.compared("different")
        made.compared("equal")
        made.compared("different", digest="before")
        made.compared("incomparable")
        (batch,) = made.flushed()
        assert batch.sightings == ()
        assert batch.deltas == {
            Cell(2, "candidate", SHADOW_DIFFERENT): Counts(3, 1),
            Cell(1, "candidate", SHADOW_DIFFERENT): Counts(1, 1),
        }

    run(slab, script)


def test_what_says_nothing_of_candidate_and_stable_is_not_counted(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out())
        made.compared("different", a_pair(served="3.0.0"))
        made.compared("different", a_pair()._replace(answer=None))
        of_another = a_pair()
        made.compared("different", of_another._replace(shadow=msgspec.structs.replace(of_another.shadow, version="3")))
        made.compared("different", digest="unknown")
        assert made.flushed() == []

    run(slab, script)


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, True),
        ({"evidence": False, "step": 0}, True),
        ({"evidence": False}, False),
        ({"taken_back": True}, False),
        ({"started": False}, False),
        ({"guards": GUARDS[:1]}, False),
    ],
    ids=["a stage", "warm-up", "no evidence", "taken back", "not started", "no guard"],
)
def test_copies_count_while_the_candidate_is_tried_and_a_guard_asks(
    slab: Slab, changes: dict[str, Any], counted: bool
) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out(**changes))
        made.compared("different")
        assert bool(made.flushed()) == counted

    run(slab, script)


def test_without_a_rollout_there_is_no_book_and_nothing_to_send(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", specs.plain(1))
        made.compared("different")
        assert list(made.books) == []

    run(slab, script)


def test_a_book_is_kept_as_long_as_a_configuration_may_bring_something_for_it(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out())
        (book,) = made.books
        assert len(book.readers) == 1
        for number in range(KEPT):
            assert book.readers
            made.witness.adopt(f"later {number}", specs.plain(1))
        assert not book.readers

    run(slab, script)


def test_a_batch_of_which_nothing_was_heard_is_sent_again_as_it_is(slab: Slab) -> None:
    def script(made: Scene) -> None:
        made.witness.adopt("d", rolled_out())
        made.validated(1, broken=True)
        (book,) = made.books
        first = book.due(0.0)
        made.validated(2, broken=True)
        assert book.due(AGAIN_SECONDS / 2) is None
        assert book.due(AGAIN_SECONDS) is first
        made.books.link(None)
        made.books.link(made.batches.append)
        assert made.batches == [first]

    run(slab, script)
