"""Reports of one shadow put together: of several processes, of one that was started anew, of all pinned versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stepdown.comparison.matrices import merged_matrices
from stepdown.comparison.report import (
    ENTRIES,
    NUMERIC,
    OTHER,
    PATHS,
    SECTIONS,
    Drift,
    PathCounts,
    Report,
    Section,
    Sides,
)
from stepdown.comparison.sketch import merged as sketches

Part = TypeVar("Part")

KEPT = 20
"""Examples of a merged section, of each sort."""
_COUNTS = (
    "compared", "equal", "invalid_served", "invalid_candidate", "checked", "both", "candidate_only", "noise_only",
    "paired", "cut", "drawn_from",
)  # fmt: skip


def merge(first: Report, second: Report) -> Report:
    """As if all requests of both had been counted at once, but for random examples, which are those of the first."""
    starts = [report.since for report in (first, second) if report.since]
    return Report(
        shadow=first.shadow or second.shadow,
        since=min(starts, default=0.0),
        until=max(first.until, second.until),
        sections=_by_name(first.sections, second.sections, sections, SECTIONS),
        left_out=list(dict.fromkeys([*first.left_out, *second.left_out])),
    )


def total(report: Report) -> Section:
    """All pinned versions together."""
    result = Section()
    for section in report.sections.values():
        result = sections(result, section)
    return result


def counts(report: Report) -> Section:
    """The same as far as numbers of answers go: quick, without paths and distributions."""
    result = Section()
    for section in report.sections.values():
        for name in _COUNTS:
            setattr(result, name, getattr(result, name) + getattr(section, name))
        result.incomparable = added(result.incomparable, section.incomparable)
        result.statuses = added(result.statuses, section.statuses)
    return result


def sections(first: Section, second: Section) -> Section:
    """Both together; neither is changed."""
    result = Section(
        incomparable=added(first.incomparable, second.incomparable),
        statuses=added(first.statuses, second.statuses),
        paths=_by_name(first.paths, second.paths, _paths, PATHS),
        numbers=_numbers(first.numbers, second.numbers),
        labels=_by_name(first.labels, second.labels, merged_matrices, ENTRIES),
        seconds=_sides(first.seconds, second.seconds),
        sizes=_sides(first.sizes, second.sizes),
        events=_sides(first.events, second.events),
        random=[*first.random, *second.random][:KEPT],
    )
    for name in _COUNTS:
        setattr(result, name, getattr(first, name) + getattr(second, name))
    for path, example in [*first.worst.items(), *second.worst.items()]:
        known = result.worst.get(path)
        if known.magnitude < example.magnitude if known else len(result.worst) < KEPT:
            result.worst[path] = example
    return result


def added(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    """Counts of both, of as many names as a book keeps."""
    return _by_name(first, second, int.__add__, ENTRIES)


def _by_name(
    first: dict[str, Part], second: dict[str, Part], both: Callable[[Part, Part], Part], most: int
) -> dict[str, Part]:
    """Everything of both; what would be one name too many goes under `OTHER`."""
    result = dict(first)
    for name, part in second.items():
        kept = name if name in result or len(result) < most else OTHER
        result[kept] = both(result[kept], part) if kept in result else part
    return result


def _paths(first: PathCounts, second: PathCounts) -> PathCounts:
    return PathCounts(
        different=first.different + second.different,
        both=first.both + second.both,
        candidate_only=first.candidate_only + second.candidate_only,
        noise_only=first.noise_only + second.noise_only,
        kinds=added(first.kinds, second.kinds),
    )


def _numbers(first: dict[str, Drift], second: dict[str, Drift]) -> dict[str, Drift]:
    """Of the first so many paths; distributions of several paths are none of anything, so there are no others."""
    names = list(dict.fromkeys([*first, *second]))[:NUMERIC]
    nothing = Drift()
    return {name: _drifts(first.get(name, nothing), second.get(name, nothing)) for name in names}


def _drifts(first: Drift, second: Drift) -> Drift:
    return Drift(sketches(first.served, second.served), sketches(first.candidate, second.candidate))


def _sides(first: Sides, second: Sides) -> Sides:
    return Sides(
        served=sketches(first.served, second.served),
        candidate=sketches(first.candidate, second.candidate),
        noise=sketches(first.noise, second.noise),
    )
