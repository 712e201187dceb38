"""The interval for a proportion: its values, and that it holds at all times at once."""

from __future__ import annotations

from random import Random

import pytest

from stepdown.statistics.proportion import interval, log_likelihood, proportion_evidence
from tests.kit.statistics import PRECISION, vectors


def test_the_published_intervals_are_reproduced() -> None:
    for case in vectors("bernoulli_cs"):
        found = interval(case["k"], case["n"], case["alpha"])
        assert found == pytest.approx((case["lo"], case["hi"]), abs=PRECISION)


def test_950_of_1000_are_between_92_and_97_per_cent() -> None:
    low, high = interval(950, 1000)
    assert (round(low, 3), round(high, 3)) == (0.921, 0.971)


def test_nothing_seen_excludes_nothing() -> None:
    assert interval(0, 0) == (0.0, 1.0)


def test_an_interval_ends_where_all_or_none_were_hit() -> None:
    assert interval(0, 50)[0] == 0.0
    assert interval(50, 50)[1] == 1.0


def test_hits_and_misses_give_mirrored_intervals() -> None:
    low, high = interval(7, 90)
    assert interval(83, 90) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("hits", "total"), [(-1, 5), (6, 5)])
def test_what_is_no_proportion_is_an_error(hits: int, total: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        interval(hits, total)


def test_a_share_that_cannot_be_has_no_likelihood() -> None:
    assert log_likelihood(1, 2, 0.0) == -float("inf")
    assert log_likelihood(1, 2, 1.0) == -float("inf")
    assert log_likelihood(0, 2, 0.0) == 0.0
    assert log_likelihood(2, 2, 1.0) == 0.0


def test_the_true_share_is_left_out_at_any_time_in_less_than_five_of_a_hundred_runs() -> None:
    dice = Random(20261126)
    left_out = 0
    for _ in range(400):
        hits = 0
        for total in range(1, 1001):
            hits += dice.random() < 0.05
            if proportion_evidence(hits, total, 0.05) >= 2.9957322735539909:  # ln 20
                left_out += 1
                break
    assert left_out / 400 <= 0.05
