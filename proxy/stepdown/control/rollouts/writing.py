"""Writing what was decided: the state with what led to it in one write, and only then it is applied.

What takes the candidate back does not wait for a store that is lost. It holds in this replica at once, and is owed to
the store.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import msgspec

from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.in_force import InForce
from stepdown.control.rollouts.lease import Lease
from stepdown.control.stores.errors import ConflictError, FencedError, StoreError
from stepdown.control.stores.store import Store
from stepdown.control.stores.values import Transition
from stepdown.rollout.document import encode
from stepdown.rollout.leading import Happened, Led
from stepdown.telemetry.log import fields

logger = logging.getLogger(__name__)


class Pen:
    """Whoever uses it holds the lock of the rollout's course."""

    def __init__(self, store: Store, lease: Lease, in_force: InForce, counts: Counter[tuple[str, str]]) -> None:
        """`counts` are transitions by rollout and phase."""
        self._store = store
        self._lease = lease
        self._in_force = in_force
        self._counts = counts

    async def write(self, course: Course, led: Led) -> bool:
        """Write the document with what led to it, and apply it; whether this replica still may.

        Raises `StoreError` where it is not known whether it was written, after what takes the candidate back was done
        here all the same.
        """
        token = self._lease.token
        if token is None:
            return False
        document = msgspec.structs.replace(led.document, holder=self._lease.holder)
        transitions = [Transition(one.at, one.run, one.sentence, _details(one)) for one in led.happened]
        try:
            version = await self._store.write(token, course.name, course.version, encode(document), transitions)
        except (FencedError, ConflictError) as error:
            self._lease.yield_to(error)
            course.doubted = True
            return False
        except StoreError:
            course.doubted = True
            if led.takes_back:
                await self.owe(course, led)
            raise
        owed = course.owed
        course.wrote(version, document)
        for one in led.happened:
            self._counts[course.name, one.phase] += 1
        _tell(course.name, [one for one in led.happened if one not in owed])
        await self._in_force.apply()
        return True

    async def owe(self, course: Course, led: Led) -> None:
        """It holds here, and is written once it can be."""
        course.alone = led.document
        if led.happened:
            course.owed = (*course.owed, *led.happened)
            _tell(course.name, led.happened)
            await self._in_force.apply()


def _tell(name: str, happened: Sequence[Happened]) -> None:
    for one in happened:
        level = logging.WARNING if one.alert else logging.INFO
        logger.log(level, "rollout %s: %s", name, one.sentence, extra=fields(phase=one.phase, weight=one.weight))


def _details(one: Happened) -> bytes:
    return msgspec.json.encode({"from": one.before, "to": one.phase, "step": one.step, "weight": one.weight})
