"""The comparer's loop: takes records out of the workers' rings, and gives each to whoever works on its kind.

Samples of answers are held against contracts here; copies of requests, and what was answered to them, go to `shadows`,
and those that are to be kept to `recordings`. What of it is evidence of a rollout goes to `witness`.

Nobody waits for it. It works in slices, so that messages of the parent are heard, and when there is nothing left to do
it sleeps until a worker rings, or for a second. After that it lets some more samples come, so that a worker under load
has to ring seldom.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import random

from stepdown.comparer import arrivals
from stepdown.comparer.arrivals import Answered, Arrival, Copied
from stepdown.comparer.contracts import Contracts
from stepdown.comparer.courtesy import Usage
from stepdown.comparer.recordings import Recordings
from stepdown.comparer.reports import Clocks, Reports
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.comparer.shadows import Shadows
from stepdown.comparer.tally import Tally
from stepdown.comparer.witness import Witness
from stepdown.decide.checks import Sample
from stepdown.decide.spec import SnapshotSpec
from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown.plane.clock import CoarseClock
from stepdown.plane.evidence_books import Books
from stepdown.telemetry.board import Board
from stepdown.telemetry.ring import RingReader
from stepdown.telemetry.slab import ABSENT, Slab
from stepdown.wire import encodings

logger = logging.getLogger(__name__)

SLICE = 0.02
"""Seconds of work before the loop is let run."""
SLICE_BESIDE = 0.002
"""The same while copies are on their way, whose answers are timed by that loop."""
PAUSE = 0.02
"""Seconds in which more records may come, or one that is not whole may become so."""
PAUSE_BESIDE = 0.002
"""The same while copies are on their way: what comes is sent soon, and few at a time."""
SLEEP = 1.0
"""Seconds after which it looks by itself: the ringing of a worker may be overlooked (`telemetry.ring`)."""
LAST = 0.5
"""Seconds for what is left when this process is to end."""
LOOKED_AT = 100
"""Violations of one answer that are looked at."""
EARLY = 5.0
"""Seconds that a record waits for its configuration: a worker may have it a moment before this process."""


class Intake:
    """One worker's ring."""

    __slots__ = ("early", "give_up", "ring")

    def __init__(self, ring: RingReader) -> None:
        self.ring = ring
        self.early: Sample | Copied | None = None
        """A record whose configuration is not known yet; what is behind it waits too."""
        self.give_up = 0.0


class Comparer:
    """Between the rings and the slab."""

    def __init__(
        self,
        rings: Sequence[RingReader],
        bell: int,
        slab: Slab,
        board: Board | None = None,
        usage: Callable[[], Usage] | None = None,
    ) -> None:
        """On the running loop. Workers write to `bell`, an event descriptor (eventfd); `usage` as in `Shadows`."""
        loop = asyncio.get_running_loop()
        self.contracts = Contracts()
        self.books = Books(loop, slab)
        """What was found about rollouts and is not stored yet."""
        self._witness = Witness(self.books)
        self._clock = CoarseClock(loop)
        tally = ShadowTally(slab, time.monotonic)
        clocks = Clocks(time.monotonic, time.time, random)
        self.reports = Reports(tally, board, clocks, self._witness.compared)
        self.shadows = Shadows(self._clock, slab, tally, self.reports, rings=rings, usage=usage)
        self._clock.each_tick(self.reports.tick)
        self.recordings = Recordings(slab)
        self._clock.each_tick(self.recordings.tick)
        self._intakes = [Intake(ring) for ring in rings]
        self._bell = bell
        self._rung = asyncio.Event()
        self._slab = slab
        self._tally = Tally(slab, time.monotonic)
        self._turn_cell = slab.gauge("stepdown_comparer_turn_timestamp_seconds", ())
        self._gone: set[str] = set()
        """Digests of configurations that did not come in time."""

    def adopt(self, name: str, spec: SnapshotSpec) -> None:
        """Know a specification by its digest, under which records may come from now on."""
        self.contracts.adopt(name, spec)
        self.reports.adopt(self.shadows.adopt(name, spec))
        self.recordings.adopt(name, spec)
        self._witness.adopt(name, spec)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._bell, self._hear_bell)
        self._clock.start()
        try:
            while True:
                await self._rest(self._work())
        finally:
            loop.remove_reader(self._bell)
            self._clock.stop()
            self.shadows.close()
            self.reports.write()
            self._record_the_rest()
            self.recordings.close()
            await self.books.settle(LAST)
            self.books.close()
            self._slab.cells[self._turn_cell] = ABSENT

    def _record_the_rest(self) -> None:
        """What workers have handed over to the last, as far as it is to be recorded; for a moment at most."""
        end = time.monotonic() + LAST
        for place, intake in enumerate(self._intakes):
            while time.monotonic() < end and (arrival := self._next(intake)) is not None:
                if isinstance(arrival, Copied):
                    self.recordings.copied(place, arrival.about, arrival.body)
                elif isinstance(arrival, Answered):
                    self.recordings.answered(place, arrival.about, arrival.body)

    async def _rest(self, worked: bool) -> None:
        """As long as there is reason to."""
        if worked:
            await asyncio.sleep(0)
            return
        for intake in self._intakes:
            intake.ring.sleep()
        if not any(intake.ring.waiting or intake.early for intake in self._intakes):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), SLEEP)
            self._rung.clear()
        await asyncio.sleep(PAUSE_BESIDE if self.shadows.flying else PAUSE)

    def _hear_bell(self) -> None:
        with suppress(OSError):
            os.eventfd_read(self._bell)
        self._rung.set()

    def _work(self) -> bool:
        """Work for a slice of time; whether anything was done."""
        self._slab.cells[self._turn_cell] = int(time.time())
        end = time.monotonic() + (SLICE_BESIDE if self.shadows.flying else SLICE)
        worked = True
        done = False
        while worked and time.monotonic() < end:
            worked = False
            for place, intake in enumerate(self._intakes):
                arrival = self._next(intake)
                if arrival is not None:
                    self._give(place, arrival)
                    worked = done = True
        return done

    def _next(self, intake: Intake) -> Arrival | None:
        """The next record of a ring whose configuration is known; `None` where there is none (yet)."""
        while (arrival := intake.early or arrivals.take(intake.ring)) is not None:
            if isinstance(arrival, Answered) or self._knows(arrival):
                intake.early = None
                return arrival
            name = _configuration(arrival)
            if name not in self._gone:  # wait for it, once for each configuration
                now = time.monotonic()
                if intake.early is None:
                    intake.early, intake.give_up = arrival, now + EARLY
                if now < intake.give_up:
                    return None
                self._gone.add(name)
            intake.early = None
            if isinstance(arrival, Copied):
                self.shadows.stale(arrival.about)
                self.recordings.stale(arrival.about)
            else:
                self._tally.skipped(arrival.subject, "stale")
        return None

    def _knows(self, arrival: Sample | Copied) -> bool:
        if isinstance(arrival, Copied):
            return self.shadows.configurations.find(arrival.about.digest) is not None
        return self.contracts.knows(arrival.subject.digest)

    def _give(self, ring: int, arrival: Arrival) -> None:
        """To whoever works on it; what that raises ends nothing but its work."""
        try:
            if isinstance(arrival, Copied):
                self.recordings.copied(ring, arrival.about, arrival.body)
                self.shadows.copied(ring, arrival.about, arrival.body)
            elif isinstance(arrival, Answered):
                self.recordings.answered(ring, arrival.about, arrival.body)
                self.shadows.answered(ring, arrival.about, arrival.body)
            else:
                self._hold(arrival)
        except Exception:
            logger.exception("a record could not be worked on")

    def _hold(self, sample: Sample) -> None:
        """Hold a sample against its contract; whatever it does to the validator, the next one is none the worse."""
        contract = self.contracts.find(sample.subject)
        if contract is None:
            self._tally.skipped(sample.subject, "failed")
            return
        try:
            body = sample.body
            if sample.codings:
                body = encodings.decode(body, sample.codings.encode("latin-1"), sample.limit)
            violations = list(contract.violations(body, LOOKED_AT))
        except AnswerTooLargeError:
            self._tally.skipped(sample.subject, "too-large")
        except AdapterFailedError:
            self._tally.skipped(sample.subject, "coding")
        except Exception:
            logger.exception("an answer could not be held against its contract")
            self._tally.skipped(sample.subject, "failed")
        else:
            self._tally.validated(sample.subject, violations)
            self._witness.validated(sample, broken=bool(violations))


def _configuration(arrival: Sample | Copied) -> str:
    """The digest of the one that it was taken under."""
    return arrival.about.digest if isinstance(arrival, Copied) else arrival.subject.digest
