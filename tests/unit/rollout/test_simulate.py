"""The simulator's dice are right, and what it draws ends as it should."""

from __future__ import annotations

import math
from random import Random

import pytest

from stepdown.rollout.peers import Check, Checked
from stepdown.rollout.simulate import Traffic, binomial
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import ERRORS, rollout, window
from tests.kit.simulating import run, simulate, total

ALIKE = Traffic(1000, {"errors": 0.01}, {})


@pytest.mark.parametrize(("trials", "share"), [(10, 0.3), (50, 0.9), (1000, 0.04), (1000, 0.5), (5000, 0.75)])
def test_counts_have_the_mean_and_variance_of_a_binomial_distribution(trials: int, share: float) -> None:
    dice = Random(1)
    counts = [binomial(dice, trials, share) for _ in range(4000)]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    expected = trials * share * (1 - share)
    assert abs(mean - trials * share) <= 4 * math.sqrt(expected / len(counts))
    assert variance == pytest.approx(expected, rel=0.12)
    assert all(0 <= count <= trials for count in counts)


def test_few_trials_come_as_often_as_they_should() -> None:
    dice = Random(2)
    counts = [binomial(dice, 4, 0.3) for _ in range(20_000)]
    for hits in range(5):
        expected = math.comb(4, hits) * 0.3**hits * 0.7 ** (4 - hits)
        assert counts.count(hits) / len(counts) == pytest.approx(expected, abs=0.015)


def test_nothing_and_everything_need_no_dice() -> None:
    dice = Random(3)
    assert binomial(dice, 0, 0.5) == binomial(dice, 1000, 0.0) == 0
    assert binomial(dice, 1000, 1.0) == 1000


def test_a_run_says_how_it_ended_and_after_how_many_requests() -> None:
    rules = Walk(rollout(5, 25, guards=(ERRORS,)))
    fine = run(rules, ALIKE, Random(1))
    assert (fine.phase, fine.step, fine.requests, fine.at_step) == ("promoted", 1, 20_000, 10_000)
    bad = run(rules, ALIKE._replace(candidate={"errors": 0.5}), Random(1))
    assert (bad.phase, bad.step) == ("rolled back", 0)
    assert bad.sentence.startswith("rolled back at step 1 of 2 (5 %): errors: E = ")
    later = run(rules, ALIKE._replace(candidate={"errors": 0.5}), Random(1), first_step=1)
    assert (later.phase, later.step) == ("rolled back", 1)
    assert run(rules, ALIKE, Random(1), most=3).phase == "stepping"


def test_the_same_seed_gives_the_same_rollouts() -> None:
    rules = Walk(rollout(5, guards=(ERRORS,)))
    first, second, third = (simulate(rules, ALIKE, Random(seed), 5) for seed in (1, 1, 2))
    assert first == second
    assert first.runs == third.runs == 5


def test_a_total_counts_how_they_ended_and_has_their_median() -> None:
    rules = Walk(rollout(5, guards=(ERRORS,)))
    bad = [run(rules, ALIKE._replace(candidate={"errors": 0.5}), Random(seed)) for seed in range(3)]
    fine = run(rules, ALIKE, Random(1))
    found = total([*bad, fine])
    assert (found.runs, found.rolled_back, found.promoted, found.open) == (4, 3, 1, 0)
    assert found.median == max(one.at_step for one in bad)
    assert found.rolled_back_share == 0.75
    assert total([fine]).median == math.inf


def test_peers_fail_a_check_beyond_its_limit_and_one_without_traffic() -> None:
    errors, clicks = Check("errors", 0.02), Check("clicks", 0.04, "fall")
    seen = window(errors=(2, 0), clicks=(1, 0))
    assert not errors.fails(window(errors=(1, 0)))
    assert errors.fails(seen)
    assert clicks.fails(seen)
    assert not clicks.fails(window(clicks=(2, 0)))
    assert errors.fails(window(share=0.0, errors=(0, 0)))


def test_peers_count_failed_checks_and_those_in_a_row() -> None:
    checks = (Check("errors", 0.02),)
    bad, good = window(errors=(2, 0)), window(errors=(0, 0))

    def after(*windows: object) -> Checked:
        checked = Checked()
        for one in windows:
            checked = checked.after(checks, one)  # type: ignore[arg-type]
        return checked

    assert not after(bad, bad, good, bad, bad).threshold
    assert after(bad, bad, good, bad, bad, good, bad)[2:] == (True, False)
    assert after(bad, bad, bad)[2:] == (False, True)
