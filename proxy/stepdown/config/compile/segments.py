"""Segments: their conditions, circles among them, who uses them, and what they need of a route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stepdown.config.compile.checker import Checker
from stepdown.config.compile.conditions import WhenCompiler
from stepdown.config.compile.rules import DraftRoute
from stepdown.config.file import RootFile
from stepdown.config.file.match import template_names
from stepdown.config.findings import listed
from stepdown.config.tree import Path
from stepdown.decide import when
from stepdown.decide.inputs import inputs_of

_DEEPEST = 50
"""So many segments may name each other in a row; who evaluates them goes as deep."""


def segments_of(file: RootFile, compiler: WhenCompiler, checker: Checker) -> tuple[when.Segment, ...]:
    """All segments in the file's order; none of them where they go in a circle, or too deep."""
    segments: list[when.Segment] = []
    for name, section in file.segments.items():
        path: Path = ("segments", name)
        if section.is_empty and not checker.is_damaged(*path):
            checker.error(path, "found no condition", "at least one")
        segments.append(when.Segment(name, compiler.compiled(section, path, f"segment/{name}")))
    return () if _has_circles(segments, checker) else tuple(segments)


def _has_circles(segments: Iterable[when.Segment], checker: Checker) -> bool:
    """Whether segments lead back to themselves, or name each other too deep to be evaluated; notes where."""
    named = {segment.name: tuple(named_by(segment.when)) for segment in segments}
    depths: dict[str, int] = {}
    found = False

    def depth_of(name: str, way: tuple[str, ...]) -> int:
        """How many segments are below one another from this one on, as far as that is of interest."""
        nonlocal found
        if name in way:
            circle = " -> ".join((*way[way.index(name) :], name))
            problem = f"found segments in a circle: {circle}"
            checker.error(("segments", name), problem, "segments that do not lead back to themselves", of_key=True)
            found = True
            return 0
        if name not in depths:
            deeper = len(way) < _DEEPEST  # else it is too deep, whatever else it names
            below = (depth_of(other, (*way, name)) for other in named.get(name, ()) if deeper)
            depths[name] = 1 + max(below, default=0) if deeper else _DEEPEST
        return depths[name]

    for name in named:
        if depth_of(name, ()) > _DEEPEST and not found:
            problem = f"found more than {_DEEPEST} segments that name each other in a row"
            checker.error(("segments", name), problem, "fewer, or conditions of their own in some of them", of_key=True)
            found = True
    return found


def named_by(condition: when.When) -> Iterator[str]:
    """Names of the segments in a condition, each once."""
    yield from dict.fromkeys(leaf.name for leaf in when.leaves(condition) if isinstance(leaf, when.InSegment))


def check_uses(
    segments: tuple[when.Segment, ...], routes: Iterable[DraftRoute], file: RootFile, checker: Checker
) -> None:
    """Note what a route lacks for its conditions, and segments that none of them asks for."""
    conditions = {segment.name: segment.when for segment in segments}
    used: set[str] = set()
    unknown = False
    for route in routes:
        for condition, path in route.conditions():
            named = _reached(condition, conditions)
            unknown = unknown or not named <= conditions.keys()
            if named <= conditions.keys():
                _check_condition(condition, path, route, conditions, file, checker)
            used |= named
    if unknown or checker.is_damaged("routes"):  # whoever wrote a name wrongly may have meant any of them
        return
    for name in conditions.keys() - used:
        checker.warn(("segments", name), "used by no rule", "`when: {segment: NAME}` in a rule", of_key=True)


def _reached(condition: when.When, segments: Mapping[str, when.When]) -> set[str]:
    reached: set[str] = set()
    waiting = [condition]
    while waiting:
        for name in named_by(waiting.pop()):
            if name not in reached:
                reached.add(name)
                waiting += [segments[name]] if name in segments else []
    return reached


def _check_condition(  # noqa: PLR0917 - what is checked, and all that it is checked against
    condition: when.When,
    path: Path,
    route: DraftRoute,
    segments: Mapping[str, when.When],
    file: RootFile,
    checker: Checker,
) -> None:
    inputs = inputs_of([condition], segments)
    if inputs.key and not route.section.key and not checker.is_damaged(*route.path, "key"):
        problem = f"found percent or key_in, and the route {route.name} has no key"
        checker.error(path, problem, "them on a route with a key: where a request says whose it is", of_key=True)
    if inputs.client and file.trusted_hops is None:
        allowed = "client together with trusted_hops (0 where no proxy is in front), so that clients cannot choose it"
        checker.error(path, "found client without trusted_hops", allowed, of_key=True)
    known = template_names(route.section.match.path or route.section.match.path_prefix or "")
    for name in sorted(inputs.params - set(known)):
        problem = f"found param {name}, which the path of the route {route.name} does not have"
        checker.error(path, problem, f"a {{name}} of its path: {listed(known) or 'it has none'}", of_key=True)
