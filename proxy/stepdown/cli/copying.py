"""What the routes of a configuration copy, and for whom, for `stepdown check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepdown.decide import spec
from stepdown.decide.sentences import sentence_of
from stepdown.decide.when import EVERYONE, When

Row = tuple[str, ...]

RECORDING = "recording"


def conditions(snapshot: spec.SnapshotSpec) -> Mapping[str, When]:
    """The conditions of what is copied, by whose they are: `shadow ROUTE/NAME`, `recording ROUTE`."""
    routes = snapshot.routes
    shadows = {f"shadow {route.name}/{shadow.name}": shadow.when for route in routes for shadow in route.shadows}
    return shadows | {f"{RECORDING} {route.name}": route.record.when for route in routes if route.record is not None}


def rows(snapshot: spec.SnapshotSpec) -> tuple[Row, ...]:
    """A head, and one row for each shadow and recording; nothing where nothing is copied."""
    found = [row for route in snapshot.routes for row in _rows(route)]
    return (("route", "shadow", "to", "of", "who"), *found) if found else ()


def _rows(route: spec.Route) -> Iterator[Row]:
    for one in route.shadows:
        unit = "keys" if one.per == "key" else "requests"
        yield route.name, one.name, one.version, f"{one.percent:g} % of {unit}", _who(one.when)
    if route.record is not None:
        share = f"{route.record.sample * 100:g} % of requests"
        yield route.name, RECORDING, route.record.folder, share, _who(route.record.when)


def _who(condition: When) -> str:
    return "everyone" if condition == EVERYONE else sentence_of(condition)


def as_json(route: spec.Route) -> Mapping[str, Any]:
    """The same of one route, for machines."""
    recording = route.record
    return {
        "shadows": {
            one.name: {"version": one.version, "percent": one.percent, "per": one.per, "who": _who(one.when)}
            for one in route.shadows
        },
        "record": {"folder": recording.folder, "sample": recording.sample, "who": _who(recording.when)}
        if recording is not None
        else None,
    }
