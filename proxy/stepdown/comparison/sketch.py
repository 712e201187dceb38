"""Quantiles of numbers that pass by one at a time, in bounded memory: a DDSketch, with what it leaves out.

Values are within 2 % of the true quantile (Masson, Rim and Lee 2019, "DDSketch"). Each sign has at most 512 bins, which
span a factor of 8e8; what is nearer to zero than that falls together. NaN, infinities and what is beyond 1e150 are not
taken.
"""

from __future__ import annotations

import math

import msgspec
from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import CollapsingLowestDenseStore

from stepdown.statistics.moments import Moments

ACCURACY = 0.02
BINS = 512
_MAPPING = LogarithmicMapping(ACCURACY)
_SMALLEST = _MAPPING.min_possible
_LARGEST = 1e150
"""Beyond it a square is no float."""
_key = _MAPPING.key


class SketchState(msgspec.Struct, array_like=True):
    """A sketch as it is kept and sent: counts by key of bin, and moments."""

    positive: dict[int, int] = {}
    negative: dict[int, int] = {}
    zeros: int = 0
    mean: float = 0.0
    squares: float = 0.0
    least: float = 0.0
    most: float = 0.0


class Sketch:
    """Numbers, of which counts by bin, moments and ends are kept."""

    __slots__ = ("_negative", "_positive", "_zeros", "least", "moments", "most")

    def __init__(self, state: SketchState | None = None) -> None:
        state = state or SketchState()
        self._positive, self._negative = _store(state.positive), _store(state.negative)
        self._zeros = state.zeros
        count = int(self._positive.count + self._negative.count) + state.zeros
        self.moments = Moments(count, state.mean, state.squares)
        self.least = state.least if self.moments.count else math.inf
        self.most = state.most if self.moments.count else -math.inf

    @property
    def count(self) -> int:
        """Numbers that were taken."""
        return self.moments.count

    def add(self, value: float) -> None:
        """Take one number, unless it is NaN or beyond 1e150."""
        try:
            value = float(value)
        except OverflowError:
            return
        if not -_LARGEST <= value <= _LARGEST:
            return
        if value > _SMALLEST:
            self._positive.add(_key(value))
        elif value < -_SMALLEST:
            self._negative.add(_key(-value))
        else:
            self._zeros += 1
        self.moments.add(value)
        if value < self.least:  # noqa: PLR1730 - in half the time
            self.least = value
        if value > self.most:  # noqa: PLR1730
            self.most = value

    def quantile(self, share: float) -> float | None:
        """The value below which that share of all numbers is; `None` where there are none."""
        # It only reads the stores: taking numbers through it would sum them up once more.
        value = BaseDDSketch(_MAPPING, self._positive, self._negative, self._zeros).get_quantile_value(share)
        return None if value is None else min(max(float(value), self.least), self.most)

    def counts(self) -> dict[float, int]:
        """Counts by the value that stands for each bin; those of two sketches fit each other."""
        state = self.state()
        result = {-_MAPPING.value(key): count for key, count in state.negative.items()}
        if state.zeros:
            result[0.0] = state.zeros
        return result | {_MAPPING.value(key): count for key, count in state.positive.items()}

    def state(self) -> SketchState:
        """To be kept, or sent; `Sketch(state)` goes on where this one is."""
        empty = not self.count
        return SketchState(
            positive=_counts(self._positive),
            negative=_counts(self._negative),
            zeros=self._zeros,
            mean=self.moments.mean,
            squares=self.moments.squares,
            least=0.0 if empty else self.least,
            most=0.0 if empty else self.most,
        )


def merged(first: SketchState, second: SketchState) -> SketchState:
    """What one sketch would be that had taken the numbers of both."""
    one, other = Sketch(first), Sketch(second)
    moments = Moments(one.count, first.mean, first.squares)
    moments.merge(other.moments)
    state = Sketch(
        SketchState(
            positive=_added(first.positive, second.positive),
            negative=_added(first.negative, second.negative),
            zeros=first.zeros + second.zeros,
        )
    ).state()
    state.mean, state.squares = moments.mean, moments.squares
    if moments.count:
        state.least, state.most = min(one.least, other.least), max(one.most, other.most)
    return state


def _added(first: dict[int, int], second: dict[int, int]) -> dict[int, int]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in first.keys() | second.keys()}


def _store(counts: dict[int, int]) -> CollapsingLowestDenseStore:
    store = CollapsingLowestDenseStore(BINS)
    for key, count in sorted(counts.items()):
        store.add(key, float(count))
    return store


def _counts(store: CollapsingLowestDenseStore) -> dict[int, int]:
    return {store.offset + at: int(count) for at, count in enumerate(store.bins) if count}
