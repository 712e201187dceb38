"""The rollouts of the configuration in force: what the file says of each, what is known of it, and what is applied."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from stepdown.control.refusals import Applied
from stepdown.control.rollouts.course import Course
from stepdown.control.rollouts.laying import laid
from stepdown.control.rollouts.places import Place, places_of
from stepdown.control.state import HealthView
from stepdown.control.warming import Change
from stepdown.decide.rollout_spec import Rollout
from stepdown.decide.spec import SnapshotSpec
from stepdown.rollout import events, leading
from stepdown.rollout.document import Document
from stepdown.rollout.leading import Led

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
"""Between two attempts to put in force what workers could not prepare."""
KEEP_SECONDS = 3600.0
"""For as long evidence of a run that is over is kept where nothing can be reported late."""


class Host(Protocol):
    """What rollouts need of `control.controller`."""

    @property
    def spec(self) -> SnapshotSpec:
        """In force."""

    @property
    def health(self) -> Mapping[str, HealthView]:
        """What probes say of endpoints."""

    async def change(self, change: Change) -> Applied:
        """Put something else in force, after whatever reload is under way."""


class InForce:
    """Lives on the controller's loop."""

    def __init__(self, host: Host, clock: Callable[[], float]) -> None:
        """`clock` gives Unix seconds."""
        self._host = host
        self._clock = clock
        self._latest, self._ahead = 0.0, 0.0
        """The time that was told last, and how far it is ahead of a clock that was set back."""
        self._places: tuple[SnapshotSpec | None, dict[str, Place]] = (None, {})
        self._applied_at = 0.0
        self.declared: dict[str, Rollout] = {}
        """As the file has them, in its order."""
        self.courses: dict[str, Course] = {}
        self.can_report = False
        """Whether applications can report events."""
        self.keep_seconds = KEEP_SECONDS
        """Evidence of a run that is over is kept for as long: so late an event may be reported."""

    def use(self, spec: SnapshotSpec) -> list[Course]:
        """These are the file's rollouts from now on; what is known of others, which nobody drives any more."""
        self.declared = {one.name: msgspec.structs.replace(one, driven=None) for one in spec.rollouts}
        self.can_report = spec.feedback is not None
        self.keep_seconds = spec.feedback.max_age if spec.feedback is not None else KEEP_SECONDS
        gone = [course for name, course in self.courses.items() if name not in self.declared]
        self.courses = {name: self.courses.get(name) or Course(name) for name in self.declared}
        return gone

    def over(self, spec: SnapshotSpec) -> SnapshotSpec:
        """A file's specification, with rollouts as they are driven now."""
        return laid(spec, self.courses, self._host.spec.rollouts, self.now())

    async def apply(self) -> None:
        """Have workers do what is known, unless they do already."""
        self._applied_at = self.now()
        spec = self._host.spec
        if {one.name for one in spec.rollouts} != set(self.courses) or self._lay(spec).rollouts == spec.rollouts:
            return
        applied = await self._host.change(lambda spec, overlay: (self._lay(spec), overlay))
        for refusal in applied.refusals:
            logger.error("rollouts are not where they should be: %s", refusal)

    async def apply_again(self) -> None:
        """From time to time, in case that workers could not do it, or a colour was switched."""
        if self.now() - self._applied_at >= AGAIN_SECONDS:
            await self.apply()

    def _lay(self, spec: SnapshotSpec) -> SnapshotSpec:
        return self.over(msgspec.structs.replace(spec, rollouts=tuple(self.declared.values())))

    # --- of one rollout -----------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds that do not go backwards; where the clock is set back, time goes on from where it was.

        Else no window would end, and no guard would be asked, until the clock has caught up.
        """
        told = self._clock() + self._ahead
        if told < self._latest:
            self._ahead += self._latest - told
            told = self._latest
        self._latest = told
        return told

    def place(self, name: str) -> Place | None:
        """Where it stands; `None` while the file that brought it is being put in force."""
        spec = self._host.spec
        if self._places[0] is not spec:
            self._places = (spec, places_of(spec))
        return self._places[1].get(name)

    def adopted(self, document: Document, name: str, place: Place, now: float) -> Led:
        """What the file makes of a document."""
        declared = self.declared[name]
        segments = [segment.name for segment in self._host.spec.segments]
        return leading.adopt(document, declared, place.candidate(declared), segments, now)

    def with_ready(self, document: Document, name: str, place: Place, now: float) -> Document:
        """With how many of stable's endpoints are ready here."""
        ready = place.ready(document.position.stable, self._host.health)
        if ready == document.position.ready:
            return document
        return leading.simply(document, self.declared[name], events.StableReady(now=now, ready=ready)).document
