"""Switching between colours: who asked for what, whether it may be done, and what it came to.

A switch goes through these steps, and up to the last it can be refused without anything having changed:

1. name     the place and the colour are looked up (`wishes`)
2. check    the colour shows that it is ready (`readiness`), or the caller forces it
3. warm up  where the file or the caller wants it: the colour gets copies of requests until enough were answered well
            (`warming`), and is checked again
4. again    the configuration in force is looked at once more, for it may have been reloaded meanwhile; and whether the
            caller still waits, for who left has seen nothing and expects nothing
5. in force every worker prepares the new snapshot, and then all of them serve with it (`controller`)

`phases` has where a switch stands as a table. Requests that run keep the snapshot that they began with, so they finish
on the colour that they were sent to. Of one place there is one switch at a time. A second one ends a warm-up that is
under way, without anything switched; else it is refused with what is under way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from stepdown.control import warming
from stepdown.control.counting import Counted
from stepdown.control.phases import INTERRUPTIBLE, Event, Phase, after
from stepdown.control.probes import Prober
from stepdown.control.readiness import Shown, show, why_not
from stepdown.control.redact import without_query
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.state import WorkerView
from stepdown.control.warming import Warmth, not_warm, take_out, warm_up
from stepdown.control.wishes import Wish, colour_wanted, place_named, plan_wanted
from stepdown.decide.colours import BACK, Overlay, Place, places, with_switch
from stepdown.decide.spec import SnapshotSpec
from stepdown.decide.warming import cooled
from stepdown.telemetry.log import fields

logger = logging.getLogger(__name__)


class Controller(warming.Controller, Protocol):
    """What a switch needs of `control.controller`, besides what its warm-up does."""

    @property
    def overlay(self) -> Overlay:
        """In force."""

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """All of them."""

    async def worker_status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of each."""


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
    warm_up: dict[str, Any] | None = None
    """How it was warmed up (`warming.Warmth.shown`)."""
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class UnderWay:
    """A switch that is not over."""

    wish: Wish
    since: float
    """Unix seconds."""
    routes: frozenset[str]
    phase: Phase = Phase.ASKED
    warmth: Warmth | None = None
    ended_by: str = ""
    """Who asked for another switch of the place, so that this one has to end."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def to(self, event: Event) -> None:
        """Go where this leads."""
        self.phase = after(self.phase, event)

    def shown(self) -> dict[str, Any]:
        """As the admin API shows it."""
        return {
            "colour": self.wish.colour,
            "by": self.wish.by,
            "since": int(self.since),
            "phase": self.phase.value,
            "warm_up": self.warmth.shown() if self.warmth is not None else None,
        }


class Caller(NamedTuple):
    """The one who waits for an answer."""

    still_wanted: Callable[[], bool]
    """Whether it still waits."""
    prolong: Callable[[float], None] = lambda _seconds: None
    """Let it wait for so many seconds from now, if it may not anyway."""


class Switches:
    """All switches of one controller."""

    def __init__(self, controller: Controller, prober: Prober) -> None:
        self._controller = controller
        self._prober = prober
        self.under_way: dict[str, UnderWay] = {}
        """By place."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """By place and result (`done`, `forced`, `refused`), since this controller was started."""

    async def switch(self, wish: Wish, caller: Caller) -> Report:
        """Do it, or raise `SwitchRefusedError`; whether the caller waits is asked before anything is changed."""
        place = place_named(self._controller.spec, wish.place)
        await self._turn(wish, place)
        way = self.under_way[wish.place] = UnderWay(wish, time.time(), place.routes)
        try:
            report = await self._switch(way, place, caller)
        except SwitchRefusedError as refused:
            way.to(Event.STOPPED)
            if not wish.dry_run:
                self.counts[wish.place, "refused"] += 1
                facts = fields(place=wish.place, colour=wish.colour, by=wish.by, why=refused.detail)
                logger.warning("switch refused", extra=facts)
            raise
        finally:
            del self.under_way[wish.place]
            way.over.set()
        if report.changed:
            self.counts[wish.place, "forced" if report.forced else "done"] += 1
        return report

    async def _turn(self, wish: Wish, place: Place) -> None:
        """End a warm-up of the place that is under way; any other switch of it is let be, and this one refused."""
        other = self.under_way.get(wish.place)
        if other is not None and other.phase in INTERRUPTIBLE and not wish.dry_run:
            colour_wanted(wish, place, self._controller.overlay)  # what is refused anyway should end nothing
            other.ended_by = wish.by
            await other.over.wait()
            other = self.under_way.get(wish.place)
        if other is not None:
            detail = f"A switch of {wish.place} to {other.wish.colour} by {other.wish.by} is under way."
            raise SwitchRefusedError(409, "switch-under-way", detail)

    async def _switch(self, way: UnderWay, place: Place, caller: Caller) -> Report:
        wish = way.wish
        colour = colour_wanted(wish, place, self._controller.overlay)
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
        plan = plan_wanted(wish, place)
        await self._check(way, place, report, caller)
        if plan is None:
            if not wish.dry_run:
                await self._put_in_force(way, place, report)
            return report
        self._check_alone(way)
        way.warmth = Warmth(plan)
        try:
            await self._warm_up(way, way.warmth, place, report, caller)
            await self._put_in_force(way, place, report)
        finally:
            await take_out(self._controller, place)
        return report

    async def _check(self, way: UnderWay, place: Place, report: Report, caller: Caller) -> None:
        """Whether the colour is ready; a forced switch waits for nothing and takes what is known at once."""
        wish, colours, side = way.wish, place.colours, place.sides[report.colour]
        began = time.monotonic()
        within = min(colours.timeout, _FORCED_WAIT) if wish.force else colours.timeout
        report.endpoints = await show(side.servers, self._prober, ready=colours.ready, within=within)
        report.check_seconds += time.monotonic() - began
        missing = why_not(report.endpoints, colours.ready, within)
        if missing and not wish.force:
            detail = f"{report.colour} is not ready, and {report.before} stays active: {'; '.join(missing)}."
            raise SwitchRefusedError(409, "colour-not-ready", detail, endpoints=missing)
        report.forced |= bool(missing)
        report.warnings += missing
        if not caller.still_wanted():
            raise SwitchRefusedError(409, "caller-gone", "The caller left while the colour was checked.")
        way.to(Event.PASSED)

    def _check_alone(self, way: UnderWay) -> None:
        """Of one request there is one copy for a warm-up, whose shadow the one that put it in force takes out."""
        for name, other in self.under_way.items():
            if other is not way and other.warmth is not None and other.routes & way.routes:
                detail = f"A warm-up of {name} by {other.wish.by} is under way, and has copies of the same requests."
                raise SwitchRefusedError(409, "switch-under-way", detail)

    async def _warm_up(self, way: UnderWay, warmth: Warmth, place: Place, report: Report, caller: Caller) -> None:
        """Give the colour copies, see what comes of them, and check it again."""
        plan = warmth.plan
        caller.prolong(plan.longest + 2 * place.colours.timeout + _SPARE)
        way.to(Event.BEGAN)
        facts = fields(place=place.name, colour=report.colour, by=way.wish.by, seconds=plan.duration)
        logger.info("warm-up began", extra=facts)

        def interrupted() -> str:
            if way.ended_by:
                return f"{way.ended_by} asked for another switch of {place.name}."
            return "" if caller.still_wanted() else "The caller left while the colour was warmed up."

        judgement = await warm_up(self._controller, place, report.colour, warmth, interrupted)
        warmth.why = judgement.why
        report.warm_up = warmth.shown()
        if judgement.why and not way.wish.force:
            raise not_warm(report.colour, report.before, warmth)
        report.forced |= bool(judgement.why)
        report.warnings += judgement.why
        way.to(Event.WARMED)
        await self._check(way, place, report, caller)

    async def _put_in_force(self, way: UnderWay, place: Place, report: Report) -> None:
        wish, when = way.wish, int(time.time())

        def change(spec: SnapshotSpec, overlay: Overlay) -> tuple[SnapshotSpec, Overlay]:
            now = place_named(spec, wish.place)
            if now.sides != place.sides or now.colours.active != place.colours.active:
                detail = "The configuration was changed while the colour was checked; ask again."
                raise SwitchRefusedError(409, "configuration-changed", detail)
            overlay = with_switch(overlay, now, report.colour, back=wish.colour == BACK, by=wish.by, when=when)
            return (spec if way.warmth is None else cooled(spec, place.routes)), overlay

        controller = self._controller
        with Counted(controller.slabs, place.routes) as counted:
            before = counted.requests()
            applied = await controller.change(change)
            applied.check()
            now = counted.requests()
        way.to(Event.IN_FORCE)
        report.changed, report.switch_seconds = True, applied.seconds
        report.answered, report.failed = now[0] - before[0], now[1] - before[1]
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
_SPARE = 30.0
"""Seconds that a caller may wait for what takes no time of its own."""


def shown(
    spec: SnapshotSpec, overlay: Overlay, ready: Callable[[str], bool], under_way: Mapping[str, UnderWay]
) -> list[Mapping[str, Any]]:
    """Every place with its colours, and where what is in force is not what the file declares.

    `ready(key)` says whether an endpoint may get requests; `under_way` are the switches that are, by place.
    """
    return [_shown(place, overlay, ready, under_way.get(place.name)) for place in places(spec).values()]


def _shown(
    place: Place, overlay: Overlay, ready: Callable[[str], bool], under_way: UnderWay | None
) -> Mapping[str, Any]:
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
        "under_way": under_way.shown() if under_way is not None else None,
    }
