"""Warming a colour up: who gets copies of which requests, and whether what came of them is good enough.

A switch may give the colour that is to take requests copies of them first, so that caches, compilers and connection
pools are filled by the time when clients wait for its answers, and so that a colour which passes its health checks and
fails at requests is found out before. The copies are those of a shadow of the name `warm-up` on each route of the
place. It is a part of what is in force and never of the file: no file may have a shadow of that name, so whoever finds
one that no switch under way has put there knows that it is left over, and takes it out (`cooled`).

Judged are copies that were answered or have failed. A failure is what would have been one for a client: a 5xx, no
connection, no whole answer, no answer in time; also what was not even sent because the colour takes no connections any
more. An answer that says 4xx is none: copies carry no credentials, and clients make mistakes. What was not copied for
want of room says nothing about the colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from stepdown.decide.colours import Place
from stepdown.decide.shadow_spec import Examples, Shadow
from stepdown.decide.spec import Route, Rule, SnapshotSpec, WarmUp
from stepdown.decide.when import EVERYONE, All, Not, When

WARM_UP = "warm-up"
"""Name of the shadows that a switch makes; no file may have it."""

LONGEST = 3600.0
"""Seconds that any part of it may take."""
Seconds = Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]

_ANSWERED = ("answered", "too-large")
_FAILED = ("error", "refused", "reset", "cut", "timeout", "malformed")
_DOWN = "down"
"""Reason for which a copy is not sent: no endpoint takes connections."""


class WarmUpAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody who switches wants otherwise than the file (`spec.WarmUp` says what each means)."""

    percent: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    duration: Seconds | None = None
    timeout: Seconds | None = None
    min_copies: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    max_errors: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    deadline: Seconds | None = None


def planned(asked: WarmUpAsked | bool | None, declared: WarmUp | None) -> WarmUp | None:
    """How a colour is warmed up by what was asked and what the file says; `None` where it is not."""
    if asked is None or asked is False:
        return declared if asked is None else None
    plan = declared or WarmUp()
    if asked is True:
        return plan
    wanted = {name: value for name in asked.__struct_fields__ if (value := getattr(asked, name)) is not None}
    return msgspec.structs.replace(plan, **wanted)


# --- what is copied -------------------------------------------------------------------------------------------------


def warmed(spec: SnapshotSpec, place: Place, colour: str, plan: WarmUp) -> SnapshotSpec:
    """A specification in which `colour` gets copies of what the other one serves."""
    side = place.sides[colour]
    idle = len({one.version for one in place.sides.values()}) == 1
    routes = tuple(
        _with_shadow(route, _shadow(route, side.version, plan, idle=idle)) if route.name in place.routes else route
        for route in cooled(spec, place.routes).routes
    )
    return msgspec.structs.replace(spec, routes=routes)


def _shadow(route: Route, version: str, plan: WarmUp, *, idle: bool) -> Shadow:
    """Of answers no examples are kept: nobody asked for a comparison."""
    return Shadow(
        name=WARM_UP,
        version=version,
        percent=plan.percent,
        when=EVERYONE if idle else _of_coloured(route.rules),
        deadline=plan.deadline,
        idle=idle,
        examples=Examples(keep=0),
    )


def _of_coloured(rules: Iterable[Rule]) -> When:
    """Whose requests the rule with colours gets: of those for whom it holds, those that no rule before it takes."""
    tests: list[When] = []
    for rule in rules:
        if rule.colours is not None:
            tests += [rule.when] if rule.when != EVERYONE else []
            break
        tests.append(Not(test=rule.when))
    return All(tests=tuple(tests))


def _with_shadow(route: Route, shadow: Shadow) -> Route:
    return msgspec.structs.replace(route, shadows=(*route.shadows, shadow))


def cooled(spec: SnapshotSpec, routes: frozenset[str] | None = None) -> SnapshotSpec:
    """A specification without warm-ups on these routes, or on any; the same object where there are none."""
    if not any(is_warming(route) and (routes is None or route.name in routes) for route in spec.routes):
        return spec
    left = tuple(
        msgspec.structs.replace(route, shadows=tuple(one for one in route.shadows if one.name != WARM_UP))
        if is_warming(route) and (routes is None or route.name in routes)
        else route
        for route in spec.routes
    )
    return msgspec.structs.replace(spec, routes=left)


def is_warming(route: Route) -> bool:
    """Whether a colour gets copies of the route's requests."""
    return any(shadow.name == WARM_UP for shadow in route.shadows)


# --- what came of it ------------------------------------------------------------------------------------------------


class Copies(NamedTuple):
    """What became of copies."""

    outcomes: Mapping[str, int] = {}
    """Of copies that were sent, by outcome (`stepdown_shadow_copies_total`)."""
    client_errors: int = 0
    """Answers that say 4xx, which are among the answered."""
    skipped: Mapping[str, int] = {}
    """Requests that were due and not copied, by reason (`stepdown_shadow_skipped_total`)."""

    @property
    def answered(self) -> int:
        """With anything but a 5xx."""
        return sum(self.outcomes.get(name, 0) for name in _ANSWERED)

    @property
    def failures(self) -> dict[str, int]:
        """By what went wrong, the most frequent first."""
        counts = {name: self.outcomes.get(name, 0) for name in _FAILED} | {_DOWN: self.skipped.get(_DOWN, 0)}
        return {name: count for name, count in sorted(counts.items(), key=lambda one: -one[1]) if count}

    @property
    def failed(self) -> int:
        """All of these."""
        return sum(self.failures.values())

    @property
    def judged(self) -> int:
        """Copies that say something about the colour."""
        return self.answered + self.failed

    def since(self, before: Copies) -> Copies:
        """What came after `before` was counted."""
        return Copies(
            _less(self.outcomes, before.outcomes),
            self.client_errors - before.client_errors,
            _less(self.skipped, before.skipped),
        )


def _less(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    left = {name: count - before.get(name, 0) for name, count in now.items()}
    return {name: count for name, count in left.items() if count}


class State(StrEnum):
    """What is said of a warm-up."""

    GOES_ON = "goes on"
    WARM = "warm"
    NOT_WARM = "not warm"


class Judgement(NamedTuple):
    """What is said, and why not where it is not warm."""

    state: State
    why: tuple[str, ...] = ()


def judge(copies: Copies, plan: WarmUp, seconds: float) -> Judgement:
    """What is said `seconds` after the copies began; it is not over before its time, however well it goes."""
    few = copies.judged < plan.min_copies
    if seconds < (plan.longest if few else plan.duration):
        return Judgement(State.GOES_ON)
    why: list[str] = []
    if few:
        why.append(
            f"{copies.judged} copies were answered or failed within {seconds:.3g} s, and {plan.min_copies} are needed"
            f"{_told(': not copied were ', copies.skipped)}"
        )
    if copies.judged and copies.failed > plan.max_errors * copies.judged:
        share = _percent(copies.failed / copies.judged)
        why.append(
            f"{copies.failed} of {copies.judged} copies failed, which is {share}, over {_percent(plan.max_errors)}"
            f"{_told(': ', copies.failures)}"
        )
    return Judgement(State.NOT_WARM, tuple(why)) if why else Judgement(State.WARM)


def left(plan: WarmUp, copies: Copies, seconds: float) -> float:
    """Seconds until it is over: the least time, and then as long as it may be waited for copies."""
    end = plan.duration if seconds < plan.duration or copies.judged >= plan.min_copies else plan.longest
    return max(0.0, end - seconds)


def told(counts: Mapping[str, int]) -> str:
    """`12 timeout, 3 reset`."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _told(before: str, counts: Mapping[str, int]) -> str:
    return f"{before}{told(counts)}" if counts else ""


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
