"""Sketches of times, sizes and numbers while they are being filled."""

from __future__ import annotations

from stepdown.comparison.answers import UNREAD, Reply
from stepdown.comparison.compare import Comparison, document
from stepdown.comparison.picking import numbers
from stepdown.comparison.report import NUMERIC, Drift, Section, Sides
from stepdown.comparison.sketch import Sketch

ALWAYS = 1000
"""Answers whose numbers are all taken, before only every `EVERY`th one's are: not one that differs more readily than
one that does not, or the distributions would be of nothing."""
EVERY = 8


class Measures:
    """One measure of served version, candidate and noise copy."""

    __slots__ = ("_candidate", "_noise", "_served")

    def __init__(self, state: Sides) -> None:
        self._served, self._candidate, self._noise = map(Sketch, (state.served, state.candidate, state.noise))

    def add(self, served: float, candidate: float, noise: float | None) -> None:
        """Of one request."""
        self._served.add(served)
        self._candidate.add(candidate)
        if noise is not None:
            self._noise.add(noise)

    def state(self) -> Sides:
        """To be kept, or sent."""
        return Sides(self._served.state(), self._candidate.state(), self._noise.state())


class Numbers:
    """The numbers in answers, by path."""

    __slots__ = ("_section", "_sketches")

    def __init__(self, section: Section) -> None:
        self._section = section
        self._sketches = {path: (Sketch(one.served), Sketch(one.candidate)) for path, one in section.numbers.items()}

    def add(self, served: Reply, candidate: Reply, comparison: Comparison) -> None:
        """Take both replies' numbers, if it is their turn."""
        compared = self._section.compared
        if compared > ALWAYS and compared % EVERY:
            return
        if served.status // 100 != candidate.status // 100:
            return
        for side, reply in enumerate((served, candidate)):
            read = document(reply)
            if read is UNREAD:
                continue
            for path, value in numbers(read, comparison.rules):
                sketches = self._sketches.get(path)
                if sketches is None:
                    if len(self._sketches) >= NUMERIC:
                        continue
                    sketches = self._sketches[path] = (Sketch(), Sketch())
                sketches[side].add(value)

    def state(self) -> dict[str, Drift]:
        """To be kept, or sent."""
        return {path: Drift(one.state(), other.state()) for path, (one, other) in self._sketches.items()}
