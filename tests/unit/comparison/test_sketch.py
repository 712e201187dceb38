"""Sketches: how exact they are, what they take, and that they can be kept, gone on with and merged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random

import pytest

from stepdown.comparison.sketch import BINS, Sketch, SketchState, merged


def taken(numbers: Iterable[float], state: SketchState | None = None) -> Sketch:
    sketch = Sketch(state)
    for number in numbers:
        sketch.add(number)
    return sketch


def test_quantiles_are_within_two_per_cent() -> None:
    numbers = sorted(Random(1).lognormvariate(0, 2) for _ in range(10_000))
    sketch = taken(numbers)
    for share in (0.01, 0.5, 0.9, 0.99):
        assert sketch.quantile(share) == pytest.approx(numbers[int(share * 9999)], rel=0.021)


def test_negative_numbers_and_zeros_have_their_place() -> None:
    sketch = taken([-4.0] * 10 + [0.0] * 10 + [4.0] * 10)
    assert [sketch.quantile(share) for share in (0.1, 0.5, 0.9)] == pytest.approx([-4.0, 0.0, 4.0], rel=0.02)
    assert [(round(value), count) for value, count in sorted(sketch.counts().items())] == [(-4, 10), (0, 10), (4, 10)]


def test_nothing_has_no_quantile_and_no_counts() -> None:
    assert Sketch().quantile(0.5) is None
    assert Sketch().counts() == {}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e200, 10**400])
def test_what_cannot_be_counted_is_not_taken(number: float) -> None:
    assert taken([number]).count == 0


def test_the_whole_range_of_floats_takes_no_more_than_its_bins() -> None:
    state = taken(10.0**exponent for exponent in range(-150, 150)).state()
    assert len(state.positive) <= BINS
    assert taken([], state).count == 300


def test_a_sketch_goes_on_from_its_state() -> None:
    dice = Random(2)
    first, second = [dice.gauss(0, 5) for _ in range(300)], [dice.gauss(3, 1) for _ in range(300)]
    whole, resumed = taken(first + second).state(), taken(second, taken(first).state()).state()
    assert (resumed.positive, resumed.negative, resumed.zeros) == (whole.positive, whole.negative, whole.zeros)
    assert (resumed.mean, resumed.squares) == pytest.approx((whole.mean, whole.squares))
    assert (resumed.least, resumed.most) == (whole.least, whole.most)


def test_two_merged_are_one_that_took_everything() -> None:
    dice = Random(3)
    first, second = [dice.gauss(0, 5) for _ in range(300)], [0.0] + [dice.gauss(3, 1) for _ in range(300)]
    whole, both = taken(first + second).state(), merged(taken(first).state(), taken(second).state())
    assert (both.positive, both.negative, both.zeros) == (whole.positive, whole.negative, whole.zeros)
    assert (both.mean, both.squares) == pytest.approx((whole.mean, whole.squares))
    assert (both.least, both.most) == (whole.least, whole.most)


def test_merged_with_nothing_it_stays_what_it_is() -> None:
    state = taken([1.0, 2.0]).state()
    assert merged(state, SketchState()) == state
    assert merged(SketchState(), state) == state
    assert merged(SketchState(), SketchState()) == SketchState()
