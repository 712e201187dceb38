"""Passive ejection: how many failures, for how long, and never the last endpoint."""

from __future__ import annotations

from stepdown.plane.ejection import Ejection


def failing(ejection: Ejection, times: int, now: float, *, alone: bool = False) -> list[bool]:
    """What that many failures in a row answer."""
    return [ejection.failed(now, alone=alone) for _ in range(times)]


def test_only_the_last_of_the_consecutive_failures_ejects():
    ejection = Ejection(3, 5.0, 300.0)
    assert failing(ejection, 3, 100.0) == [False, False, True]
    assert ejection.ejected(104.9)
    assert not ejection.ejected(105.0)


def test_a_success_in_between_starts_the_count_anew():
    ejection = Ejection(3, 5.0, 300.0)
    failing(ejection, 2, 100.0)
    ejection.succeeded()
    assert failing(ejection, 2, 100.0) == [False, False]
    assert not ejection.ejected(100.0)


def test_each_ejection_in_a_row_lasts_twice_as_long_up_to_the_longest():
    ejection = Ejection(1, 5.0, 15.0)
    now, lengths = 0.0, []
    for _ in range(4):
        assert ejection.failed(now, alone=False)
        lengths.append(ejection.until - now)
        now = ejection.until
    assert lengths == [5.0, 10.0, 15.0, 15.0]


def test_a_success_after_an_ejection_lets_the_next_one_be_short_again():
    ejection = Ejection(1, 5.0, 300.0)
    ejection.failed(0.0, alone=False)
    ejection.succeeded()
    ejection.failed(10.0, alone=False)
    assert ejection.until == 15.0


def test_the_last_usable_endpoint_is_never_ejected():
    ejection = Ejection(1, 5.0, 300.0)
    assert failing(ejection, 10, 0.0, alone=True) == [False] * 10
    assert ejection.failed(0.0, alone=False)


def test_failures_while_ejected_do_not_prolong_it():
    ejection = Ejection(1, 5.0, 300.0)
    ejection.failed(0.0, alone=False)
    failing(ejection, 5, 1.0)
    assert not ejection.ejected(5.0)
