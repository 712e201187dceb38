"""However answers come and batches go: a unit is one trial and at most one event of its stage."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stepdown.comparer.witness import Witness
from stepdown.decide.checks import Sample, Subject, Watched
from stepdown.plane.evidence_books import Books
from stepdown.rollout.batch import Arm, Batch
from stepdown.rollout.counts import CONTRACT_VIOLATIONS
from stepdown.telemetry.slab import Slab
from tests.kit.driven import NAME, Store

ARMS: tuple[Arm, ...] = ("stable", "candidate")
SUBJECT = Subject("d", "m", "2.0.0", "1.0.0")
ANSWERS = st.tuples(st.just("answer"), st.integers(0, 3), st.integers(0, 1), st.sampled_from(ARMS), st.booleans())
CHANNEL = st.tuples(st.sampled_from(["flush", "lost", "acknowledgement lost", "relinked"]))


class Line:
    """Who takes batches, or loses them, or loses what is said of them."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.store = Store()
        self.how = "flush"

    def __call__(self, batch: Batch) -> None:
        if self.how == "lost":
            return
        self.store.add(batch)
        if self.how == "flush":
            self.books.taken(batch.rollout, batch.run, batch.source, batch.sequence)

    def flush(self, how: str) -> None:
        """Send what there is; on a new channel, what was sent before as well."""
        self.how = how if how != "relinked" else "flush"
        if how == "relinked":
            self.books.link(self)
        for book in self.books:
            self.books.push(book)


@given(st.lists(st.one_of(ANSWERS, CHANNEL), max_size=60))
def test_each_unit_counts_once_for_each_stage_and_side(script: list[tuple[Any, ...]]) -> None:
    loop, slab = asyncio.new_event_loop(), Slab.create()
    try:
        books = Books(loop, slab)
        witness, line = Witness(books), Line(books)
        books.link(line)
        first: dict[tuple[int, int, str], Arm] = {}
        for kind, *rest in script:
            if kind != "answer":
                line.flush(kind)
                continue
            unit, stage, arm, broken = rest
            witness.validated(Sample(SUBJECT, "", 1, b"", Watched(NAME, 1, stage, arm), unit), broken=broken)
            first.setdefault((stage, unit, "trials"), arm)
            if broken:
                first.setdefault((stage, unit, "events"), arm)
        for _ in range(3):
            line.flush("relinked")
        for stage in (0, 1):
            expected = {
                arm: tuple(
                    sum(of == arm for (at, _, seen), of in first.items() if (at, seen) == (stage, side))
                    for side in ("trials", "events")
                )
                for arm in ARMS
            }
            found = line.store.of(CONTRACT_VIOLATIONS, stage)
            assert {arm: found.get(arm, (0, 0)) for arm in ARMS} == expected
        books.close()
    finally:
        loop.close()
        slab.close()
        os.close(slab.fd)
