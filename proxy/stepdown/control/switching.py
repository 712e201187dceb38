"""Switching between colours: who asked for what, whether it may be done, and what it came to.

A switch goes through these steps, and up to the last it can be refused without anything having changed:

1. name     the place and the colour are looked up (`decide.colours`)
2. check    the colour shows that it is ready (`control.readiness`), or the caller forces it
3. again    the configuration in force is looked at once more, for it may have been reloaded meanwhile; and whether the
            caller still waits, for who left has seen nothing and expects nothing
4. in force every worker prepares the new snapshot, and then all of them serve with it (`control.controller`)

Requests that run keep the snapshot that they began with, so they finish on the colour that they were sent to. Of one
place there is one switch at a time; a second one is refused with what is under way.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stepdown.control.probes import Prober
from stepdown.control.readiness import Shown, show, why_not
from stepdown.control.redact import without_query
from stepdown.control.state import WorkerView
from stepdown.decide.colours import BACK, Overlay, Place, places, with_switch
from stepdown.decide.spec import SnapshotSpec
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import SlabReader

logger = logging.getLogger(__name__)


class SwitchRefusedError(Exception):
    """Nothing was changed; `problem` is the tail of a problem's type."""

    def __init__(self, status: int, problem: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem
        self.detail = detail
        self.more = more


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of putting a changed overlay in force."""

    refusals: Sequence[str] = ()
    """Why workers could not prepare it: then nothing has changed."""
    seconds: float = 0.0
    """From the first word to a worker to the last one's answer that it serves with it."""
    warnings: Sequence[str] = ()


class Controller(Protocol):
    """What a switch needs of `control.controller`."""

    @property
    def spec(self) -> SnapshotSpec:
        """In force."""

    @property
    def overlay(self) -> Overlay:
        """In force."""

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """All of them."""

    @property
    def slabs(self) -> Sequence[SlabReader]:
        """Their counters."""

    async def worker_status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of each."""

    async def change_overlay(self, change: Callable[[SnapshotSpec, Overlay], Overlay]) -> Applied:
        """Put another overlay in force, after whatever reload is under way; what `change` raises changes nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller asks for."""

    place: str
    colour: str
    """A name, or `back`."""
    by: str
    """Name of the caller's token."""
    force: bool = False
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class Report:
    """What a switch came to, as the admin API answers it."""

    place: str
    before: str
    """The colour that was active."""
    colour: str
    """The colour that was asked for, and is active now unless `dry_run`."""
    changed: bool
    dry_run: bool
    forced: bool
    """It was made although the colour is not ready."""
    check_seconds: float = 0.0
    endpoints: tuple[Shown, ...] = ()
    switch_seconds: float = 0.0
    """From the first word to a worker to the last one's answer that it serves with the new colour."""
    workers: int = 0
    """How many serve with it."""
    answered: int = 0
    """Requests that the routes answered in that time."""
    failed: int = 0
    """Of these, those answered with a 5xx."""
    finishing: int = 0
    """Requests that still run at the endpoints of the colour before."""
    warnings: list[str] = field(default_factory=list)


class Switches:
    """All switches of one controller."""

    def __init__(self, controller: Controller, prober: Prober) -> None:
        self._controller = controller
        self._prober = prober
        self._under_way: dict[str, Wish] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        """By place and result (`done`, `forced`, `refused`), since this controller was started."""

    async def switch(self, wish: Wish, still_wanted: Callable[[], bool]) -> Report:
        """Do it, or raise `SwitchRefusedError`; `still_wanted()` is asked before anything is changed."""
        place = _place(self._controller.spec, wish.place)
        other = self._under_way.get(wish.place)
        if other is not None:
            detail = f"A switch of {wish.place} to {other.colour} by {other.by} is under way."
            raise SwitchRefusedError(409, "switch-under-way", detail)
        self._under_way[wish.place] = wish
        try:
            report = await self._switch(wish, place, still_wanted)
        except SwitchRefusedError as refused:
            if not wish.dry_run:
                self.counts[wish.place, "refused"] += 1
                facts = fields(place=wish.place, colour=wish.colour, by=wish.by, why=refused.detail)
                logger.warning("switch refused", extra=facts)
            raise
        finally:
            del self._under_way[wish.place]
        if report.changed:
            self.counts[wish.place, "forced" if report.forced else "done"] += 1
        return report

    async def _switch(self, wish: Wish, place: Place, still_wanted: Callable[[], bool]) -> Report:
        colour = _wanted(wish, place, self._controller.overlay)
        report = Report(
            place=place.name,
            before=place.colours.active,
            colour=colour,
            changed=False,
            dry_run=wish.dry_run,
            forced=False,
        )
        if colour == place.colours.active:
            return report
        await self._check(wish, place, report)
        if not still_wanted():
            raise SwitchRefusedError(409, "caller-gone", "The caller left while the colour was checked.")
        if not wish.dry_run:
            await self._put_in_force(wish, place, report)
        return report

    async def _check(self, wish: Wish, place: Place, report: Report) -> None:
        """Whether the colour is ready; a forced switch waits for nothing and takes what is known at once."""
        colours, side = place.colours, place.sides[report.colour]
        began = time.monotonic()
        within = min(colours.timeout, _FORCED_WAIT) if wish.force else colours.timeout
        report.endpoints = await show(side.servers, self._prober, ready=colours.ready, within=within)
        report.check_seconds = time.monotonic() - began
        missing = why_not(report.endpoints, colours.ready, within)
        report.forced = bool(missing)
        if missing and not wish.force:
            detail = f"{report.colour} is not ready, and {report.before} stays active: {'; '.join(missing)}."
            raise SwitchRefusedError(409, "colour-not-ready", detail, endpoints=missing)
        report.warnings += missing

    async def _put_in_force(self, wish: Wish, place: Place, report: Report) -> None:
        back, when = wish.colour == BACK, int(time.time())

        def change(spec: SnapshotSpec, overlay: Overlay) -> Overlay:
            now = _place(spec, wish.place)
            if now.sides != place.sides or now.colours.active != place.colours.active:
                detail = "The configuration was changed while the colour was checked; ask again."
                raise SwitchRefusedError(409, "configuration-changed", detail)
            return with_switch(overlay, now, report.colour, back=back, by=wish.by, when=when)

        controller = self._controller
        before = _answers(controller.slabs, place.routes)
        applied = await controller.change_overlay(change)
        if applied.refusals:
            detail = f"Nothing was changed: {'; '.join(applied.refusals)}."
            raise SwitchRefusedError(500, "switch-failed", detail, findings=list(applied.refusals))
        after = _answers(controller.slabs, place.routes)
        report.changed, report.switch_seconds = True, applied.seconds
        report.answered, report.failed = after[0] - before[0], after[1] - before[1]
        report.workers = sum(worker.alive for worker in controller.workers)
        report.warnings += applied.warnings
        await self._look_at_workers(place, report)
        facts = fields(
            place=place.name, before=report.before, colour=report.colour, by=wish.by, forced=report.forced,
            seconds=round(report.switch_seconds, 4), answered=report.answered, failed=report.failed,
        )  # fmt: skip
        logger.info("switched", extra=facts)

    async def _look_at_workers(self, place: Place, report: Report) -> None:
        """What still runs on the colour before, and which endpoints of the new one a worker has put aside."""
        left = {server.key for server in place.sides[report.before].servers}
        entered = {server.key for server in place.sides[report.colour].servers}
        for status in await self._controller.worker_status():
            for key, endpoint in status["endpoints"].items():
                if key in left:
                    report.finishing += endpoint["pending"]
                if key in entered and endpoint["ejected_for"] > 0:
                    seconds = endpoint["ejected_for"]
                    name = without_query(key)
                    report.warnings.append(f"worker {status['index']} has {name} put aside for {seconds:.1f} s more")


_FORCED_WAIT = 1.0
"""Seconds that a forced switch looks at the colour, so that its risk can be told."""


def _place(spec: SnapshotSpec, name: str) -> Place:
    """What is called so; a route or a version that has no colours is told from one that is not there."""
    place = places(spec).get(name)
    if place is not None:
        return place
    routes = {route.name for route in spec.routes}
    versions = {f"{model.name}/{version.id}" for model in spec.models for version in model.versions}
    if name in routes | versions:
        kind = "route" if name in routes else "version"
        raise SwitchRefusedError(409, "no-colours", f"The {kind} {name} has no colours.")
    known = ", ".join(places(spec)) or "nothing"
    raise SwitchRefusedError(404, "not-found", f"There is no {name}; what can be switched: {known}.")


def _wanted(wish: Wish, place: Place, overlay: Overlay) -> str:
    """The colour that is meant."""
    if wish.colour == BACK:
        switched = overlay.switched.get(place.name)
        if switched is None:
            detail = f"{place.name} was not switched by hand, so there is nothing to go back to."
            raise SwitchRefusedError(409, "nothing-to-go-back-to", detail)
        return switched.before
    if wish.colour not in place.colours.names:
        detail = f"{place.name} has no colour {wish.colour}; it has {' and '.join(place.colours.names)}."
        raise SwitchRefusedError(400, "unknown-colour", detail)
    return wish.colour


def _answers(slabs: Sequence[SlabReader], routes: frozenset[str]) -> tuple[int, int]:
    """Requests that these routes have answered, and those of them that failed (5xx).

    Read through readers of their own: one that belongs to `/metrics` may be at work in another thread.
    """
    answered = failed = 0
    for slab in slabs:
        reader = SlabReader(slab.fd, slab.size)
        try:
            for series in reader.series():
                if series.family == "stepdown_requests_total" and series.labels[0] in routes:
                    count = reader.values(series)[0]
                    answered += count
                    failed += count if "5xx" in series.labels else 0
        finally:
            reader.close()
    return answered, failed


def shown(spec: SnapshotSpec, overlay: Overlay, ready: Callable[[str], bool]) -> list[Mapping[str, Any]]:
    """Every place with its colours, and where what is in force is not what the file declares.

    `ready(key)` says whether an endpoint may get requests.
    """
    return [_shown(place, overlay, ready) for place in places(spec).values()]


def _shown(place: Place, overlay: Overlay, ready: Callable[[str], bool]) -> Mapping[str, Any]:
    switched = overlay.switched.get(place.name)
    return {
        "place": place.name,
        "active": place.colours.active,
        "declared": place.colours.declared,
        "differs": place.colours.active != place.colours.declared,
        "colours": {
            name: {
                "version": side.version,
                "endpoints": [
                    {"endpoint": without_query(server.key), "ready": ready(server.key)} for server in side.servers
                ],
            }
            for name, side in place.sides.items()
        },
        "switched": {"by": switched.by, "when": switched.when, "back": switched.before} if switched else None,
    }
