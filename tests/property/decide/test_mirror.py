"""Shares of shadows: exact for requests, monotonic and exact enough for keys, and no rule's split shows in them."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.mirror import Mirror
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.snapshot import Route, compile_snapshot
from tests.kit import specs
from tests.kit.request import request

VERSIONS = ("1.0.0", "2.0.0", "3.0.0")
ASKED = request()
PERCENTS = st.integers(1, 100_000).map(lambda thousandths: thousandths / 1000)
KEYS = st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=50, unique=True)


def routed(*shadows: Shadow, split: dict[str, int] | None = None) -> Route:
    model = specs.model(*(specs.version(one, place + 1) for place, one in enumerate(VERSIONS)))
    key = (spec.KeySource(header="x-user-id"), spec.KeySource(cookie="uid"))
    route = specs.route(split or {"1.0.0": 1}, key=key, shadows=shadows)
    return compile_snapshot(specs.snapshot(route, models=[model])).routes[0]


def mirrored(*shadows: Shadow) -> Mirror:
    mirror = routed(*shadows).mirror
    assert mirror is not None
    return mirror


def by_key(percent: float, **options: Any) -> Shadow:
    written: dict[str, Any] = {"name": "next", "version": "3.0.0", "percent": percent, "per": "key", **options}
    return Shadow(**written)


@settings(deadline=None)
@given(percents=st.lists(PERCENTS, min_size=1, max_size=3), seed=st.integers(0, 2**63), requests=st.integers(1, 3000))
def test_a_share_of_requests_is_exact_at_any_moment_to_one(percents: list[float], seed: int, requests: int) -> None:
    shadows = [Shadow(f"s{place}", "3.0.0", percent=percent) for place, percent in enumerate(percents)]
    mirror = mirrored(*shadows)
    samplers = mirror.samplers(seed)
    counts = [0] * len(shadows)
    for number in range(1, requests + 1):
        for place in mirror.choose(ASKED, "1.0.0", None, samplers).shadows:
            counts[place] += 1
        for count, percent in zip(counts, percents, strict=True):
            assert abs(count - number * percent / 100) < 1 + 1e-9


@settings(deadline=None)
@given(percent=st.integers(1, 100), seed=st.integers(0, 2**63), rhythm=st.lists(st.sampled_from(VERSIONS), min_size=1))
def test_every_hundred_requests_have_their_share_exactly_whoever_serves_them(
    percent: int, seed: int, rhythm: list[str]
) -> None:
    mirror = mirrored(Shadow("next", "3.0.0", percent=percent))
    samplers, served = mirror.samplers(seed), cycle(rhythm)
    for _ in range(3):
        choices = [mirror.choose(ASKED, next(served), None, samplers) for _ in range(100)]
        assert sum(len(one.shadows) + len(one.served) for one in choices) == percent


@given(keys=KEYS, smaller=PERCENTS, larger=PERCENTS, source=st.sampled_from([0, 1]))
def test_who_is_copied_at_a_smaller_percentage_is_copied_at_a_larger_one(
    keys: list[bytes], smaller: float, larger: float, source: int
) -> None:
    smaller, larger = sorted((smaller, larger))
    few, many = mirrored(by_key(smaller)), mirrored(by_key(larger))
    for key in keys:
        if few.choose(ASKED, "1.0.0", (source, key), few.samplers(0)).shadows:
            assert many.choose(ASKED, "1.0.0", (source, key), many.samplers(1)).shadows, "whatever the worker's seed"


@given(percent=PERCENTS, keys=KEYS)
def test_a_salt_that_is_written_out_keeps_everybody_under_another_name(percent: float, keys: list[bytes]) -> None:
    one, other = mirrored(by_key(percent, salt="s")), mirrored(by_key(percent, salt="s", name="other"))
    for key in keys:
        assert one.choose(ASKED, "1.0.0", (0, key), ()) == other.choose(ASKED, "1.0.0", (0, key), ())


def test_shares_of_keys_are_independent_of_the_splits_and_of_each_other() -> None:
    route = routed(by_key(25), by_key(50, name="half"), split={"1.0.0": 60, "2.0.0": 40})
    assert route.mirror is not None
    samplers, seen, users = route.mirror.samplers(0), [0] * 8, 20_000
    for user in range(users):
        asked = request(x_user_id=f"user-{user}")
        choice = route.choose(asked, (), None, "", (True, True, True), lambda: 0)
        copied = route.mirror.choose(asked, choice.served, route.key(asked, None, ""), samplers).shadows
        seen[4 * (choice.assigned == "2.0.0") + 2 * (0 in copied) + (1 in copied)] += 1
    expected = [new * quarter * half * users for new in (0.6, 0.4) for quarter in (0.75, 0.25) for half in (0.5, 0.5)]
    distance = sum((count - mean) ** 2 / mean for count, mean in zip(seen, expected, strict=True))
    assert distance < 24.3, f"chi-squared with 7 degrees of freedom exceeds this once in a thousand: {seen}"


def test_two_shadows_of_one_route_do_not_meet_the_same_requests() -> None:
    mirror = mirrored(Shadow("a", "2.0.0", percent=10), Shadow("b", "3.0.0", percent=10))
    samplers = mirror.samplers(5)
    chosen = [mirror.choose(ASKED, "1.0.0", None, samplers).shadows for _ in range(10_000)]
    assert sum(map(len, chosen)) == 2000
    assert 60 < sum(len(one) == 2 for one in chosen) < 140, "a tenth of a tenth"
