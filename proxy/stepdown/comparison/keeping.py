"""Which differences are kept to be looked at: the worst of each path, and some at random."""

from __future__ import annotations

from collections.abc import Callable

from stepdown.comparison.answers import Difference, Judged
from stepdown.comparison.compare import Comparison
from stepdown.comparison.report import Example, Section
from stepdown.comparison.showing import body, shown_sides
from stepdown.decide.shadow_spec import Examples

LONGEST_NAME = 128
AT_RANDOM = 4
"""One in so many of those kept is drawn from all."""


class Keeping:
    """The rules of examples, and the dice."""

    __slots__ = ("_bodies", "_comparison", "_draw", "_random", "_worst")

    def __init__(self, examples: Examples, comparison: Comparison, draw: Callable[[], float]) -> None:
        self._bodies = examples.bodies
        self._comparison = comparison
        self._draw = draw
        self._random = examples.keep // AT_RANDOM
        self._worst = examples.keep - self._random

    def keep(self, section: Section, judged: Judged, differences: list[Difference]) -> None:
        """Keep what is worse than what is kept of its path, and by chance the worst of all of these."""
        worst: dict[str, Difference] = {}
        for difference in differences:
            known = worst.get(difference.path)
            if known is None or difference.magnitude > known.magnitude:
                worst[difference.path] = difference
        for path, difference in worst.items():
            kept = section.worst.get(path)
            if kept.magnitude < difference.magnitude if kept else len(section.worst) < self._worst:
                section.worst[path] = self._example(judged, difference)
        self._drawn(section, judged, max(worst.values(), key=lambda one: one.magnitude))

    def _drawn(self, section: Section, judged: Judged, difference: Difference) -> None:
        """Vitter's algorithm R (1985): each differing answer is kept with the same chance."""
        section.drawn_from += 1
        if len(section.random) < self._random:
            section.random.append(self._example(judged, difference))
            return
        place = int(self._draw() * section.drawn_from)
        if place < len(section.random):
            section.random[place] = self._example(judged, difference)

    def _example(self, judged: Judged, difference: Difference) -> Example:
        served, candidate = shown_sides(difference)
        example = Example(
            at=judged.at,
            name=judged.name[:LONGEST_NAME],
            path=difference.path,
            pointer=difference.pointer,
            kind=difference.kind,
            served=served,
            candidate=candidate,
            magnitude=difference.magnitude,
        )
        if self._bodies and judged.candidate:
            example.served_body = body(judged.served, self._comparison)
            example.candidate_body = body(judged.candidate, self._comparison)
        return example
