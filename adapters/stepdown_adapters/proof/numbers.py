"""Finds a number within bounds, on a lattice of multiples, off other lattices and different from given values.

Arithmetic is exact: `0.1` in a schema is one tenth, as in its text, and not the binary fraction next to it.

    a lattice (some `multipleOf`)   its points within the bounds are numbered by integers. Off the other lattices means:
                                    k is no multiple of any n. If some n is 1 there is none; else every stretch of
                                    integers as long as the product of all n has a good one (1, counted on by that
                                    product, is no multiple of any), so that trying them in order ends
    no lattice                      between two different bounds there are infinitely many numbers off all lattices
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, islice
from math import ceil, floor, isfinite, lcm
from typing import Any

from stepdown_adapters.proof.outcomes import NOTHING, Attempt, Found, Search, Unclear

_MOST_TRIED = 2000
_MOST_DIGITS = 40
_TRIED_PER_GRAIN = 30
_LARGEST = 10**300


def exact(value: Any) -> Fraction | None:
    """The number that a JSON number's text names; `None` for one that is too large for a float."""
    if isinstance(value, float):
        return Fraction(repr(value)) if isfinite(value) else None
    return Fraction(value)


_Bound = tuple[Fraction, bool] | None
"""A bound, and whether it is itself out of bounds."""


@dataclass(slots=True)
class _Numbers:
    """The literals of one branch, put in order."""

    low: _Bound = None
    high: _Bound = None
    lattice: Fraction | None = None
    off: list[Fraction] = field(default_factory=list)
    """Of none of these is the number a multiple."""
    excluded: set[Fraction | None] = field(default_factory=set)

    def fits(self, value: Fraction) -> bool:
        """Whether a number within the bounds and on the lattice satisfies the rest."""
        return value not in self.excluded and not any((value / one).denominator == 1 for one in self.off)

    def inside(self, value: Fraction) -> bool:
        """Whether a number is within the bounds."""
        above = self.low is None or value > self.low[0] or (value == self.low[0] and not self.low[1])
        return above and (self.high is None or value < self.high[0] or (value == self.high[0] and not self.high[1]))


def solve(literals: Iterable[Any], search: Search) -> Attempt:
    """A number that satisfies the literals."""
    numbers = _gather(literals)
    if numbers.lattice is None:
        return _anywhere(numbers, search)
    return _on_lattice(numbers, numbers.lattice, search)


def _gather(literals: Iterable[Any]) -> _Numbers:
    numbers = _Numbers()
    for word, about, holds in literals:
        match word, holds:
            case ("least", True) | ("most", False):
                bound = (about, word == "most")
                numbers.low = bound if numbers.low is None else max(numbers.low, bound)
            case ("most", True) | ("least", False):
                numbers.high = _lower(numbers.high, (about, word == "least"))
            case "multiple", True:
                numbers.lattice = about if numbers.lattice is None else _common(numbers.lattice, about)
            case "multiple", False:
                numbers.off.append(about)
            case "values", False:
                numbers.excluded.update(map(exact, about.values))
    return numbers


def _lower(one: _Bound, other: tuple[Fraction, bool]) -> tuple[Fraction, bool]:
    if one is None or other[0] < one[0]:
        return other
    return (one[0], one[1] or other[1]) if other[0] == one[0] else one


def _common(one: Fraction, other: Fraction) -> Fraction:
    """The least common multiple of two fractions."""
    below = lcm(one.denominator, other.denominator)
    return Fraction(lcm(int(one * below), int(other * below)), below)


def _on_lattice(numbers: _Numbers, lattice: Fraction, search: Search) -> Attempt:
    if any(_common(lattice, one) == lattice for one in numbers.off):
        return NOTHING
    low, high = numbers.low, numbers.high
    first = None if low is None else floor(low[0] / lattice) + 1 if low[1] else ceil(low[0] / lattice)
    last = None if high is None else ceil(high[0] / lattice) - 1 if high[1] else floor(high[0] / lattice)
    if first is not None and last is not None and first > last:
        return NOTHING
    finite = first is not None and last is not None and last - first < _MOST_TRIED
    for point in islice(_outward(first, last), _MOST_TRIED):
        search.step()
        if numbers.fits(point * lattice):
            plain = _plain(point * lattice)
            if plain is not None:
                return Found(plain)
            finite = False
    return NOTHING if finite else Unclear("no number was found among the first multiples")


def _outward(first: int | None, last: int | None) -> Iterator[int]:
    """The integers from `first` to `last`, those near zero, or else near a bound, first."""
    start = max(first, 0) if first is not None else 0
    start = min(start, last) if last is not None else start
    yield start
    for distance in count(1):
        above, below = start + distance, start - distance
        inside = [one for one in (above, below) if (first is None or one >= first) and (last is None or one <= last)]
        if not inside:
            return
        yield from inside


def _anywhere(numbers: _Numbers, search: Search) -> Attempt:
    low, high = numbers.low, numbers.high
    if low is not None and high is not None:
        if low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1])):
            return NOTHING
        if low[0] == high[0]:
            plain = _plain(low[0])
            if not numbers.fits(low[0]):
                return NOTHING
            return Found(plain) if plain is not None else Unclear("the only number has no exact text")
    for value in islice(_between(numbers), _MOST_TRIED):
        search.step()
        plain = _plain(value)
        if plain is not None and numbers.fits(value):
            return Found(plain)
    return Unclear("no number was found between the bounds")


def _between(numbers: _Numbers) -> Iterator[Fraction]:
    """Numbers within two different bounds: the bounds, whole numbers, then ever finer decimals."""
    bounds = [bound for bound in (numbers.low, numbers.high) if bound is not None]
    yield from (number for number, outside in bounds if not outside)
    start = bounds[0][0] if bounds else Fraction(0)
    for digits in range(_MOST_DIGITS):
        grain = Fraction(1, 10**digits)
        first = ceil(start / grain)
        for distance in range(_TRIED_PER_GRAIN):
            for point in (first + distance, first - distance):
                if numbers.inside(point * grain):
                    yield point * grain


def _plain(value: Fraction) -> int | float | None:
    """The number as JSON has it; `None` when a float would not be exact, or readers would disagree about it."""
    if abs(value) > _LARGEST:
        return None
    if value.denominator == 1:
        return int(value)
    rounded = float(value)
    return rounded if exact(rounded) == value else None
