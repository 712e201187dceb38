"""The loop of one sidecar: it follows what the store says of every rollout, and decides where it has the lease.

    lease    taken and renewed; whoever has it leads all rollouts of the store (`lease`)
    watch    a rollout's state has changed: what it says is applied here
    look     several times a second, and at once when a batch was stored: whoever leads looks at the evidence, decides,
             writes the state with what led to it, and then applies it (`looks`, `writing`)
    take     batches of workers are stored, and acknowledged when they are (`intake`)
    act      a person asks; the answer comes when it is stored and applied here (`people`)

**A store that is lost** changes nothing for requests: weights stay, and nothing advances. Evidence waits where it was
counted. The breaker of each replica goes on with what its own workers count (`counted.Failing`), and what it takes back
is taken back here at once, as is what a person aborts here. Once the store is found its state is read before anything
is written: where nobody has moved the rollout meanwhile, what happened here is written by whoever leads; where somebody
has, that is followed.

**A state that is missing** is no state of "not started yet" that anybody may act on: the candidate has nothing, a gauge
says so, and only a person starts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from stepdown import tasks
from stepdown.config.settings import StoreSettings
from stepdown.control.rollouts.asking import Asked, Done, RolloutRefusedError, Rollouts, Standing, unknown
from stepdown.control.rollouts.counted import Failing, Tails
from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.in_force import Host, InForce
from stepdown.control.rollouts.intake import Intake
from stepdown.control.rollouts.lease import RENEW_SECONDS, Lease
from stepdown.control.rollouts.looks import Looks
from stepdown.control.rollouts.measuring import Measurer, NothingMeasured
from stepdown.control.rollouts.opening import store_of
from stepdown.control.rollouts.people import People, standings
from stepdown.control.rollouts.places import Place
from stepdown.control.rollouts.writing import Pen
from stepdown.control.stores.errors import StoreError
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Recorded
from stepdown.decide.spec import SnapshotSpec
from stepdown.rollout.batch import Batch
from stepdown.rollout.document import Document
from stepdown.rollout.leading import Led
from stepdown.rollout.phases import RUNNING
from stepdown.telemetry.slab import SlabReader

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""Between two looks at what was counted, where no batch comes sooner."""
STORE_CHANGED = "state.rollouts was changed, which takes effect when the sidecar is started again"


class Loop(Rollouts):
    """All rollouts of the configuration in force."""

    def __init__(
        self,
        host: Host,
        slabs: Sequence[SlabReader] = (),
        *,
        measurer: Measurer | None = None,
        holder: str = "",
        clock: Callable[[], float] = time.time,
        opened: Callable[[StoreSettings, float], Store] = store_of,
    ) -> None:
        """`clock` gives Unix seconds; `holder` is what other replicas call this one."""
        # Process.
        self._host = host
        self._measurer = measurer or NothingMeasured()
        self._opened = opened
        readers = [SlabReader(slab.fd, slab.size) for slab in slabs]  # those of /metrics may be at work elsewhere
        self._tails, self._failing = Tails(readers), Failing(readers)
        self._bell, self._begun = asyncio.Event(), asyncio.Event()
        self._counts: Counter[tuple[str, str]] = Counter()
        # The store.
        self.settings: StoreSettings | None = None
        """Of the store that is used until the sidecar is started again."""
        self._store: Store | None = None
        self._pen: Pen | None = None
        self._people: People | None = None
        # The file.
        self._in_force = InForce(host, clock)
        self.lease = Lease(holder, self._in_force.now)
        self._intake = Intake(self.lease, self._bell.set)
        self._watches: dict[str, asyncio.Task[None]] = {}

    # --- what is in force ---------------------------------------------------------------------------------------------

    def use(self, spec: SnapshotSpec, settings: StoreSettings | None) -> list[str]:
        """Drive the rollouts of this file from now on; sentences about what takes effect with the next start only.

        Another store is one of these: the states that rollouts are in now would be missing there.
        """
        for course in self._in_force.use(spec):
            course.leave()
            if course.name in self._watches:
                self._watches.pop(course.name).cancel()
        if self.settings is None:
            self.settings = settings
        if self.settings is not None and self._in_force.courses:
            self._begun.set()
        if self._store is not None and self.lease.tried.is_set():
            self._watch_all(self._store)
        self._bell.set()
        return [] if settings == self.settings else [STORE_CHANGED]

    def over(self, spec: SnapshotSpec) -> SnapshotSpec:
        """A file's specification with rollouts as they are driven now."""
        return self._in_force.over(spec)

    @property
    def settled(self) -> bool:
        """See `asking.Rollouts`."""
        return not self._begun.is_set() or self.lease.tried.is_set()

    # --- the loop -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        await self._begun.wait()
        store = self._store = await self._made()
        pen = self._pen = Pen(store, self.lease, self._in_force, self._counts)
        looks = Looks(
            store, self.lease, self._in_force, pen, self._tails, self._failing, self._measurer, self._bell.set
        )
        self._people = People(store, self.lease, self._in_force, pen, looks)
        self._intake.open(store)
        try:
            with contextlib.suppress(StoreError):  # it is opened by the first call that can
                await store.open()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.lease.keep(store, self._read_all))
                group.create_task(self._keep_looking(looks))
        finally:
            for watch in self._watches.values():
                watch.cancel()
            for course in self._in_force.courses.values():
                course.leave()
            await self._measurer.close()
            await store.close()

    async def leave(self) -> None:
        """This replica is being drained: let another one decide at once, where there can be one."""
        if self._store is not None and self.settings is not None and self.settings.redis is not None:
            await self.lease.leave(self._store)

    async def _made(self) -> Store:
        """A store, once there can be one: its client may be installed later."""
        assert self.settings is not None
        while True:
            try:
                return self._opened(self.settings, self._in_force.keep_seconds)
            except StoreError as error:
                self.lease.fail(error)
                self.lease.tried.set()
                await asyncio.sleep(RENEW_SECONDS)

    async def _keep_looking(self, looks: Looks) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()
            self._bell.clear()
            try:
                for course in list(self._in_force.courses.values()):
                    await looks.look(course)
                await self._in_force.apply_again()
            except StoreError as error:
                self.lease.fail(error)
            except Exception:
                logger.exception("a look at rollouts has failed")
                await asyncio.sleep(LOOK_SECONDS)

    # --- states -------------------------------------------------------------------------------------------------------

    async def _read_all(self) -> None:
        """The lease was got or lost, or the store found."""
        assert self._store is not None
        for course in list(self._in_force.courses.values()):
            await self._read(self._store, course)
        await self._in_force.apply()
        self._watch_all(self._store)

    def _watch_all(self, store: Store) -> None:
        for name, course in self._in_force.courses.items():
            if name not in self._watches:
                self._watches[name] = tasks.start(self._watch(store, course), name=f"watch rollout {name}")

    async def _watch(self, store: Store, course: Course) -> None:
        async for _state in store.watch(course.name):
            try:
                if await self._read(store, course):
                    await self._in_force.apply()
            except StoreError as error:
                self.lease.fail(error)
            except Exception:
                logger.exception("the state of %s was not followed", course.name)

    async def _read(self, store: Store, course: Course) -> bool:
        """Read what the store has; whether that is news. Whoever leads writes what happened here alone."""
        assert self._pen is not None
        async with course.lock:
            state = await store.read(course.name)
            if self.lease.lost:
                return False  # it is read again when whoever looks after the lease has found the store
            if course.alone is not None and state is not None and state.version == course.version:
                if course.owed and self.lease.token is None:
                    return False  # it holds here until whoever leads has moved the rollout
                if course.owed:
                    course.doubted = False
                    return await self._pen.write(course, Led(course.alone, course.owed))
                course.alone = None
                return True
            news = course.take(state)
            if news and course.missing:
                missing = f"the store has no state of {course.name}, so the candidate gets nothing until it is started"
                refused = f"{course.refused}, so the candidate gets nothing, and nobody can start it"
                logger.warning("%s", refused if course.refused else missing)
            document = course.document
            if document is not None and document.position.phase in RUNNING and self._took_over(document):
                # So that everybody knows who decides, and that nothing of whoever led before is written any more.
                await self._pen.write(course, Led(document))
            return news

    def _took_over(self, document: Document) -> bool:
        return self.lease.token is not None and document.holder != self.lease.holder

    # --- evidence -----------------------------------------------------------------------------------------------------

    def take(self, batch: Batch, taken: Callable[[], None]) -> None:
        """Store a batch, and then call `taken`."""
        self._intake.take(batch, taken)

    # --- people (`asking.Rollouts`) -----------------------------------------------------------------------------------

    @property
    def transitions(self) -> Mapping[tuple[str, str], int]:
        """That this replica has decided, by rollout and phase."""
        return self._counts

    async def known(self) -> None:
        """See `asking.Rollouts`; a store that does not answer is waited for as long as its own limits let it be."""
        if not self.settled:
            await self.lease.tried.wait()

    def standings(self) -> list[Standing]:
        """In the file's order."""
        return standings(self._host, self._in_force, self.lease, self.settings)

    async def act(self, asked: Asked) -> Done:
        """Do what is asked, and see it stored and applied here; raises `RolloutRefusedError`."""
        people, course, place = self._asked(asked.rollout)
        return await people.act(course, place, asked)

    async def history(self, rollout: str, before: int | None, limit: int) -> list[Recorded]:
        """The newest transitions, the newest first; raises `RolloutRefusedError`."""
        people, _, _ = self._asked(rollout)
        return await people.history(rollout, before, limit)

    def _asked(self, name: str) -> tuple[People, Course, Place]:
        course, place = self._in_force.courses.get(name), self._in_force.place(name)
        if course is None or place is None:
            raise unknown(name, self._in_force.declared)
        if self.settings is None:
            said = "The file names no place for the state of rollouts, so none can be driven: state: {rollouts: FILE}."
            raise RolloutRefusedError(409, "no-state", said)
        if self._people is None:
            raise RolloutRefusedError(503, "state-unavailable", self.lease.lost or "The store is not open yet.")
        return self._people, course, place
