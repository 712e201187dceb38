"""What workers have counted in their memory: stable's slowest hundredth, and who failed since the last look."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stepdown.control.rollouts.counted import LATELY, LEAST, NOTE_EVERY, Failing, Tails, quantile
from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.breaker import Flush
from stepdown.telemetry.buckets import REQUEST_SECONDS
from stepdown.telemetry.slab import Slab

BUCKETS = len(REQUEST_SECONDS) + 1


@pytest.fixture
def slabs() -> Iterator[tuple[Slab, Slab]]:
    made = (Slab.create(256 * 1024), Slab.create(256 * 1024))
    yield made
    for slab in made:
        slab.close()
        os.close(slab.fd)


def answered(slab: Slab, seconds: float, number: int, served: str = "1.0.0", route: str = "r") -> None:
    """So many answers that took just as long as a bucket's bound."""
    first = slab.histogram("stepdown_request_duration_seconds", (route, served))
    slab.cells[first + REQUEST_SECONDS.index(seconds)] += number


def counts(**by_bound: int) -> tuple[int, ...]:
    found = [0] * BUCKETS
    for name, number in by_bound.items():
        found[-1 if name == "more" else REQUEST_SECONDS.index(float(name[1:].replace("_", ".")))] = number
    return tuple(found)


def test_a_quantile_is_interpolated_in_its_bucket() -> None:
    assert quantile(counts(s0_1=980, s0_25=20)) == pytest.approx(0.1 + 0.15 * 0.5)
    assert quantile(counts(s0_1=990, s0_25=10)) == pytest.approx(0.1)
    assert quantile(counts(s0_0005=100)) == pytest.approx(0.0005 * 0.99)


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile(counts(s0_1=10, more=990)) == REQUEST_SECONDS[-1]


def test_what_is_slow_is_stable_s_p99_over_all_workers_from_a_thousand_answers_on(slabs: tuple[Slab, Slab]) -> None:
    tails = Tails(slabs)
    answered(slabs[0], 0.1, LEAST - 20)
    answered(slabs[1], 0.25, 19)
    answered(slabs[1], 5.0, 10_000, served="2.0.0")
    answered(slabs[1], 5.0, 10_000, route="other")
    assert tails.slow("r", "1.0.0", 0.0) == 0.0
    answered(slabs[1], 0.25, 1)
    assert tails.slow("r", "1.0.0", 0.0) == pytest.approx(0.175)


def test_what_was_long_ago_counts_only_where_there_is_too_little_of_lately(slabs: tuple[Slab, Slab]) -> None:
    tails = Tails(slabs)
    answered(slabs[0], 5.0, 10_000)
    tails.note("r", "1.0.0", 0.0)
    answered(slabs[0], 0.1, 1000)
    assert tails.slow("r", "1.0.0", LATELY - 1) > 1, "how it was ten minutes ago is not known yet"
    assert tails.slow("r", "1.0.0", LATELY) == pytest.approx(0.0995, abs=0.001)
    tails.note("r", "1.0.0", 2 * LATELY)
    tails.note("r", "1.0.0", 3 * LATELY)
    assert tails.slow("r", "1.0.0", 3 * LATELY) > 1


def test_how_it_was_is_noted_once_a_minute_and_for_ten_minutes(slabs: tuple[Slab, Slab]) -> None:
    tails = Tails(slabs)
    for second in range(int(3 * LATELY)):
        tails.note("r", "1.0.0", float(second))
    (noted,) = tails._noted.values()
    assert len(noted) <= LATELY / NOTE_EVERY + 2
    assert noted[0][0] <= 2 * LATELY < noted[1][0] + NOTE_EVERY


def asked(slab: Slab, assigned: str, number: int, **labels: str) -> None:
    """So many requests, as a worker counts them."""
    one = {"rule": "everyone", "reason": "split", "status": "2xx", "route": "r", **labels}
    values = (one["route"], one["rule"], assigned, assigned, "1.0.0", one["reason"], "none", one["status"], "none")
    slab.cells[slab.counter("stepdown_requests_total", values)] += number


def test_the_first_look_finds_out_where_to_begin_and_the_next_ones_what_came(slabs: tuple[Slab, Slab]) -> None:
    failing = Failing(slabs)
    asked(slabs[0], "2.0.0", 50, status="5xx")
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0") == Flush()
    asked(slabs[0], "2.0.0", 3, status="5xx")
    asked(slabs[1], "2.0.0", 4)
    asked(slabs[1], "1.0.0", 9)
    asked(slabs[1], "1.0.0", 1, status="5xx")
    seen = failing.flush("r", "everyone", "1.0.0", "2.0.0")
    assert seen == Flush(requests=Arms(candidate=7, stable=10), failures=Arms(candidate=3, stable=1))
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0") == Flush()


def test_only_what_the_split_of_the_rollout_s_rule_assigned_counts(slabs: tuple[Slab, Slab]) -> None:
    failing = Failing(slabs)
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0") == Flush()
    for labels in ({"rule": "beta"}, {"route": "other"}, {"reason": "pin-forced"}):
        asked(slabs[0], "2.0.0", 100, status="5xx", **labels)
    asked(slabs[0], "3.0.0", 100, status="5xx")
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0") == Flush()
    asked(slabs[0], "2.0.0", 5, status="5xx", rule="everyone/beta")  # a segment's step of the same rule
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0").failures.candidate == 5


def test_what_was_forgotten_begins_anew(slabs: tuple[Slab, Slab]) -> None:
    failing = Failing(slabs)
    failing.flush("r", "everyone", "1.0.0", "2.0.0")
    failing.flush("r", "other", "1.0.0", "2.0.0")
    asked(slabs[0], "2.0.0", 5)
    asked(slabs[0], "2.0.0", 5, rule="other")
    failing.forget("r", "everyone")
    assert failing.flush("r", "everyone", "1.0.0", "2.0.0") == Flush()
    assert failing.flush("r", "other", "1.0.0", "2.0.0").requests.candidate == 5
