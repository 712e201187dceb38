"""Blue and green: what can be switched, what was switched by hand, and what follows from both.

A place has two colours, of which one is active and takes the requests. It is either a rule, each of whose colours is a
version (then the place has the route's name), or a version, each of whose colours is a set of endpoints (then it is
called `model/version`). The file says which colour is active at first; what was switched by hand lies over the file:

    what is in force = the file + the overlay

An entry of the overlay remembers what the file said when the switch was made. It holds for as long as the file still
says that. Once the file's `active` is another, the file has been edited after the switch, and its word counts: the
entry is dropped, also where both say the same then. An entry whose place or colour is no longer in the file is dropped
too. Nothing else that changes in a file touches the overlay: not which version a colour has, nor which endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from stepdown.decide.spec import Colours, Endpoint, HealthCheck, Model, Route, Rule, SnapshotSpec, Version

BACK = "back"
"""Asks for the colour that was active before the last switch; no colour can have this name."""


class Server(NamedTuple):
    """One endpoint, as health checks know it."""

    key: str
    """`model/version/endpoint-id`."""
    endpoint: Endpoint
    health: HealthCheck


class Colour(NamedTuple):
    """One of the two sets of servers of a place."""

    version: str
    servers: tuple[Server, ...]


class Place(NamedTuple):
    """What can be switched."""

    name: str
    """`route`, or `model/version`."""
    colours: Colours
    sides: Mapping[str, Colour]
    """By name of the colour, in the file's order."""
    routes: frozenset[str]
    """Names of the routes whose requests a switch moves."""


class Switched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One switch made by hand."""

    colour: str
    declared: str
    """The file's `active` at the time of the switch: the entry holds while the file says the same."""
    before: str
    """What `back` leads to: the colour that was active before the last switch that was not one back."""
    by: str
    """Name of the token that it was made with."""
    when: int
    """Unix seconds."""


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that was switched by hand and still holds, by name of the place."""

    revision: int = 0
    """One more with every change: of two overlays, the later one counts."""
    switched: dict[str, Switched] = {}


class Dropped(NamedTuple):
    """An entry that the file took back."""

    place: str
    switched: Switched
    why: str


NOTHING_SWITCHED = Overlay()


def places(spec: SnapshotSpec) -> dict[str, Place]:
    """Everything that can be switched, by name."""
    models = {model.name: model for model in spec.models}
    of_routes = (_of_route(route, rule, models[route.model]) for route, rule in _coloured_rules(spec))
    of_versions = (
        _of_version(model, version, version.colours, spec)
        for model in spec.models
        for version in model.versions
        if version.colours is not None
    )
    return {place.name: place for place in (*of_routes, *of_versions) if place is not None}


def _coloured_rules(spec: SnapshotSpec) -> Iterator[tuple[Route, Rule]]:
    return ((route, rule) for route in spec.routes for rule in route.rules if rule.colours is not None)


def _of_route(route: Route, rule: Rule, model: Model) -> Place | None:
    if rule.colours is None:
        return None
    versions = {version.id: version for version in model.versions}
    sides = {
        name: Colour(version, _servers(model, versions[version], versions[version].endpoints))
        for name, (version, _weight) in zip(rule.colours.names, rule.split, strict=True)
    }
    return Place(route.name, rule.colours, sides, frozenset({route.name}))


def _of_version(model: Model, version: Version, colours: Colours, spec: SnapshotSpec) -> Place:
    sides = {
        name: Colour(
            version.id, _servers(model, version, version.endpoints if name == colours.active else version.idle)
        )
        for name in colours.names
    }
    routes = frozenset(route.name for route in spec.routes if route.model == model.name)
    return Place(f"{model.name}/{version.id}", colours, sides, routes)


def _servers(model: Model, version: Version, endpoints: tuple[Endpoint, ...]) -> tuple[Server, ...]:
    return tuple(Server(f"{model.name}/{version.id}/{one.id}", one, version.health) for one in endpoints)


# --- the overlay ----------------------------------------------------------------------------------------------------


def with_switch(overlay: Overlay, place: Place, colour: str, *, back: bool, by: str, when: int) -> Overlay:
    """The overlay after a switch of `place` to `colour`."""
    known = overlay.switched.get(place.name)
    before = known.before if back and known is not None else place.colours.active
    entry = Switched(colour=colour, declared=place.colours.declared, before=before, by=by, when=when)
    return Overlay(revision=overlay.revision + 1, switched={**overlay.switched, place.name: entry})


def kept(overlay: Overlay, spec: SnapshotSpec) -> tuple[Overlay, tuple[Dropped, ...]]:
    """What of an overlay still holds over a file's specification, and what does not, with the reason."""
    known = places(spec)
    dropped = tuple(
        Dropped(name, entry, why)
        for name, entry in overlay.switched.items()
        if (why := _why_not(entry, known.get(name))) is not None
    )
    if not dropped:
        return overlay, ()
    gone = {one.place for one in dropped}
    left = {name: entry for name, entry in overlay.switched.items() if name not in gone}
    return Overlay(revision=overlay.revision + 1, switched=left), dropped


def _why_not(entry: Switched, place: Place | None) -> str | None:
    """Why an entry holds no more; `None` where it does."""
    if place is None:
        return "the file has no colours there any more"
    colours = place.colours
    if entry.colour not in colours.names:
        return f"the file has no colour {entry.colour} there any more"
    if colours.declared != entry.declared:
        return f"the file's active was changed from {entry.declared} to {colours.declared}"
    return None


def overlaid(spec: SnapshotSpec, overlay: Overlay) -> SnapshotSpec:
    """A specification with the overlay over what its file declares, whatever lay over it before.

    The same object where nothing changes: most files have no colours.
    """
    known = places(spec)
    wanted = {
        name: overlay.switched[name].colour if name in overlay.switched else place.colours.declared
        for name, place in known.items()
    }
    if all(wanted[name] == place.colours.active for name, place in known.items()):
        return spec
    return msgspec.structs.replace(
        spec,
        models=tuple(_model(model, wanted) for model in spec.models),
        routes=tuple(_route(route, wanted) for route in spec.routes),
    )


def _model(model: Model, wanted: Mapping[str, str]) -> Model:
    versions = tuple(_version(version, wanted.get(f"{model.name}/{version.id}")) for version in model.versions)
    return msgspec.structs.replace(model, versions=versions)


def _version(version: Version, colour: str | None) -> Version:
    colours = version.colours
    if colours is None or colour is None or colours.active == colour:
        return version
    active = msgspec.structs.replace(colours, active=colour)
    return msgspec.structs.replace(version, endpoints=version.idle, idle=version.endpoints, colours=active)


def _route(route: Route, wanted: Mapping[str, str]) -> Route:
    if route.name not in wanted:
        return route
    colour = wanted[route.name]
    return msgspec.structs.replace(route, rules=tuple(_rule(rule, colour) for rule in route.rules))


def _rule(rule: Rule, colour: str) -> Rule:
    colours = rule.colours
    if colours is None or colours.active == colour:
        return rule
    active = msgspec.structs.replace(colours, active=colour)
    split = tuple((version, int(name == colour)) for name, (version, _) in zip(colours.names, rule.split, strict=True))
    return msgspec.structs.replace(rule, split=split, colours=active)


# --- for people -----------------------------------------------------------------------------------------------------


def told(colours: Colours, versions: tuple[str, ...] = ()) -> str:
    """`blue (active) and green`, each with its version where that is what tells them apart."""
    labels = versions or ("", "")
    marks = (" (active)" if name == colours.active else "" for name in colours.names)
    both = (
        f"{name}{f' {version}' if version else ''}{mark}"
        for name, version, mark in zip(colours.names, labels, marks, strict=True)
    )
    by_hand = "" if colours.active == colours.declared else f", switched by hand: the file says {colours.declared}"
    return " and ".join(both) + by_hand
