"""Plans: published numbers of requests, what never ends, and that the real thing takes about as long."""

from __future__ import annotations

import math
from random import Random

import msgspec
import pytest

from stepdown.decide.rollout_spec import Step
from stepdown.rollout.guards.reading import Terms
from stepdown.rollout.plan import Rates, plan, skips_steps, until_well, until_worse
from stepdown.rollout.simulate import Traffic
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import CLICKS, ERRORS, FOUR, rollout
from tests.kit.simulating import simulate

TERMS = Terms(0.05, 3, 4, 3)
MARGIN = msgspec.structs.replace(CLICKS, margin=0.1)


@pytest.mark.parametrize(
    ("rates", "share", "low", "high"),
    [(Rates(0.001, 0.01), 0.05, 10_000, 18_000), (Rates(0.0005, 0.01), 0.05, 8_000, 14_000)],
)
def test_an_effect_is_found_after_about_as_many_requests_as_simulated(
    rates: Rates, share: float, low: int, high: int
) -> None:
    for per_window in (500, 1000):
        found = until_worse(ERRORS, rates, share, TERMS, per_window)
        assert found is not None
        assert low <= found <= high


def test_the_plan_is_near_the_median_of_what_happens() -> None:
    rules = Walk(rollout(guards=FOUR, least_duration=12_000.0))
    traffic = Traffic(500, {"errors": 0.001, "slow": 0.01, "contract_violations": 0.0005, "clicks": 0.04}, {})
    for guard, kind, candidate in ((ERRORS, "errors", 0.01), (CLICKS, "clicks", 0.02)):
        planned = until_worse(guard, Rates(traffic.stable[kind], candidate), 0.05, TERMS, 500)
        happened = simulate(rules, traffic._replace(candidate={kind: candidate}), Random(1), 60).median
        assert planned is not None
        assert 0.6 * happened <= planned <= 1.6 * happened


def test_clicks_are_judged_at_50_per_cent_and_not_at_5() -> None:
    alone = Terms(0.05, 1, 1, 3)
    half, little = until_well(MARGIN, 0.04, 0.5, alone), until_well(MARGIN, 0.04, 0.05, alone)
    assert half is not None
    assert little is not None
    assert 47_000 <= half <= 70_000
    assert 5 * half <= little <= 6 * half


def test_what_takes_for_ever_is_said_to() -> None:
    assert until_worse(ERRORS, Rates(0.001, 0.001), 0.05, TERMS, 500) is None
    assert until_worse(CLICKS, Rates(0.04, 0.05), 0.05, TERMS, 500) is None
    assert until_worse(CLICKS, Rates(0.04, 0.03999), 0.05, TERMS, 1) is None
    assert until_well(MARGIN, 0.0, 0.05, TERMS) is None
    assert until_well(CLICKS, 0.04, 0.05, TERMS) == 0


def test_large_counts_are_as_good_as_normal() -> None:
    found = until_worse(CLICKS, Rates(0.04, 0.03), 0.5, TERMS, 50_000)
    assert found is not None
    assert 200_000 <= found <= 300_000  # windows are what bounds it


def test_each_step_takes_its_time_its_units_or_its_proof_whatever_is_longest() -> None:
    spec = rollout(5, 50, guards=(ERRORS, MARGIN), least_units=100)
    by_time, by_proof = plan(spec, 100.0, {"clicks": Rates(0.04, 0.03)})
    assert by_proof.found[0].guard == "clicks"
    assert by_time.seconds > by_proof.seconds > 600
    assert by_proof.requests == 100 * by_proof.seconds
    assert by_proof.seconds % 60 == 0
    units = plan(rollout(5, least_units=1000), 10.0, {})[0]
    assert (units.seconds, units.requests) == (2040, 20_400)
    assert plan(rollout(5), 10.0, {})[0].seconds == 600


def test_a_step_that_can_never_be_shown_to_be_well_ends_at_its_deadline_or_never() -> None:
    rates = {"clicks": Rates(0.0, 0.0)}
    never = plan(rollout(5, guards=(MARGIN,)), 10.0, rates)[0]
    assert (never.requests, never.seconds) == (None, math.inf)
    held = plan(rollout(5, guards=(MARGIN,), deadline=7200.0), 10.0, rates)[0]
    assert (held.requests, held.seconds) == (72_000, 7200)


def test_a_warm_up_takes_its_time() -> None:
    spec = msgspec.structs.replace(rollout(), steps=(Step(weight=0, shadow=20, least_duration=300.0),))
    assert plan(spec, 10.0, {"errors": Rates(0.001, 0.01)})[0].seconds == 300


def test_going_back_within_the_latest_revisions_needs_no_steps() -> None:
    history = ["1", "2", "3", "4", "5"]
    assert [each for each in history if skips_steps(history, each, 3)] == ["3", "4", "5"]
    assert not skips_steps(history, "5", 0)
