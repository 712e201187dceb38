"""False alarms of rollouts where candidate and stable are alike, and the mistakes that would raise them."""

from __future__ import annotations

import math
from random import Random

from stepdown.statistics.event_share import RISING, Events, event_share_evidence, log_factors
from stepdown.statistics.evidence import log_mean, reaches
from stepdown.statistics.sample_ratio import mismatch_evidence
from stepdown.statistics.windows import after, begin, highest_factor

RUNS = 200
LEVEL = math.log(20)


def test_equal_versions_are_rolled_back_in_at_most_five_of_a_hundred_runs_however_often_one_looks() -> None:
    dice = Random(1)
    alarmed = 0
    for _ in range(RUNS):
        sums = [0.0] * len(RISING)
        hit, miss = log_factors(Events(1, 1, 0.05), RISING), log_factors(Events(0, 1, 0.05), RISING)
        for _ in range(1000):
            factors = hit if dice.random() < 0.05 else miss
            sums = [known + more for known, more in zip(sums, factors, strict=True)]
            if max(sums) >= LEVEL and reaches(log_mean(sums)):
                alarmed += 1
                break
    assert alarmed / RUNS <= 0.05


def staged(dice: Random) -> list[Events]:
    """Equal versions; the rate of events falls tenfold while the candidate's share rises from 5 to 50 per cent."""
    counted = []
    for share, events in ((0.05, 1000), (0.5, 100)):
        counted.append(Events(sum(dice.random() < share for _ in range(events)), events, share))
    return counted


def test_counts_of_different_stages_put_together_would_roll_equal_versions_back() -> None:
    dice = Random(2)
    apart = together = 0
    for _ in range(RUNS):
        counted = staged(dice)
        apart += reaches(event_share_evidence(counted, RISING))
        pooled = Events(sum(one.candidate for one in counted), sum(one.total for one in counted), 0.05)
        together += reaches(event_share_evidence([pooled], RISING))
    assert apart / RUNS <= 0.05
    assert together / RUNS >= 0.9


def test_one_window_of_many_errors_rolls_nothing_back_and_would_without_a_bound() -> None:
    dice = Random(3)
    bounded = unbounded = 0
    for _ in range(RUNS):
        first, second = begin(RISING), begin(RISING)
        for number in range(12):
            share = 0.3 if number == 6 else 0.05  # of events that are the candidate's
            window = Events(sum(dice.random() < share for _ in range(60)), 60, 0.05)
            first = after(first, window, RISING, highest_factor())
            second = after(second, window, RISING, math.inf)
            if reaches(first.log_e):
                bounded += 1
                break
            unbounded += number == 6 and reaches(second.log_e)
    assert bounded / RUNS <= 0.05
    assert unbounded / RUNS >= 0.9


def test_a_wrong_assignment_is_found_and_a_right_one_raises_no_alarm() -> None:
    dice = Random(4)
    alarmed = found = 0
    for _ in range(RUNS):
        right = wrong = 0
        for total in range(1, 3001):
            right += dice.random() < 0.05
            wrong += dice.random() < 0.07
            if total % 100 == 0 and reaches(mismatch_evidence((right, total - right), (0.05, 0.95)), 0.001):
                alarmed += 1
                break
        found += reaches(mismatch_evidence((wrong, total - wrong), (0.05, 0.95)), 0.001)
    assert alarmed / RUNS <= 0.005
    assert found / RUNS >= 0.5
