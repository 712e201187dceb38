"""Whatever is done in whatever order, a store agrees with plain dictionaries: states, tokens, history and evidence."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from stepdown.control.stores import (
    Batch,
    Cell,
    ConflictError,
    Counts,
    FencedError,
    Recorded,
    Sighting,
    State,
    Transition,
)
from tests.kit.redis_server import RedisServer
from tests.kit.stores import Evidence, Place, RedisPlace, SqlitePlace

Result = TypeVar("Result")

LONG = 1000.0
ROLLOUTS, HOLDERS = ("p", "q"), ("a", "b")
NAMES, RUNS, SOURCES = st.sampled_from(ROLLOUTS), st.integers(1, 2), st.sampled_from(["w1", "w2"])
ARMS, KINDS = st.sampled_from(["stable", "candidate"]), st.sampled_from(["click", "buy"])
SIGHTINGS = st.builds(
    Sighting, st.integers(0, 1), ARMS, KINDS, st.integers(0, 5), st.sampled_from(["trials", "events"])
)
DELTAS = st.dictionaries(
    st.builds(Cell, st.integers(0, 1), ARMS, KINDS), st.builds(Counts, st.integers(0, 3), st.integers(0, 3)), max_size=3
)


class Machine(RuleBasedStateMachine):
    """Two instances at one place where the store can have several, else one; a model beside them."""

    place_for: Any
    """Makes a place where nothing is yet."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.place: Place = type(self).place_for(Path(self.folder.name))
        self.shared = isinstance(self.place, RedisPlace)
        self.stores = [self.place.store() for _ in range(2 if self.shared else 1)]
        for store in self.stores:
            self.run(store.open())
        self.states: dict[str, State] = {}
        self.records: dict[str, list[Recorded]] = {}
        self.evidence = Evidence()
        self.tokens: list[int] = []
        self.holder = self.last_holder = ""
        self.latest = 0
        """The token that is worth something; 0 when it was given back."""

    def teardown(self) -> None:
        for store in self.stores:
            self.run(store.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def any_store(self, data: st.DataObject) -> Any:
        return data.draw(st.sampled_from(self.stores))

    def token(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from([*self.tokens, self.latest])) or 1

    # --- who decides --------------------------------------------------------------------------------------------------

    @rule(data=st.data(), holder=st.sampled_from(HOLDERS))
    def acquire(self, data: st.DataObject, holder: str) -> None:
        token = self.run(self.any_store(data).acquire(holder, LONG))
        assert (token is None) == (self.holder not in {"", holder})
        if token is not None:
            assert token > max(self.tokens, default=0)
            self.holder, self.latest, self.last_holder = holder, token, holder
            self.tokens.append(token)

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        token = self.token(data)
        assert self.run(self.any_store(data).renew(token, LONG)) == (token == self.latest)
        if token == self.latest:
            self.holder = self.last_holder

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        token = self.token(data)
        self.run(self.any_store(data).release(token))
        if token == self.latest:
            self.holder, self.latest = "", 0

    # --- states -------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), name=NAMES, off=st.sampled_from([0, 0, 0, 1, -1]), document=st.binary(max_size=4))
    def write(self, data: st.DataObject, name: str, off: int, document: bytes) -> None:
        token, state = self.token(data), self.states.get(name, State(0, b""))
        expected = state.version + off
        steps = [Transition(0.5, 1, f"step {number}") for number in range(data.draw(st.integers(0, 2)))]
        work = self.any_store(data).write(token, name, expected, document, steps)
        if token != self.latest:
            with pytest.raises(FencedError):
                self.run(work)
        elif off:
            with pytest.raises(ConflictError):
                self.run(work)
        else:
            assert self.run(work) == expected + 1
            self.states[name] = State(expected + 1, document)
            history = self.records.setdefault(name, [])
            history += [Recorded(number, step) for number, step in enumerate(steps, len(history) + 1)]

    # --- evidence -----------------------------------------------------------------------------------------------------

    @rule(
        data=st.data(), name=NAMES, run=RUNS, source=SOURCES, ahead=st.sampled_from([1, 1, 1, 0, -1, 2]),
        sightings=st.lists(SIGHTINGS, max_size=8), deltas=DELTAS,
    )  # fmt: skip
    def add(
        self, data: st.DataObject, name: str, run: int, source: str, ahead: int, sightings: Any, deltas: Any
    ) -> None:
        sequence = max(1, self.evidence.sequences.get((name, run, source), 0) + ahead)
        batch = Batch(name, run, source, sequence, sightings, deltas)
        added = self.run(self.any_store(data).add(batch))
        assert (added.outcome, added.new) == self.evidence.add(batch)

    @rule(data=st.data(), name=NAMES, run=RUNS)
    def forget(self, data: st.DataObject, name: str, run: int) -> None:
        if data.draw(st.integers(0, 4)) == 0:  # seldom, or there is nothing left to count
            self.run(self.any_store(data).forget(name, run))
            self.evidence.forget(name, run)

    # --- and in any case ----------------------------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.run(self.stores[0].close())
        self.stores[0] = self.place.store()
        self.run(self.stores[0].open())
        if not self.shared:
            self.holder = ""  # whoever had the lease was in the process that had the file

    @rule(data=st.data(), name=NAMES, run=RUNS, source=SOURCES)
    def look(self, data: st.DataObject, name: str, run: int, source: str) -> None:
        store = self.any_store(data)
        assert self.run(store.evidence(name, run)) == self.evidence.of(name, run)
        assert self.run(store.counted(name, run, source)) == self.evidence.sequences.get((name, run, source), 0)

    @invariant()
    def states_agree(self) -> None:
        for name in ROLLOUTS:
            assert self.run(self.stores[0].read(name)) == self.states.get(name)

    @invariant()
    def histories_agree(self) -> None:
        for name in ROLLOUTS:
            assert self.run(self.stores[-1].history(name)) == self.records.get(name, [])[::-1]


OFTEN = settings(max_examples=40, stateful_step_count=30)


def test_a_file_agrees_with_plain_dictionaries() -> None:
    class AtAFile(Machine):
        place_for = SqlitePlace

    run_state_machine_as_test(AtAFile, settings=OFTEN)


def test_redis_agrees_with_plain_dictionaries_for_two_replicas(redis_server: RedisServer) -> None:
    class InRedis(Machine):
        place_for = staticmethod(lambda _folder: RedisPlace(redis_server.url))

    run_state_machine_as_test(InRedis, settings=OFTEN)
