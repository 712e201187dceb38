"""Distances of distributions: published values, ends, and what chance alone gives."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest

from stepdown.statistics.distance import jensen_shannon, kolmogorov_smirnov, stability, stability_of_counts
from tests.kit.statistics import PRECISION, vectors


def test_the_published_distances_are_reproduced() -> None:
    drift = vectors("drift")
    assert stability(drift["psi"]["p"], drift["psi"]["q"]) == pytest.approx(drift["psi"]["value"], abs=PRECISION)
    found = jensen_shannon(drift["js"]["p"], drift["js"]["q"])
    assert found == pytest.approx(drift["js"]["base2_divergence"], abs=PRECISION)
    found = kolmogorov_smirnov(Counter(drift["ks"]["x"]), Counter(drift["ks"]["y"]))
    assert found == pytest.approx(drift["ks"]["D"], abs=PRECISION)


def test_distributions_with_nothing_in_common_are_as_far_apart_as_can_be() -> None:
    assert jensen_shannon([1.0, 0.0], [0.0, 1.0]) == 1.0
    assert kolmogorov_smirnov({1.0: 5}, {2.0: 3}) == 1.0
    assert stability([1.0, 0.0], [0.5, 0.5]) == math.inf


def test_empty_bins_of_both_add_nothing() -> None:
    assert stability([0.5, 0.0, 0.5], [0.5, 0.0, 0.5]) == 0.0


def test_nothing_is_no_distance_away() -> None:
    assert kolmogorov_smirnov({}, {1.0: 3}) == 0.0


def test_shares_of_different_bins_are_an_error() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        stability([1.0], [0.5, 0.5])


def test_few_numbers_have_no_stability_index() -> None:
    assert stability_of_counts({1.0: 999}, {1.0: 5000}) is None


def test_samples_of_one_distribution_are_near_zero_on_average() -> None:
    dice = Random(3)
    found = []
    for _ in range(60):
        first, second = (Counter(round(dice.gauss(0, 1), 2) for _ in range(1000)) for _ in range(2))
        index = stability_of_counts(first, second)
        assert index is not None
        found.append(index)
    assert sum(found) / len(found) < 9 * (1 / 1000 + 1 / 1000) / 2  # without the correction: about 0.018


def test_a_shift_is_seen() -> None:
    dice = Random(4)
    first = Counter(round(dice.gauss(0, 1), 2) for _ in range(5000))
    second = Counter(round(dice.gauss(1, 1), 2) for _ in range(5000))
    index = stability_of_counts(first, second)
    assert index is not None
    assert index == pytest.approx(1.0, abs=0.2)  # of two normal distributions a deviation apart, by their definition


@pytest.mark.parametrize("moved", [0.9, 1.1])
def test_a_constant_that_moved_is_seen_in_either_direction(moved: float) -> None:
    index = stability_of_counts({1.0: 2000}, {moved: 2000})
    assert index is not None
    assert index > 5
    assert stability_of_counts({1.0: 2000}, {1.0: 2000}) == 0.0
