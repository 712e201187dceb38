"""A warm-up under way: its shadow is put in force, its copies are counted until something can be said, and it goes.

What can end it before its time is looked at four times a second: the caller left, somebody asked for another switch of
the same place, the file was put in force again (which takes the shadow out), the sidecar is being drained. What kills
this process ends it too: the one that follows puts the file in force, which has no such shadow.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stepdown.control.counting import Counted
from stepdown.control.refusals import Applied, SwitchRefusedError
from stepdown.decide.colours import Overlay, Place
from stepdown.decide.spec import SnapshotSpec, WarmUp
from stepdown.decide.warming import Copies, Judgement, State, cooled, is_warming, judge, left, told, warmed
from stepdown.telemetry.slab import SlabReader

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds."""
ATTEMPTS = 3
"""To take the shadow out, where a worker cannot prepare what it served with before."""

Change = Callable[[SnapshotSpec, Overlay], tuple[SnapshotSpec, Overlay]]


class Controller(Protocol):
    """What a warm-up needs of `control.controller`."""

    @property
    def spec(self) -> SnapshotSpec:
        """In force."""

    @property
    def draining(self) -> bool:
        """Whether the sidecar is on its way out."""

    @property
    def slabs(self) -> Sequence[SlabReader]:
        """Counters of the workers and of the comparer."""

    async def change(self, change: Change) -> Applied:
        """Put something else in force, after whatever reload is under way; what `change` raises changes nothing."""


@dataclass(slots=True)
class Warmth:
    """How far a warm-up has come."""

    plan: WarmUp
    seconds: float = 0.0
    """Since the shadow is in force."""
    copies: Copies = field(default_factory=Copies)
    why: tuple[str, ...] = ()
    """Why it is not warm, where it was forced."""

    def shown(self) -> dict[str, Any]:
        """As the admin API shows it."""
        copies = self.copies
        return {
            "percent": self.plan.percent,
            "duration": self.plan.duration,
            "seconds": round(self.seconds, 1),
            "seconds_left": round(left(self.plan, copies, self.seconds), 1),
            "copies": copies.judged,
            "min_copies": self.plan.min_copies,
            "answered": copies.answered,
            "failed": copies.failed,
            "max_errors": self.plan.max_errors,
            "failures": copies.failures,
            "client_errors": copies.client_errors,
            "skipped": dict(copies.skipped),
            "why_not": list(self.why),
        }


async def warm_up(
    controller: Controller, place: Place, colour: str, warmth: Warmth, interrupted: Callable[[], str]
) -> Judgement:
    """Give the colour copies until something can be said of it; `warmth` is kept up to date meanwhile.

    Leaves the shadow in force, for whoever takes it out together with the switch, or with `take_out`.
    `interrupted()` tells why it has to end at once, or nothing. Raises `SwitchRefusedError`.
    """

    def begin(spec: SnapshotSpec, overlay: Overlay) -> tuple[SnapshotSpec, Overlay]:
        return warmed(spec, place, colour, warmth.plan), overlay

    with Counted(controller.slabs, place.routes) as counted:
        before = counted.copies()
        (await controller.change(begin)).check()
        began = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            warmth.seconds = time.monotonic() - began
            warmth.copies = counted.copies().since(before)
            why = interrupted() or _ended(controller, place)
            if why:
                raise SwitchRefusedError(409, "warm-up-interrupted", f"{why} {progress(warmth)}", **_numbers(warmth))
            judgement = judge(warmth.copies, warmth.plan, warmth.seconds)
            if judgement.state is not State.GOES_ON:
                return judgement


async def take_out(controller: Controller, place: Place) -> None:
    """Take the shadow out, if it is (still) in force."""
    for _attempt in range(ATTEMPTS):
        if not _is_in_force(controller, place, any):
            return
        applied = await controller.change(lambda spec, overlay: (cooled(spec, place.routes), overlay))
        if not applied.refusals:
            return
        await asyncio.sleep(LOOK_EVERY)
    logger.error("a warm-up could not be taken out; a reload does it: %s", "; ".join(applied.refusals))


def _ended(controller: Controller, place: Place) -> str:
    if controller.draining:
        return "The sidecar is being drained."
    if not _is_in_force(controller, place, all):
        return "The configuration was put in force again while the colour was warmed up; ask again."
    return ""


def _is_in_force(controller: Controller, place: Place, quantity: Callable[[list[bool]], bool]) -> bool:
    return quantity([is_warming(route) for route in controller.spec.routes if route.name in place.routes])


def _numbers(warmth: Warmth) -> dict[str, Any]:
    return {"warm_up": warmth.shown()}


def not_warm(colour: str, before: str, warmth: Warmth) -> SwitchRefusedError:
    """The refusal of a colour that is not warm."""
    detail = f"{colour} is not warm, and {before} stays active: {'; '.join(warmth.why)}."
    return SwitchRefusedError(409, "colour-not-warm", detail, **_numbers(warmth))


def progress(warmth: Warmth) -> str:
    """How far it had come, as a sentence."""
    copies = warmth.copies
    failures = f" ({told(copies.failures)})" if copies.failures else ""
    return f"After {warmth.seconds:.3g} s {copies.answered} copies were answered and {copies.failed} failed{failures}."
