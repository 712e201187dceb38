"""Colours of the file to those of a snapshot: two sets of endpoints of a version, or two versions of a rule."""

from __future__ import annotations

from collections.abc import Iterable

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.endpoints import endpoints_by_colour
from stepdown.config.compile.resources import Resources
from stepdown.config.compile.versions import Declared
from stepdown.config.file import RuleSection, VersionSection
from stepdown.config.file.colours import WarmUpSection
from stepdown.config.tree import Path
from stepdown.decide import spec

Endpoints = tuple[spec.Endpoint, ...]


def endpoints_of_colours(
    one: Declared, resources: Resources, checker: Checker
) -> tuple[Endpoints, Endpoints, spec.Colours | None]:
    """Endpoints that take requests, those of the other colour, and the colours; of a version without, all and none."""
    by_colour = endpoints_by_colour(one.section, one.path, resources, checker)
    colours = colours_of(one.section, one.section.colours)
    if colours is None:
        return by_colour[""], (), None
    idle = next(name for name in colours.names if name != colours.active)
    return by_colour[colours.active], by_colour[idle], colours


def colours_of(section: VersionSection | RuleSection, names: Iterable[str]) -> spec.Colours | None:
    """The colours of these names; `None` where there are none."""
    named = tuple(names)
    if section.active is None or len(named) != 2:
        return None
    first, second = named
    return spec.Colours(
        names=(first, second),
        active=section.active,
        declared=section.active,
        ready=section.switch.ready,
        timeout=section.switch.timeout,
        warm_up=_warm_up(section.switch.warm_up),
    )


def _warm_up(section: WarmUpSection | None) -> spec.WarmUp | None:
    if section is None:
        return None
    return spec.WarmUp(
        percent=section.percent,
        duration=section.duration,
        timeout=section.timeout,
        min_copies=section.min_copies,
        max_errors=section.max_errors,
        deadline=section.deadline,
    )


def check_one_place(rules: Iterable[tuple[Path, spec.Rule]], checker: Checker) -> None:
    """A switch names a route, so of its rules one at most has colours."""
    coloured = [path for path, rule in rules if rule.colours is not None]
    for path in coloured[1:]:
        problem = "found colours in a second rule of the route, and a switch names the route"
        checker.error((*path, "colours"), problem, "colours in one rule; another route for the other", of_key=True)
