"""Windows: published values, that one bad window is not enough, and that a late regression is found."""

from __future__ import annotations

import math

import pytest

from stepdown.statistics.event_share import RISING, Events, log_factors
from stepdown.statistics.evidence import log_mean, reaches
from stepdown.statistics.windows import Staked, after, begin, highest_factor
from tests.kit.statistics import PRECISION, vectors

GOOD, BAD = Events(5, 100, 0.05), Events(40, 100, 0.05)


def watched(windows: list[Events]) -> Staked:
    staked = begin(RISING)
    for window in windows:
        staked = after(staked, window, RISING, highest_factor())
    return staked


def test_the_published_values_are_reproduced() -> None:
    for case in vectors("windowed_cap_restart"):
        staked = begin(case["grid"])
        highest = highest_factor(case["alpha"], case["sustain_windows"])
        for window, expected in zip(case["windows"], case["logE"], strict=True):
            staked = after(staked, Events(*window), case["grid"], highest)
            assert staked.log_e == pytest.approx(expected, abs=PRECISION)


def test_before_the_first_window_nothing_is_known() -> None:
    assert begin(RISING).log_e == 0.0


def test_one_bad_window_is_never_enough_and_six_are() -> None:
    assert not reaches(watched([BAD]).log_e)
    assert not reaches(watched([BAD] * 3).log_e)
    assert reaches(watched([BAD] * 6).log_e)


def test_a_regression_after_many_good_windows_is_found_because_capital_was_held_back() -> None:
    windows = [GOOD] * 200 + [BAD] * 20
    assert not reaches(watched(windows[:200]).log_e)
    assert reaches(watched(windows).log_e)
    staked_at_first = [
        sum(min(factors[at], highest_factor()) for factors in (log_factors(window, RISING) for window in windows))
        for at in range(len(RISING))
    ]
    assert not reaches(log_mean(staked_at_first))


def test_evidence_that_no_float_can_hold_is_no_error() -> None:
    staked = begin(RISING)
    for _ in range(100):
        staked = after(staked, Events(1000, 1000, 0.05), RISING, math.inf)
    assert staked.log_e > 1000


def test_several_metrics_that_are_averaged_raise_what_a_window_may_say() -> None:
    assert highest_factor(0.05, 3, 4) == pytest.approx(math.log(80) / 3)
