"""Bounds are exact: one more is one too many."""

from __future__ import annotations

import pytest

from stepdown.comparer.limits import Bucket, Budget, Hold


def taken(bucket: Bucket, rate: float, now: float, times: int) -> int:
    return sum(bucket.take(rate, now) for _ in range(times))


def test_a_bucket_begins_full_and_is_filled_by_time_up_to_one_second_s_worth() -> None:
    bucket = Bucket()
    assert taken(bucket, 10, 100.0, 50) == 10
    assert taken(bucket, 10, 100.25, 50) == 2
    assert taken(bucket, 10, 100.31, 50) == 1
    assert taken(bucket, 10, 1000.0, 50) == 10


def test_what_a_bucket_has_room_for_is_what_may_be_taken() -> None:
    bucket = Bucket()
    for now in (100.0, 100.05, 100.25, 101.0):
        room = bucket.room(10, now)
        assert taken(bucket, 10, now, 50) == room


def test_a_rate_below_one_lets_one_go_at_a_time() -> None:
    bucket = Bucket()
    assert taken(bucket, 0.1, 0.0, 5) == 1
    assert taken(bucket, 0.1, 9.9, 5) == 0
    assert taken(bucket, 0.1, 10.1, 5) == 1


def test_no_rate_is_no_limit() -> None:
    assert taken(Bucket(), 0.0, 0.0, 1000) == 1000


@pytest.mark.parametrize("rate", [1.0, 7.0, 333.0])
def test_over_a_long_time_it_is_the_rate(rate: float) -> None:
    bucket = Bucket()
    went = sum(bucket.take(rate, tick / 1000) for tick in range(20_000))
    assert went == pytest.approx(20 * rate + max(1, rate), abs=2)


def test_a_budget_is_shared_and_given_back() -> None:
    budget = Budget(100)
    one, other = Hold(budget), Hold(budget)
    assert one.take(60)
    assert not other.take(41)
    assert other.take(40)
    one.give(10)
    assert other.take(10)
    one.release()
    assert budget.held == 50
    other.release()
    assert budget.held == 0


def test_what_was_let_go_of_takes_nothing_and_gives_nothing_back_twice() -> None:
    budget = Budget(100)
    hold = Hold(budget)
    assert hold.take(60)
    hold.release()
    hold.give(60)
    hold.release()
    assert not hold.take(1)
    assert budget.held == 0
