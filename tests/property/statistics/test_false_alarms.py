"""How often rules raise an alarm where there is nothing, when they are looked at after every request."""

from __future__ import annotations

import math
from random import Random

from stepdown.statistics.diffy import diffy
from stepdown.statistics.evidence import reaches, rejected
from stepdown.statistics.paired import paired_evidence

RUNS = 400
REQUESTS = 3000
NOISE = 0.02


def alarms(candidate: float, noise: float, seed: int) -> tuple[int, int, list[int]]:
    """Runs in which the e-process raises an alarm, runs in which Diffy's rule does, and when the first found it."""
    dice = Random(seed)
    evident = by_diffy = 0
    found: list[int] = []
    for _ in range(RUNS):
        both = candidate_only = noise_only = 0
        first, second = False, False
        for request in range(1, REQUESTS + 1):
            mine, theirs = dice.random() < candidate, dice.random() < noise
            if not (mine or theirs):
                continue  # neither rule says anything new where both are equal to what was served
            both += mine and theirs
            candidate_only += mine and not theirs
            noise_only += theirs and not mine
            if not first and reaches(paired_evidence(candidate_only, noise_only)):
                first = True
                found.append(request)
            second = second or (request >= 100 and diffy(both + candidate_only, both + noise_only, request).reported)
        evident += first
        by_diffy += second
    return evident, by_diffy, found


def test_equal_noise_raises_an_alarm_in_at_most_five_of_a_hundred_runs_and_diffys_rule_in_most() -> None:
    evident, by_diffy, _ = alarms(NOISE, NOISE, 20261126)
    assert evident / RUNS <= 0.05
    assert by_diffy / RUNS >= 0.5  # which is why it is shown only


def test_a_candidate_that_is_better_than_noise_raises_none() -> None:
    evident, _, _ = alarms(0.01, NOISE, 1)
    assert evident / RUNS <= 0.01


def test_twice_the_noise_is_found_within_some_hundreds_of_requests() -> None:
    evident, _, found = alarms(2 * NOISE, NOISE, 2)
    assert evident / RUNS >= 0.9
    assert 700 <= sorted(found)[len(found) // 2] <= 1300  # 967 in a longer simulation


def test_of_twenty_paths_of_noise_any_is_found_in_at_most_five_of_a_hundred_runs() -> None:
    dice = Random(3)
    alarmed = 0
    for _ in range(100):
        counts = [[0, 0] for _ in range(20)]
        for _ in range(400):
            counts[dice.randrange(20)][dice.random() < 0.5] += 1
            if rejected([paired_evidence(*pair) for pair in counts if sum(pair)]):
                alarmed += 1
                break
    assert alarmed / 100 <= 0.05


def test_evidence_is_expected_to_be_one_where_there_is_nothing() -> None:
    dice = Random(4)
    total = 0.0
    for _ in range(20_000):
        candidate_only = sum(dice.random() < 0.5 for _ in range(10))
        total += math.exp(paired_evidence(candidate_only, 10 - candidate_only))
    assert 0.9 < total / 20_000 < 1.1
