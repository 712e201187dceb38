"""The comparer's loop: takes samples out of the workers' rings, holds them against contracts, counts what it finds.

Nobody waits for it. It works in slices, so that messages of the parent are heard, and when there is nothing left to do
it sleeps until a worker rings, or for a second. After that it lets some more samples come, so that a worker under load
has to ring seldom.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress

from stepdown.comparer.contracts import Contracts
from stepdown.comparer.tally import Tally
from stepdown.decide.checks import Sample, parse
from stepdown.errors import AdapterFailedError, AnswerTooLargeError
from stepdown.telemetry.ring import RingReader
from stepdown.telemetry.slab import ABSENT, Slab
from stepdown.wire import encodings

logger = logging.getLogger(__name__)

SLICE = 0.02
"""Seconds of work before the loop is let run."""
PAUSE = 0.02
"""Seconds in which more samples may come, or a record that is not whole may become so."""
SLEEP = 1.0
"""Seconds after which it looks by itself: the ringing of a worker may be overlooked (`telemetry.ring`)."""
LOOKED_AT = 100
"""Violations of one answer that are looked at."""
EARLY = 5.0
"""Seconds that a sample waits for its configuration: a worker may have it a moment before this process."""


class Intake:
    """One worker's ring."""

    __slots__ = ("early", "give_up", "ring")

    def __init__(self, ring: RingReader) -> None:
        self.ring = ring
        self.early: Sample | None = None
        """A sample whose configuration is not known yet; what is behind it waits too."""
        self.give_up = 0.0


class Comparer:
    """Between the rings and the slab."""

    def __init__(self, rings: Sequence[RingReader], bell: int, slab: Slab) -> None:
        """`bell` is the event descriptor (eventfd) that workers write to."""
        self.contracts = Contracts()
        self._intakes = [Intake(ring) for ring in rings]
        self._bell = bell
        self._rung = asyncio.Event()
        self._slab = slab
        self._tally = Tally(slab, time.monotonic)
        self._turn_cell = slab.gauge("stepdown_comparer_turn_timestamp_seconds", ())
        self._gone: set[str] = set()
        """Digests of configurations that did not come in time."""

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._bell, self._hear_bell)
        try:
            while True:
                await self._rest(self._work())
        finally:
            loop.remove_reader(self._bell)
            self._slab.cells[self._turn_cell] = ABSENT

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
        await asyncio.sleep(PAUSE)

    def _hear_bell(self) -> None:
        with suppress(OSError):
            os.eventfd_read(self._bell)
        self._rung.set()

    def _work(self) -> bool:
        """Work for a slice of time; whether anything was done."""
        self._slab.cells[self._turn_cell] = int(time.time())
        end = time.monotonic() + SLICE
        worked = True
        done = False
        while worked and time.monotonic() < end:
            worked = False
            for intake in self._intakes:
                sample = self._next(intake)
                if sample is not None:
                    self._hold(sample)
                    worked = done = True
        return done

    def _next(self, intake: Intake) -> Sample | None:
        """The next sample of a ring whose contract can be looked up; `None` where there is none (yet)."""
        while (sample := intake.early or _taken(intake.ring)) is not None:
            name = sample.subject.digest
            if self.contracts.knows(name):
                intake.early = None
                return sample
            if name not in self._gone:  # wait for it, once for each configuration
                now = time.monotonic()
                if intake.early is None:
                    intake.early, intake.give_up = sample, now + EARLY
                if now < intake.give_up:
                    return None
                self._gone.add(name)
            intake.early = None
            self._tally.skipped(sample.subject, "stale")
        return None

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
            self._tally.validated(sample.subject, contract.violations(body, LOOKED_AT))
        except AnswerTooLargeError:
            self._tally.skipped(sample.subject, "too-large")
        except AdapterFailedError:
            self._tally.skipped(sample.subject, "coding")
        except Exception:
            logger.exception("an answer could not be held against its contract")
            self._tally.skipped(sample.subject, "failed")


def _taken(ring: RingReader) -> Sample | None:
    """The oldest sample that can be read."""
    while (record := ring.take()) is not None:
        try:
            return parse(record)
        except ValueError:
            logger.exception("a sample cannot be read")
    if ring.lost:
        logger.error("samples could not be read and were skipped")
        ring.lost = 0
    return None
