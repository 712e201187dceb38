"""Looks at rollouts, several times a second: whoever leads decides on what came since the last one.

In this order, and whatever happens ends the look: the file brings in somebody else; a cool-down is over; the breaker
sees new requests; the time of a window is over, and everybody who is asked for it has answered; evidence of a run that
ended long ago is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from stepdown import tasks
from stepdown.control.rollouts.counted import Failing, Tails
from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.in_force import InForce
from stepdown.control.rollouts.lease import Lease
from stepdown.control.rollouts.measuring import MEASURE_SECONDS, Measurer
from stepdown.control.rollouts.places import Place
from stepdown.control.rollouts.writing import Pen
from stepdown.control.stores.store import Store
from stepdown.decide.rollout_spec import Rollout, Threshold
from stepdown.rollout import events, leading
from stepdown.rollout.document import Document
from stepdown.rollout.leading import Led
from stepdown.rollout.looking import NOTHING, Elsewhere
from stepdown.rollout.phases import RUNNING

logger = logging.getLogger(__name__)


class Looks:
    """Of one replica."""

    def __init__(  # noqa: PLR0917 - all that a look needs
        self,
        store: Store,
        lease: Lease,
        in_force: InForce,
        pen: Pen,
        tails: Tails,
        failing: Failing,
        measurer: Measurer,
        again: Callable[[], None],
    ) -> None:
        """`again()` has the next look come soon."""
        self._store = store
        self._lease = lease
        self._in_force = in_force
        self._pen = pen
        self._tails = tails
        self._failing = failing
        self._measurer = measurer
        self._again = again

    async def look(self, course: Course) -> None:
        """Raises `StoreError`."""
        place = self._in_force.place(course.name)
        if place is None:
            return
        now, shown = self._in_force.now(), course.shown
        stable = shown.position.stable if shown is not None else self._in_force.declared[course.name].stable
        self._tails.note(place.route, stable, now)
        async with course.lock:
            document = course.document
            if self._lease.token is None or document is None or document.position.phase not in RUNNING:
                self._measurer.leave(course.name)
            if self._lease.lost:
                await self._look_alone(course, place, now)
            elif self._lease.token is not None and course.document is not None and not course.doubted:
                await self._lead(course, course.document, place, now)

    async def _lead(self, course: Course, document: Document, place: Place, now: float) -> None:
        led = self._in_force.adopted(document, course.name, place, now)
        if not led.happened:
            document = self._in_force.with_ready(led.document, course.name, place, now)
            led = self._cooled(course, document, now)
        if led.happened:
            await self._pen.write(course, led)
            return
        course.document = document = led.document
        if document.position.phase in RUNNING:
            await self._look_at_evidence(course, document, place, now)
        await self._forget_what_is_over(course, now)

    def _cooled(self, course: Course, document: Document, now: float) -> Led:
        position = document.position
        if position.phase != "rolled back" or not 0 < position.cool_until <= now:
            return Led(document)
        return leading.simply(document, self._in_force.declared[course.name], events.CooledDown(now=now))

    async def _look_at_evidence(self, course: Course, document: Document, place: Place, now: float) -> None:
        declared = self._in_force.declared[course.name]
        totals = await self._store.evidence(course.name, document.position.run)
        course.noted(totals, now)
        led = leading.flush(document, declared, totals, now)
        if led.happened:
            await self._pen.write(course, led)
            return
        course.document = document = led.document
        if not leading.is_due(document, declared, now):
            return
        elsewhere = self._measured(course, document, leading.terms(document, declared), now)
        if elsewhere is not None:
            led = leading.window(document, declared, totals, now, elsewhere, self._in_force.can_report)
            await self._pen.write(course, led._replace(document=self.with_slow(led.document, place, now)))

    def with_slow(self, document: Document, place: Place, now: float) -> Document:
        """With what is slow at its step, if that is known now and was not before."""
        return leading.with_slow(document, self._tails.slow(place.route, document.position.stable, now))

    # --- others -------------------------------------------------------------------------------------------------------

    def _measured(self, course: Course, document: Document, rollout: Rollout, now: float) -> Elsewhere | None:
        """What others say of the window that is to end; `None` while they are asked."""
        if all(guard.source is None for guard in rollout.guards):
            return NOTHING
        window = (document.position.run, document.position.step, document.since)
        if course.measuring is None or course.measuring[0] != window:
            course.leave()
            asked = self._ask(rollout, document, now)
            course.measuring = (window, tasks.start(asked, name=f"measure {course.name}"))
            return None
        task = course.measuring[1]
        if not task.done():
            return None
        course.measuring = None
        return task.result()

    async def _ask(self, rollout: Rollout, document: Document, now: float) -> Elsewhere:
        why = f"no answer within {MEASURE_SECONDS:g} s"
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                return await self._measurer.measure(rollout, document.position, now, since=document.since)
        except TimeoutError:
            pass
        except Exception as error:
            logger.exception("guards of %s could not be measured", rollout.name)
            why = str(error) or type(error).__name__
        finally:
            self._again()
        sourced = [guard for guard in rollout.guards if guard.source is not None]
        return Elsewhere(unread={guard.kind: why for guard in sourced if not isinstance(guard, Threshold)})

    async def _forget_what_is_over(self, course: Course, now: float) -> None:
        """Events of a run may come late for as long as its tokens are taken; then nothing of it is needed."""
        document = course.document
        if document is None:
            return
        due = [run for run, at in document.over if now >= at + self._in_force.keep_seconds]
        for run in due:
            await self._store.forget(course.name, run)
        if due:
            await self._pen.write(course, Led(leading.without_runs(document, due)))

    # --- without the store --------------------------------------------------------------------------------------------

    async def _look_alone(self, course: Course, place: Place, now: float) -> None:
        """Only the breaker acts, on what this replica's own workers count."""
        document, declared = course.document, self._in_force.declared[course.name]
        if document is None or document.position.phase not in RUNNING:
            return
        if course.alone is None:
            course.alone = leading.simply(document, declared, events.StoreLost(now=now)).document
            self._failing.forget(place.route, place.rule)
        position = course.alone.position
        new = self._failing.flush(place.route, place.rule, position.stable, position.candidate.version)
        if position.phase in RUNNING:
            await self._pen.owe(course, leading.flushed(course.alone, declared, new, now))
