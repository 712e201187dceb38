"""A rollout loop on a real store, with a controller of a few lines: a specification, and whatever is put in force."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from stepdown.config.settings import StoreSettings
from stepdown.control.refusals import Applied
from stepdown.control.rollouts.asking import Action, Asked, Done, Standing
from stepdown.control.rollouts.loop import Loop
from stepdown.control.rollouts.measuring import Measurer
from stepdown.control.state import HealthView
from stepdown.control.stores import Batch, Cell, Counts, Store, StoreUnavailableError
from stepdown.control.warming import Change
from stepdown.decide.colours import NOTHING_SWITCHED
from stepdown.decide.rollout_spec import Driven, Rollout
from stepdown.decide.spec import Endpoint, Feedback, Match, Model, Route, Rule, SnapshotSpec, Version
from stepdown.rollout.batch import Arm
from stepdown.telemetry.slab import SlabReader
from tests.kit.looping import PATIENCE
from tests.kit.rollouts import rollout
from tests.kit.stores import units

NAME = "churn-2"
SETTINGS = StoreSettings(file="/nowhere")
"""Of a store that the test opens itself."""


def a_spec(
    *rollouts: Rollout, candidate: str = "http://two", feedback: Feedback | None = None, **changes: Any
) -> SnapshotSpec:
    """A model with three versions, and a route with a rule for each rollout."""
    places = {"1.1.0": "http://one", "2.0.0": candidate, "3.0.0": "http://three"}
    versions = tuple(
        Version(id=version, endpoints=(Endpoint(id=f"{url}:80", host=url.removeprefix("http://"), port=80),))
        for version, url in places.items()
    )
    found = rollouts or (rollout(least_units=10),)
    routes = tuple(
        Route(
            name=f"r{number}",
            match=Match(path=f"/{number}"),
            model="churn",
            rules=(Rule(name="everyone", split=((one.stable, 1),), rollout=one.name),),
        )
        for number, one in enumerate(found)
    )
    model = Model(name="churn", default_version="1.1.0", latest="1.1.0", versions=versions)
    return SnapshotSpec(models=(model,), routes=routes, rollouts=found, feedback=feedback, **changes)


class Sidecar:
    """What the loop needs of a controller, and the loop."""

    def __init__(
        self,
        store: Store,
        spec: SnapshotSpec | None = None,
        *,
        holder: str = "here:1",
        slabs: Sequence[SlabReader] = (),
        measurer: Measurer | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.spec = spec or a_spec()
        self.health: Mapping[str, HealthView] = {}
        self.refusals: list[str] = []
        """Why workers cannot prepare anything."""
        self.now = 1_800_000_000.0
        self.store = Interrupted(store)
        self.loop = Loop(
            self,
            slabs,
            measurer=measurer,
            holder=holder,
            clock=now or (lambda: self.now),
            opened=lambda _settings, _retention: cast("Store", self.store),
        )
        self.loop.use(self.spec, SETTINGS)

    async def change(self, change: Change) -> Applied:
        """See `loop.Host`."""
        if self.refusals:
            return Applied(refusals=tuple(self.refusals))
        self.spec, _overlay = change(self.spec, NOTHING_SWITCHED)
        return Applied()

    def reload(self, spec: SnapshotSpec) -> list[str]:
        """As the controller does it."""
        self.spec = self.loop.over(spec)
        return self.loop.use(spec, SETTINGS)

    def standing(self, name: str = NAME) -> Standing:
        """As it is now."""
        return next(one for one in self.loop.standings() if one.rollout.name == name)

    def driven(self, name: str = NAME) -> Driven | None:
        """What workers are told."""
        return next(one.driven for one in self.spec.rollouts if one.name == name)

    async def act(self, action: Action, name: str = NAME, **more: Any) -> Done:
        """By a person called ann."""
        return await self.loop.act(Asked(name, action, "ann", **more))

    async def started(self) -> None:
        """It decides, and a person has started the rollout."""
        await until(lambda: self.loop.settled and self.loop.lease.token is not None)
        done = await self.act("start")
        assert done.moved, done

    async def reaches(self, phase: str, name: str = NAME) -> None:
        """Wait for it."""
        await until(lambda: self.standing(name).position.phase == phase)

    async def counts(self, sequence: int, cells: Mapping[Cell, Counts], source: str = "w") -> None:
        """A batch of a worker, once it is acknowledged."""
        await self.sends(Batch(NAME, self.standing().position.run, source, sequence, (), cells))

    async def fills(self, sequence: int, source: str = "v") -> None:
        """A batch of five thousand users whom nobody saw before."""
        users = units(sequence + 10**6).sightings
        await self.sends(Batch(NAME, self.standing().position.run, source, sequence, users))

    async def sends(self, batch: Batch) -> None:
        """Again and again until it is acknowledged."""
        taken = asyncio.Event()
        async with asyncio.timeout(PATIENCE):
            while not taken.is_set():
                self.loop.take(batch, taken.set)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(taken.wait(), 0.2)


class Interrupted:
    """A store that a test can take away; calls that are under way then end as they do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.why = ""
        """Why it cannot be used, if it cannot."""
        self.unwritable = False
        """Everything can be read, and nothing written."""
        self.has_no_room = False
        """For evidence."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in ("close", "watch"):
            return found

        async def call(*arguments: Any, **more: Any) -> Any:
            if self.why or (self.unwritable and name in ("write", "add", "acquire", "forget")):
                raise StoreUnavailableError(self.why or "the disk is full")
            if self.has_no_room and name == "add":
                raise StoreUnavailableError("there is no room for evidence")
            return await found(*arguments, **more)

        return call


@asynccontextmanager
async def running(*sidecars: Sidecar) -> AsyncIterator[None]:
    """Their loops, until the end."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.loop.run()) for one in sidecars]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def until(condition: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def both(kind: str, candidate: tuple[int, int], stable: tuple[int, int], stage: int = 0) -> dict[Cell, Counts]:
    """(Trials, events) of both arms."""
    arms: tuple[tuple[Arm, tuple[int, int]], ...] = (("candidate", candidate), ("stable", stable))
    return {Cell(stage, arm, kind): Counts(*counts) for arm, counts in arms}
