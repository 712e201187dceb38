"""What a real comparer finds of a rollout's answers, which a real data plane has given, as its controller hears it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from stepdown.decide.checks import LEAST
from stepdown.decide.rollout_spec import Ceiling, Share, Step
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.evidence_books import FLUSH_SECONDS
from stepdown.rollout.counts import CONTRACT_VIOLATIONS, SHADOW_DIFFERENT
from tests.kit.client import Client
from tests.kit.comparer_process import ComparerProcess, Line, comparer
from tests.kit.driven import BY_USER, CANDIDATE, STABLE, Store, driven, get
from tests.kit.looping import LoopThread, eventually
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import Upstream, serve
from tests.kit.validation import answer

GUARD = Share(name="contracts", kind=CONTRACT_VIOLATIONS)
COPIES = Ceiling(name="copies", kind=SHADOW_DIFFERENT, limit=0.05)
OLD = {"type": "object", "required": ["score"], "properties": {"score": {"type": "number"}}}
NEW = {"type": "object", "required": ["score"]}
GOOD, BROKEN = answer({"score": 0.5}), answer({"score": "high"})
"""The latter keeps the contract of the candidate, and not the one of the shape that its clients ask for."""


class Scene(NamedTuple):
    """A plane, a comparer, and the controller's end of its channel."""

    sidecar: Sidecar
    comparer: ComparerProcess
    line: Line
    store: Store

    def ask(self, *users: str | None, **fields: str) -> None:
        """One request of each, all on one connection."""
        with Client(self.sidecar.port) as client:
            for user in users:
                client.send(get(user, **fields))
                assert client.response("GET").status == 200

    def nothing_follows(self, validated: int) -> None:
        """Once so many answers were held against contracts, nothing (more) is said of them."""
        assert eventually(lambda: self.comparer.metric("stepdown_validations_total") >= validated)
        assert not self.line.says_something(5 * FLUSH_SECONDS)

    def until(self, kind: str, trials: int, stage: int = 1) -> Store:
        """The store, once it has so many trials."""
        self.line.store(self.store, until=lambda: self.store.total(kind, stage)[0] >= trials)
        return self.store


def watching(
    stable: int, candidate: int, *, share: float = 0.0, old: Any = OLD, new: Any = NEW, **options: Any
) -> SnapshotSpec:
    """A walk with half of the users at the candidate, which looks at broken contracts and at copies."""
    spec = driven(stable, candidate, rollout={"guards": (GUARD, COPIES), **options.pop("rollout", {})}, **options)
    contracts = {STABLE: old, CANDIDATE: new}
    (model,) = spec.models
    versions = tuple(
        msgspec.structs.replace(version, contract=contracts[version.id], validate=share) for version in model.versions
    )
    return msgspec.structs.replace(spec, models=(msgspec.structs.replace(model, versions=versions),))


@contextmanager
def watched(stable: bytes = GOOD, candidate: bytes = BROKEN, **options: Any) -> Iterator[Scene]:
    with (
        LoopThread() as thread,
        Upstream(thread, serve(stable)) as first,
        Upstream(thread, serve(candidate)) as second,
    ):
        spec = watching(first.port, second.port, **options)
        with comparer(spec) as process, Sidecar(thread, spec, handoff=process.handoff) as sidecar:
            yield Scene(sidecar, process, process.link(), Store())
        assert not first.failures + second.failures


def test_a_candidate_whose_good_answers_break_the_contract_of_old_clients_is_told_of() -> None:
    users = [f"user {number}" for number in range(40)]
    with watched(share=1.0, key=BY_USER) as scene:
        scene.ask(*users, *users)
        found = scene.until(CONTRACT_VIOLATIONS, len(users)).of(CONTRACT_VIOLATIONS)
        stable, candidate = found["stable"], found["candidate"]
        assert (stable[0] + candidate[0], stable[1]) == (len(users), 0)
        assert candidate[1] == candidate[0] > 0
        assert len({(batch.rollout, batch.run, batch.source) for batch in scene.store.received}) == 1
        # Each unit once, however often it asks. Answers of the candidate are held against both contracts.
        scene.nothing_follows(2 * stable[0] + 4 * candidate[0])


def test_clients_of_the_new_shape_break_nothing() -> None:
    with watched(share=1.0, key=BY_USER) as scene:
        scene.ask(*(f"user {number}" for number in range(20)), x_model_version=CANDIDATE)
        scene.ask(*(f"other {number}" for number in range(20)))
        # Stable cannot give the new shape, so who asks for it is no evidence.
        found = scene.until(CONTRACT_VIOLATIONS, 20).of(CONTRACT_VIOLATIONS)
        assert found["candidate"][0] + found["stable"][0] == 20
        assert found["stable"][1] == 0


def test_its_own_contract_counts_as_well() -> None:
    with watched(candidate=answer({"score": 1, "note": 7}), new={"properties": {"note": {"type": "string"}}}) as scene:
        scene.ask(*[None] * 400)
        wanted = 38  # a tenth, which is exact to within one for each of both versions
        trials, events = scene.until(CONTRACT_VIOLATIONS, wanted).of(CONTRACT_VIOLATIONS)["candidate"]
        assert trials == events > 0


def test_of_both_versions_the_same_share_is_looked_at_though_the_file_asks_for_none() -> None:
    asked = 600
    with watched() as scene:
        scene.ask(*[None] * asked)
        assigned = [line["assigned"] for line in scene.sidecar.log()]
        expected = {"stable": assigned.count(STABLE) * LEAST, "candidate": assigned.count(CANDIDATE) * LEAST}
        wanted = round(sum(expected.values())) - 2  # a share is exact to within one, for each of both
        found = scene.until(CONTRACT_VIOLATIONS, wanted).of(CONTRACT_VIOLATIONS)
        for arm, share in expected.items():
            assert abs(found[arm][0] - share) <= 2, (arm, found, share)


def test_answers_that_are_no_evidence_are_looked_at_as_ever_and_count_for_nobody() -> None:
    with watched(share=1.0, now={"evidence": False}) as scene:
        scene.ask(*[None] * 10)
        scene.nothing_follows(10)


def test_differences_of_copies_are_counted_for_the_stage_in_force() -> None:
    steps = (Step(weight=0), Step(weight=50))
    options: dict[str, Any] = {"step": 0, "weight": 0.0, "rollout": {"steps": steps}, "now": {"evidence": False}}
    with watched(share=0.0, shadows=(Shadow(name="s", version=CANDIDATE),), **options) as scene:
        scene.ask(*[None] * 12)
        found = scene.until(SHADOW_DIFFERENT, 12, stage=0)
        assert found.of(SHADOW_DIFFERENT, 0) == {"candidate": (12, 12)}


def test_without_a_rollout_not_a_word_is_said() -> None:
    with LoopThread() as thread, Upstream(thread, serve(GOOD)) as server:
        spec = watching(server.port, server.port, share=1.0)
        spec = msgspec.structs.replace(spec, rollouts=())
        with comparer(spec) as process, Sidecar(thread, spec, handoff=process.handoff) as sidecar:
            scene = Scene(sidecar, process, process.link(), Store())
            scene.ask(*[None] * 10)
            scene.nothing_follows(10)
