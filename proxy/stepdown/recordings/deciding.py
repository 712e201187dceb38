"""What is recorded of a request because it decides: without it nobody could say later why this version served it."""

from __future__ import annotations

from typing import NamedTuple

from stepdown.decide import spec
from stepdown.decide.driving import by_name, effective
from stepdown.decide.flag_view import compiled_flags
from stepdown.decide.needs import Needs, needs_of
from stepdown.decide.pins import HEADER


class Deciding(NamedTuple):
    """Names of what decides on one route."""

    headers: tuple[str, ...] = (HEADER.decode(),)
    """Lower case."""
    cookies: tuple[str, ...] = ()
    """Without Stepdown's own, which is known by the key's digest."""
    client: bool = False
    """The client's address is among it."""


VERSION_ONLY = Deciding()
"""The version that is asked for, which always decides."""


def deciding(specification: spec.SnapshotSpec, route: spec.Route) -> Deciding:
    """What finds this route among the others, and what is decided on it."""
    segments = {segment.name: segment.when for segment in specification.segments}
    models = {model.name: model for model in specification.models}
    needs = Needs()
    for one in specification.routes:
        needs.read_match(one.match)
    route = effective(route, by_name(specification))
    needs.add(needs_of(route, models[route.model], segments, compiled_flags(specification.flags)))
    return Deciding(needs.of("header"), needs.of("cookie"), needs.client)
