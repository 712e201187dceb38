"""What a caller asks for, and what is meant by it: the place, the colour, and how it is warmed up."""

from __future__ import annotations

from dataclasses import dataclass

from stepdown.control.refusals import SwitchRefusedError
from stepdown.decide.colours import BACK, Overlay, Place, places
from stepdown.decide.spec import SnapshotSpec, WarmUp
from stepdown.decide.warming import WarmUpAsked, planned


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
    warm_up: WarmUpAsked | bool | None = None
    """`None`: as the file says."""


def place_named(spec: SnapshotSpec, name: str) -> Place:
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


def colour_wanted(wish: Wish, place: Place, overlay: Overlay) -> str:
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


def plan_wanted(wish: Wish, place: Place) -> WarmUp | None:
    """How the colour is warmed up; `None` where it is not.

    Whoever goes back, forces, or only tries does not want to wait for what the file says: there it has to be asked for.
    """
    if wish.dry_run and wish.warm_up:
        raise SwitchRefusedError(400, "bad-request", "A dry run changes nothing, so it sends no copies either.")
    in_a_hurry = wish.colour == BACK or wish.force or wish.dry_run
    return planned(wish.warm_up, None if in_a_hurry and wish.warm_up is None else place.colours.warm_up)
