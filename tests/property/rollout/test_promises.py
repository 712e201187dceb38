"""What rollouts promise, held by simulation with fixed seeds: the real guards, judge and phases.

Four guards and three stages of 100,000 requests each, looked at every 1,000 requests; the candidate has 5 % unless said
otherwise. Slow are answers beyond stable's p99; where latency is lognormal with a sigma of 0.5, as with many servers,
6.5 % are when p99 is 1.5 times as high. `make rollout-simulation` runs it with more rollouts.
"""

from __future__ import annotations

import math
from random import Random
from statistics import NormalDist

import pytest

from stepdown.rollout import events
from stepdown.rollout.peers import Check
from stepdown.rollout.position import Candidate, begin
from stepdown.rollout.simulate import Traffic
from stepdown.rollout.walk import Walk
from tests.kit.longer import LONGER, TIMEOUT
from tests.kit.rollouts import FOUR, rollout
from tests.kit.simulating import Runs, flushes, simulate

pytestmark = TIMEOUT

PER_WINDOW = 1000
STAGE = 100_000
ALIKE = {"errors": 0.001, "slow": 0.01, "contract_violations": 0.0005, "clicks": 0.04}
P99_BY_HALF = 1 - NormalDist().cdf(NormalDist().inv_cdf(0.99) - math.log(1.5) / 0.5)
CHECKS = (Check("errors", 0.01), Check("slow", 0.01), Check("clicks", 0.036, "fall"))
"""Limits as teams set them: ten times the errors, the p99 itself, a tenth of the clicks."""


def walk() -> Walk:
    return Walk(rollout(guards=FOUR, least_duration=60.0 * STAGE / PER_WINDOW))


def simulated(
    candidate: dict[str, float], seed: int, runs: int, first_step: int = 0, checks: tuple[Check, ...] = ()
) -> Runs:
    found = simulate(walk(), Traffic(PER_WINDOW, ALIKE, candidate, checks), Random(seed), runs * LONGER, first_step)
    print(f"\nseed {seed}: {candidate or 'alike'}: {found._replace(delays=())}, median {found.median:,.0f} requests")
    return found


def test_an_identical_candidate_is_taken_back_in_at_most_2_of_100_rollouts_and_by_peers_in_most() -> None:
    found = simulated({}, 1, 180, checks=CHECKS)
    assert found.rolled_back_share <= 0.02
    assert found.promoted / found.runs >= 0.97  # a wrong assignment may be seen in 1 of 1,000
    assert found.peers["threshold"] / found.runs >= 0.9
    assert found.peers["consecutive"] / found.runs >= 0.9


def test_by_errors_alone_failed_checks_would_still_take_back_many_identical_candidates() -> None:
    found = simulated({}, 2, 80, checks=CHECKS[:1])
    assert found.peers["threshold"] / found.runs >= 0.3
    assert found.peers["consecutive"] / found.runs <= 0.5


@pytest.mark.parametrize(
    ("kind", "rate", "first_step", "most"),
    [
        ("errors", 0.01, 0, 16_000),
        ("slow", P99_BY_HALF, 0, 7_000),
        ("contract_violations", 0.01, 0, 13_000),
        ("clicks", 0.03, 2, 22_000),
    ],
)
def test_damage_is_found_in_time(kind: str, rate: float, first_step: int, most: int) -> None:
    found = simulated({kind: rate}, 3, 300, first_step)
    assert found.promoted == 0
    assert found.rolled_back_share >= 0.99  # the assignment may be seen as wrong in 1 of 1,000 before
    assert found.median <= most


def test_an_outage_is_found_with_the_first_flush_after_the_fiftieth_request() -> None:
    rules = walk()
    for seed in range(20):
        position = begin(rules.rollout, Candidate(version="2.0.0", endpoints="aa"))
        position = rules.after(position, events.Started(now=0.0, who="ann")).position
        asked = 0
        for flush in flushes(Random(seed), 0.05, 1.0, 0.001):
            asked += flush.requests.candidate
            position = rules.after(position, events.Flushed(now=0.0, flush=flush)).position
            if position.phase != "stepping":
                break
        assert (position.phase, asked) == ("rolled back", 50)


def test_failures_of_one_in_a_hundred_never_trip_the_breaker() -> None:
    rules = walk()
    position = begin(rules.rollout, Candidate(version="2.0.0", endpoints="aa"))
    position = rules.after(position, events.Started(now=0.0, who="ann")).position
    for _, flush in zip(range(20_000), flushes(Random(1), 0.05, 0.01, 0.01), strict=False):
        position = rules.after(position, events.Flushed(now=0.0, flush=flush)).position
    assert position.phase == "stepping"
