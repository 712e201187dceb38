"""Mean and variance without keeping numbers."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest

from stepdown.statistics.moments import Moments


def taken(numbers: list[float]) -> Moments:
    moments = Moments()
    for number in numbers:
        moments.add(number)
    return moments


def test_mean_and_variance_are_those_of_all_numbers() -> None:
    numbers = [Random(1).gauss(1e6, 1) for _ in range(500)]
    moments = taken(numbers)
    assert moments.mean == pytest.approx(statistics.fmean(numbers))
    assert moments.variance == pytest.approx(statistics.variance(numbers))
    assert moments.deviation == pytest.approx(statistics.stdev(numbers))


def test_one_number_has_no_variance() -> None:
    assert math.isnan(taken([3.0]).variance)


def test_two_merged_are_one_that_saw_everything() -> None:
    dice = Random(2)
    first, second = [dice.random() for _ in range(40)], [5 + dice.random() for _ in range(7)]
    merged = taken(first)
    merged.merge(taken(second))
    whole = taken(first + second)
    assert (merged.count, merged.mean, merged.squares) == pytest.approx((whole.count, whole.mean, whole.squares))


def test_nothing_merged_with_nothing_is_nothing() -> None:
    moments = Moments()
    moments.merge(Moments())
    assert (moments.count, moments.mean) == (0, 0.0)
