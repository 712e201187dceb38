"""Proof that clients get the shape they were promised, whichever version's server answers (docs/design.md).

A route may be answered by every version that any of its rules names: those without a weight, and those of `instead`,
stand in for those that are down. The default version and every `clients` pin must be reachable from *each* of them,
every other declared version that is not retired from at least one. What a rollout brings in has to keep the promises
as well, although it gets nothing until it is started: so they hold at all of its steps, for segments too, and after it
was taken back. On a route with `pin: server`, a `clients` pin means a server instead of a shape.

Where a step is declared to be impossible (`refuse`), two versions are kept apart: neither has to give the other's
shape, but some version of the route has to give each of them, so that an old server stays for those who rely on it.

Shadows promise nothing: copies for clients whose shape the shadow's version cannot give are just not compared, which is
worth a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.pins import Pins, Served
from stepdown.config.compile.rules import DraftRoute
from stepdown.config.compile.versions import Versions
from stepdown_adapters.plan import Plan


def can_reach(plan: Plan, served: str, pinned: str) -> bool:
    """Whether an answer of `served` can be given the shape of `pinned`."""
    return served == pinned or (served, pinned) in plan.chains


def kept_apart(plan: Plan, routed: Iterable[str], served: str, pinned: str) -> bool:
    """Whether a refusal excuses `served` from giving the shape of `pinned`, because another routed version does."""
    refused = plan.refused(served, pinned) or plan.refused(pinned, served)
    return refused is not None and any(can_reach(plan, other, pinned) for other in routed)


def served_by(routes: Sequence[DraftRoute], versions: Versions, plan: Plan) -> Served:
    """Who may answer, and so says which shapes `latest` and ranges mean.

    Candidates of rollouts count where they have a shape in common with the others, so that it stays the same when one
    is promoted.
    """
    last = [route.rules[-1] for route in routes]
    return Served(
        _agreeing(_all(route.served for route in routes), _all(route.brought_in for route in routes), versions, plan),
        _agreeing(_all(rule.places for rule in last), _all(rule.candidate for rule in last), versions, plan),
    )


def _all(groups: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(version for group in groups for version in group)


def _agreeing(serving: frozenset[str], candidates: frozenset[str], versions: Versions, plan: Plan) -> frozenset[str]:
    every = serving | candidates
    current = [one.id for one in versions if not one.section.retired]
    shared = any(all(can_reach(plan, version, shape) for version in every) for shape in current)
    return every if shared else serving


def prove(route: DraftRoute, versions: Versions, pins: Pins, plan: Plan, checker: Checker) -> None:
    """Note an error for each promise that a route cannot keep."""
    promised = {pins.default: "the default version"}
    for index, entry in enumerate(pins.clients):
        if route.section.pin == "shape":
            promised.setdefault(entry.version, "pinned by an entry of clients")
        elif entry.version not in versions.served:
            at = ("models", route.model, "clients", index, "version")
            problem = f"found {entry.version}, which has no endpoints, but the route {route.name} pins servers"
            checker.error(at, problem, "a version that servers run, or pin: shape")
    for rule in route.rules:
        for served, place in (rule.candidate | rule.all_places).items():
            for pinned, who in promised.items():
                if not can_reach(plan, served, pinned) and not kept_apart(plan, route.served, served, pinned):
                    reason, remedy = _why_not(route, served, pinned, versions, plan)
                    problem = f"{served} cannot answer in the shape of {pinned} ({who}): {reason}"
                    checker.error(place, problem, remedy, of_key=True)
    if route.section.pin == "shape":
        _prove_others(route, versions, promised, plan, checker)
    _warn_of_shadows(route, versions, pins.default, plan, checker)


def _prove_others(
    route: DraftRoute, versions: Versions, promised: dict[str, str], plan: Plan, checker: Checker
) -> None:
    for one in versions:
        reachable = any(can_reach(plan, served, one.id) for served in route.served)
        if one.id in promised or one.section.retired or reachable:
            continue
        if one.is_served and (one.id in route.copying.versions or one.id in route.brought_in):
            continue  # tried out, and not asked for yet
        if one.is_served:
            problem = (
                f"clients that ask for {one.id} get 406 on the route {route.name}: none of its rules names {one.id}"
            )
            checker.warn(one.path, problem, f'a rule that names it, if only with no weight: "{one.id}": 0', of_key=True)
            continue
        newest = max(route.served, key=versions.ids.index)
        reason, remedy = _why_not(route, newest, one.id, versions, plan)
        problem = f"no version can answer in the shape of {one.id}: {reason}"
        checker.error(route.path, problem, f"{remedy}, or retired: true for {one.id}", of_key=True)


def _warn_of_shadows(route: DraftRoute, versions: Versions, default: str, plan: Plan, checker: Checker) -> None:
    """Note whose copies are not compared, and copies that there will never be."""
    if route.section.pin == "shape":
        asked = [one.id for one in versions if not one.section.retired]
        shapes = [pinned for pinned in asked if any(can_reach(plan, served, pinned) for served in route.served)]
    else:
        shapes = [version for version in versions.ids if version == default or version in route.served]
    for draft in route.copying.shadows:
        version, at = draft.shadow.version, (*draft.path, "version")
        if route.served == {version}:
            problem = (
                f"never copied: {version} serves all requests of the route {route.name}, and is not copied its own"
            )
            checker.warn(at, problem, "another version")
            continue
        reasons: dict[tuple[str, str], list[str]] = {}
        for pinned in shapes:
            if not can_reach(plan, version, pinned):
                reasons.setdefault(_why_not(route, version, pinned, versions, plan), []).append(pinned)
        for (reason, remedy), missed in reasons.items():
            whom = "nobody" if missed == shapes else f"no client of {' or '.join(missed)}"
            checker.warn(at, f"compared for {whom}: {reason}", remedy)


def _why_not(route: DraftRoute, served: str, pinned: str, versions: Versions, plan: Plan) -> tuple[str, str]:
    """Why `pinned` cannot be had from `served`, and what would help."""
    if versions.ids.index(served) < versions.ids.index(pinned):
        return "it is older, and adapters step down only", f"versions from {pinned} on, or an older pin"
    missing = plan.missing(served, pinned)
    if plan.refused(served, pinned) is not None:
        return missing, f"an old server for {pinned}: endpoints, and a rule that names it"
    return missing, f"an adapter for it in models.{route.model}.adapters"
