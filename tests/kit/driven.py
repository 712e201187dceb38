"""A rollout that is driven, for planes in tests: what it makes of their specification, and who takes their evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from stepdown.decide.feedback import Run
from stepdown.decide.rollout_spec import Driven, Feedback, FeedbackKey, Rollout, Share, Step
from stepdown.decide.spec import Chain, KeySource, Rule, SnapshotSpec
from stepdown.decide.spec import Step as AdapterStep
from stepdown.plane.evidence_books import Books
from stepdown.rollout.batch import Batch, Cell, Counts
from tests.kit import specs
from tests.kit.looping import LoopThread
from tests.kit.upstream import Script
from tests.kit.world import World, world

STABLE, CANDIDATE = "1.0.0", "2.0.0"
NAME = "m-2"
SALT = "6f9619ff8b86d011b42d00cf4fc964ff"
SECRET = "a secret of this sidecar and its replicas"
KEY = "the key of the application"
STEPS = (5.0, 50.0, 100.0)
BY_USER = (KeySource(header="x-user-id"),)
FEEDBACK = Feedback(
    secrets=(SECRET,), keys=(FeedbackKey(name="shop", sha256=sha256(KEY.encode()).hexdigest()),), max_age=86_400.0
)


def driven(
    stable: int,
    candidate: int,
    *,
    step: int = 1,
    weight: float | None = None,
    run: int = 1,
    key: Sequence[KeySource] = (),
    feedback: Feedback | None = None,
    response: Sequence[Any] = (),
    streams: str = "",
    events: Iterable[str] = ("click", "buy"),
    repeatable: bool = False,
    rollout: dict[str, Any] | None = None,
    now: dict[str, Any] | None = None,
    **route: Any,
) -> SnapshotSpec:
    """1.0.0 and 2.0.0 on these ports, at a step of a walk, both in the shape of 1.0.0.

    `response` and `streams` adapt the latter; `rollout` and `now` are other fields of `Rollout` and `Driven`.
    """
    share = STEPS[step] if weight is None else weight
    chain = Chain(
        served=CANDIDATE,
        pinned=STABLE,
        steps=(AdapterStep(source=CANDIDATE, target=STABLE, response=tuple(response), streams=streams),),
    )
    split = ((STABLE, 10_000 - round(share * 100)), (CANDIDATE, round(share * 100)))
    rule = Rule(name="all", split=split, salt="s", rollout=NAME)
    options: dict[str, Any] = {
        "name": NAME,
        "stable": STABLE,
        "candidate": CANDIDATE,
        "steps": tuple(Step(weight=one) for one in STEPS),
        "guards": tuple(Share(name=event, kind=event, must_not="fall") for event in events),
        "driven": Driven(
            **{
                "run": run,
                "step": step,
                "weight": share,
                "stable": STABLE,
                "salt": SALT,
                "evidence": True,
                **(now or {}),
            }
        ),
        **(rollout or {}),
    }
    model = specs.model(
        specs.version(STABLE, stable),
        specs.version(CANDIDATE, candidate),
        default=STABLE,
        chains=(chain,),
        repeatable=repeatable,
    )
    return specs.snapshot(
        specs.route({}, rules=(rule,), key=tuple(key), **route),
        models=[model],
        rollouts=(Rollout(**options),),
        feedback=feedback,
    )


def run_of(number: int = 1, *, salt: str = SALT) -> Run:
    """The run that such a specification is of."""
    return Run(NAME, number, "m", STABLE, CANDIDATE, salt)


class Store:
    """Takes batches as a store does: those of one source in order, each once; of sightings the first of each unit."""

    def __init__(self) -> None:
        self.received: list[Batch] = []
        """Everything, also what came again."""
        self.counts: dict[Cell, Counts] = {}
        self._last: dict[tuple[str, int, str], int] = {}
        self._seen: set[tuple[int, int, str, str, int]] = set()

    def add(self, batch: Batch) -> bool:
        """Count a batch; false where that was done before. One that leaves another out is a defect."""
        self.received.append(batch)
        source = (batch.rollout, batch.run, batch.source)
        before = self._last.get(source, 0)
        if batch.sequence <= before:
            return False
        assert batch.sequence == before + 1, (batch.sequence, before)
        self._last[source] = batch.sequence
        for cell, counts in batch.deltas.items():
            self._add(cell, *counts)
        for stage, arm, kind, unit, side in batch.sightings:
            seen = (batch.run, stage, kind, side, unit)
            if seen not in self._seen:
                self._seen.add(seen)
                self._add(Cell(stage, arm, kind), int(side == "trials"), int(side == "events"))
        return True

    def _add(self, cell: Cell, trials: int, events: int) -> None:
        before = self.counts.get(cell, Counts())
        self.counts[cell] = Counts(before.trials + trials, before.events + events)

    def of(self, kind: str, stage: int = 1) -> dict[str, tuple[int, int]]:
        """Trials and events of a kind by arm, where there are any."""
        return {
            cell.arm: (found.trials, found.events)
            for cell, found in self.counts.items()
            if (cell.stage, cell.kind) == (stage, kind)
        }

    def total(self, kind: str, stage: int = 1) -> tuple[int, int]:
        """Of both arms."""
        found = self.of(kind, stage).values()
        return sum(trials for trials, _ in found), sum(events for _, events in found)

    def kinds(self) -> Counter[str]:
        """Events of all stages and arms by kind, but for `requests`."""
        found: Counter[str] = Counter()
        for cell, counts in self.counts.items():
            if counts.events and cell.kind != "requests":
                found[cell.kind] += counts.events
        return found


class Taking:
    """Links a plane's books with a store, on the plane's loop."""

    def __init__(self, thread: LoopThread, books: Books) -> None:
        self.thread = thread
        self.books = books
        self.store = Store()
        self.away = False
        """It hears nothing."""
        self.silent = False
        """It stores, and says nothing."""

    def take(self, batch: Batch) -> None:
        """What the books call to send a batch."""
        if self.away:
            return
        self.store.add(batch)
        if not self.silent:
            # A channel calls back in a turn of its own, too.
            self.thread.loop.call_soon(self.books.taken, batch.rollout, batch.run, batch.source, batch.sequence)

    def link(self) -> None:
        """A new channel."""
        self.thread.run(lambda: self.books.link(self.take))

    def cut(self) -> None:
        """The channel is lost."""
        self.thread.run(lambda: self.books.link(None))

    def settle(self) -> Store:
        """The store, once all that was counted is in it."""
        assert self.thread.call(self.books.settle(10.0))
        return self.store


@contextmanager
def rolling(
    stable: Script | None = None,
    candidate: Script | None = None,
    *,
    spec: Callable[..., SnapshotSpec] = driven,
    **options: Any,
) -> Iterator[tuple[World, Taking]]:
    """A stable server, a candidate, a plane with a rollout of both, and a store; `options` are those of `driven`."""
    with world(stable, spec=lambda one, two: spec(one, two, **options), upstreams=2) as here:
        if candidate is not None:
            here.upstreams[1].script = candidate
        taking = Taking(here.thread, here.sidecar.plane.books)
        taking.link()
        yield here, taking


def get(user: str | None = None, path: str = "/", **fields: str) -> bytes:
    """A request."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    lines += [f"x-user-id: {user}"] if user is not None else []
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()
