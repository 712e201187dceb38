"""Whoever decides is killed, loses the store, or is taken over from: all evidence is judged exactly once."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stepdown.decide.rollout_spec import Breaker, Rollout, Step
from stepdown.rollout import events, leading
from stepdown.rollout.batch import Arm, Cell, Counts
from stepdown.rollout.document import Document, decode, encode
from stepdown.rollout.leading import Led
from stepdown.rollout.position import Candidate

STEPS = 12
WALKED = Rollout(
    name="m-2",
    stable="1.0.0",
    candidate="2.0.0",
    steps=tuple(Step(weight=float(5 * step), least_units=1) for step in range(1, STEPS + 1)),
    breaker=Breaker(least=10**12),
    alpha=0.5,
)
"""Without guards, so that every step passes as soon as one unit was seen, and a breaker that forgets nothing."""
TWO = Candidate(version="2.0.0", endpoints="aa")

Outcome = Literal["written", "not written", "written without an answer"]
ADD = st.tuples(st.just("add"), st.integers(0, STEPS - 1), st.sampled_from(["stable", "candidate"]), st.integers(1, 5))
FLUSH = st.tuples(st.just("flush"))
KILL = st.tuples(st.just("kill"))
WINDOW = st.tuples(st.just("window"), st.sampled_from(["written", "not written", "written without an answer"]))


class Replica:
    """The store's document, and what whoever decides has in memory."""

    def __init__(self) -> None:
        self.now = 0.0
        begun = leading.hand(leading.first(WALKED, TWO), WALKED, events.Started(now=0.0, who="ann"), {}, "salt")
        self.stored = encode(begun.document)
        self.known = begun.document
        self.totals: dict[Cell, Counts] = {}
        self.added: Counter[tuple[int, Arm]] = Counter()
        self.requests: Counter[Arm] = Counter()

    def add(self, stage: int, arm: Arm, number: int) -> None:
        """Units of a step that was reached, and as many requests."""
        stage = min(stage, self.known.position.step)
        for kind in ("units", "requests"):
            had = self.totals.get(Cell(stage, arm, kind), Counts())
            self.totals[Cell(stage, arm, kind)] = Counts(had.trials + number, 0)
        self.added[stage, arm] += number
        self.requests[arm] += number

    def flush(self) -> None:
        """It is not written by itself."""
        self.known = leading.flush(self.known, WALKED, self.totals, self.now).document

    def kill(self) -> None:
        """Somebody else goes on from what is stored."""
        self.known = decode("m-2", self.stored)

    def window(self, outcome: Outcome) -> None:
        """Whoever does not know whether it was written reads it again."""
        self.now += 60
        led: Led = leading.window(self.known, WALKED, self.totals, self.now)
        if outcome != "not written":
            self.stored = encode(led.document)
        self.kill()

    def settle(self) -> Document:
        """With everything judged."""
        self.flush()
        self.window("written")
        return self.known


@given(st.lists(ADD | FLUSH | KILL | WINDOW, max_size=40))
def test_all_evidence_is_judged_once_whatever_happens_to_whoever_decides(story: list[tuple[object, ...]]) -> None:
    replica = Replica()
    for does, *how in story:
        if replica.known.position.phase == "stepping":
            getattr(replica, str(does))(*how)
    if replica.known.position.phase != "stepping":
        return
    document = replica.settle()
    for stage, evidence in enumerate(document.position.evidence):
        judged = (evidence.units.stable, evidence.units.candidate)
        assert judged == (replica.added[stage, "stable"], replica.added[stage, "candidate"])
    flushes = document.position.breaker.flushes
    seen = (sum(one.requests.stable for one in flushes), sum(one.requests.candidate for one in flushes))
    assert seen == (replica.requests["stable"], replica.requests["candidate"])


def test_what_is_kept_of_a_run_does_not_grow_with_its_traffic() -> None:
    replica = Replica()
    replica.add(0, "stable", 5)
    few = len(msgspec.json.encode(replica.settle()))
    for _ in range(1000):
        replica.add(0, "stable", 10**6)
        replica.window("written")
    assert len(replica.stored) < few + 1000
