"""Samples are an exact share, and no rhythm of clients escapes them."""

from __future__ import annotations

import pytest

from stepdown.decide.sampling import Sampler


def taken(share: float, count: int, seed: int = 7) -> list[int]:
    """Places, of the first `count`, that a sampler takes."""
    sampler = Sampler(share, seed)
    return [place for place in range(count) if sampler.take()]


@pytest.mark.parametrize("share", [1.0, 0.7, 0.5, 1 / 3, 0.3, 0.01, 0.0123])
def test_of_any_number_the_share_is_taken_to_within_one(share: float) -> None:
    sampler, count = Sampler(share, 3), 0
    for number in range(1, 5001):
        count += sampler.take()
        assert abs(count - number * share) < 1.01


def test_a_whole_share_takes_all() -> None:
    assert taken(1.0, 1000) == list(range(1000))


def test_one_of_each_run_is_taken() -> None:
    assert [place // 100 for place in taken(0.01, 50_000)] == list(range(500))


def test_clients_that_alternate_are_met_alike() -> None:
    even = sum(place % 2 == 0 for place in taken(0.5, 20_000))
    assert 4_700 < even < 5_300  # 10,000 draws of a fair coin lie within 3.5 standard deviations of the half


def test_equal_seeds_take_the_same_and_others_do_not() -> None:
    assert taken(0.1, 1000, seed=1) == taken(0.1, 1000, seed=1) != taken(0.1, 1000, seed=2)


def test_the_least_share_still_takes_something() -> None:
    sampler = Sampler(1e-9, 1)
    assert sum(sampler.take() for _ in range(1_000_000)) == 1
