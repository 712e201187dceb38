"""Evidence is expected to be 1 where its null hypothesis holds: summed exactly over everything that may be counted."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.statistics.ceiling import ceiling_evidence
from stepdown.statistics.event_share import FALLING, RISING, Events, event_share_evidence
from stepdown.statistics.paired import paired_evidence
from stepdown.statistics.proportion import interval, proportion_evidence
from stepdown.statistics.sample_ratio import mismatch_evidence, quantile_ranks
from stepdown.statistics.windows import after, begin

SHARES = st.floats(0.01, 0.99)
TOTALS = st.integers(1, 60)


def expected(total: int, share: float, evidence: Callable[[int], float]) -> float:
    """Sum over k of Binomial(k; n, p) E(k)."""
    return math.fsum(
        math.comb(total, hits) * share**hits * (1 - share) ** (total - hits) * math.exp(evidence(hits))
        for hits in range(total + 1)
    )


@given(TOTALS, SHARES, st.sampled_from([FALLING, RISING]))
def test_of_events(total: int, share: float, ratios: tuple[float, ...]) -> None:
    found = expected(total, share, lambda hits: event_share_evidence([Events(hits, total, share)], ratios))
    assert found == pytest.approx(1)


@given(TOTALS, SHARES)
def test_of_events_of_a_candidate_that_is_better_than_the_boundary(total: int, share: float) -> None:
    better = 0.5 * share / (0.5 * share + 1 - share)
    found = expected(total, better, lambda hits: event_share_evidence([Events(hits, total, share)], RISING))
    assert found <= 1 + 1e-9


@given(TOTALS, SHARES)
def test_of_proportions(total: int, share: float) -> None:
    assert expected(total, share, lambda hits: proportion_evidence(hits, total, share)) == pytest.approx(1)


@given(TOTALS)
def test_of_pairs(total: int) -> None:
    assert expected(total, 0.5, lambda hits: paired_evidence(hits, total - hits)) == pytest.approx(1)
    assert expected(total, 0.4, lambda hits: paired_evidence(hits, total - hits)) <= 1 + 1e-9


@given(TOTALS, SHARES)
def test_of_assignments(total: int, share: float) -> None:
    found = expected(total, share, lambda hits: mismatch_evidence((hits, total - hits), (share, 1 - share)))
    assert found == pytest.approx(1)


@given(TOTALS, st.floats(0.001, 0.5))
def test_of_ceilings(total: int, ceiling: float) -> None:
    assert expected(total, ceiling, lambda hits: ceiling_evidence(hits, total, ceiling)) == pytest.approx(1)
    assert expected(total, min(1, 1.5 * ceiling), lambda hits: ceiling_evidence(hits, total, ceiling)) <= 1 + 1e-9


@given(st.integers(1, 8), st.integers(1, 8), SHARES)
def test_of_two_windows_and_less_where_they_are_clipped(first: int, second: int, share: float) -> None:
    def of(highest: float) -> float:
        def then(hits: int) -> float:
            staked = after(begin(RISING), Events(hits, first, share), RISING, highest)
            return math.log(
                expected(second, share, lambda more: after(staked, Events(more, second, share), RISING, highest).log_e)
            )

        return expected(first, share, then)

    assert of(math.inf) == pytest.approx(1)
    assert of(0.5) <= 1 + 1e-9


@given(st.integers(0, 3000), st.data())
def test_an_interval_holds_what_was_seen_and_narrows(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = interval(hits, total)
    assert 0 <= low <= (hits / total if total else 0.5) <= high <= 1
    wider = interval(hits, total, 0.001)
    assert wider[0] <= low
    assert high <= wider[1]
    if total:
        longer = interval(10 * hits, 10 * total)
        assert longer[1] - longer[0] < high - low + 1e-12


@given(st.integers(0, 500), SHARES)
def test_ranks_are_found_by_halving_as_by_looking_at_all(total: int, quantile: float) -> None:
    level = math.log(20)
    inside = [
        below
        for below in range(total + 1)
        if mismatch_evidence((below, total - below), (quantile, 1 - quantile)) < level
    ]
    assert quantile_ranks(total, quantile) == (inside[0], inside[-1])
