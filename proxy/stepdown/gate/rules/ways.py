"""Rules about ways: what clients could have, and what somebody promises them, they can have."""

from __future__ import annotations

from collections.abc import Iterator

from stepdown.gate.facts import ModelFacts, RouteFacts, VersionFacts
from stepdown.gate.rules.case import Case, Observation


def version_removed(case: Case) -> Iterator[Observation]:
    """A supported version that is no longer declared, or retired, before its sunset."""
    for before in case.base.models.values():
        for one in before.supported(case.today):
            now = case.head.find(before.name, one.id)
            if now is not None and not now.retired:
                continue
            model = case.head.models.get(before.name)
            place = now.place if now else (model.place if model else case.head.place)
            when = f"before its sunset ({one.sunset})" if one.sunset else "and no sunset was announced"
            sentence = f"{one.id} is {'retired' if now else 'no longer declared'} {when}"
            allowed = case.policy.remove_before_sunset
            yield Observation(place, sentence, before.name, one.id, "warning" if allowed else "error")


def path_lost(case: Case) -> Iterator[Observation]:
    """A supported version whose shape a route could give in the base, and cannot give now."""
    for before in case.base.models.values():
        model = case.head.models.get(before.name)
        if model is None:
            continue
        for one in before.supported(case.today):
            now = model.versions.get(one.id)
            if now is None or now.retired:
                continue  # `version_removed` says so; a sunset that this change itself brings forward excuses nothing
            for route in before.routes:
                if route.pins_shapes and before.delivers(route, one.id):
                    yield from _lost(model, route.name, now)


def _lost(model: ModelFacts, name: str, one: VersionFacts) -> Iterator[Observation]:
    """Why a route of the base is of no use any more; one that was removed gives way to any other."""
    same = [route for route in model.routes if route.name == name]
    routes = same or list(model.routes)
    if any(model.delivers(route, one.id) for route in routes):
        return
    if not routes:
        sentence = f"{one.id} could be had on the route {name}, and no route leads to {model.name} any more"
        yield Observation(model.place, sentence, model.name, one.id)
        return
    why = _why_not(model, routes[0], one.id)
    where = f"the route {name}" if same else f"the route {name}, which is gone, and no other gives it"
    sentence = f"{one.id} can no longer be had on {where}: {why}"
    yield Observation(routes[0].place, sentence, model.name, one.id)


def _why_not(model: ModelFacts, route: RouteFacts, version: str) -> str:
    order = list(model.versions)
    above = [served for served in route.served if order.index(served) > order.index(version)]
    if not above:
        return "its rules name no version from which it can be reached"
    return model.plan.missing(max(above, key=order.index), version)


def promise_broken(case: Case) -> Iterator[Observation]:
    """A server of a route that cannot give the default version, or what clients are pinned to."""
    for model in case.head.models.values():
        order = list(model.versions)
        for route in model.routes:
            for served, place in route.served.items():
                for pinned, who in model.promised.items():
                    if model.reaches(served, pinned) or _is_excused(model, route, served, pinned):
                        continue
                    if not route.pins_shapes and who != "the default version":
                        continue
                    older = order.index(served) < order.index(pinned)
                    why = "it is older, and adapters step down only" if older else model.plan.missing(served, pinned)
                    sentence = f"on the route {route.name} {served} cannot answer as {pinned} ({who}): {why}"
                    yield Observation(place, sentence, model.name, pinned)


def _is_excused(model: ModelFacts, route: RouteFacts, served: str, pinned: str) -> bool:
    """Whether a refusal keeps the two apart, and another server of the route gives the shape."""
    refused = model.plan.refused(served, pinned) or model.plan.refused(pinned, served)
    return refused is not None and model.delivers(route, pinned)


def refusal_unserved(case: Case) -> Iterator[Observation]:
    """A refused shape for which a route keeps no old server."""
    for model in case.head.models.values():
        for (newer, older), reason in model.plan.refusals.items():
            for one in model.supported(case.today):
                behind = model.reaches(older, one.id)
                if not behind or model.reaches(newer, one.id):
                    continue
                for route in model.routes:
                    if not route.pins_shapes or model.delivers(route, one.id):
                        continue
                    servers = [name for name, other in model.versions.items() if other.has_endpoints]
                    able = [name for name in servers if model.reaches(name, one.id)]
                    lack = f"does not name {able[-1]}, whose servers could" if able else "has no server left that could"
                    sentence = (
                        f"{newer} -> {older} is refused ({reason}), so that clients of {one.id} need an old server, "
                        f"and the route {route.name} {lack}"
                    )
                    keep = able[-1] if able else one.id
                    fix = f'name "{keep}" in a rule of routes.{route.name}, if only with the weight 0'
                    fix = fix if able else f"give {keep} endpoints, and {fix}"
                    yield Observation(model.places[newer, older], sentence, model.name, one.id, fix=fix)
