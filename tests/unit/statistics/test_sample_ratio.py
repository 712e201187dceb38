"""Sample-ratio mismatch and ranks of quantiles by their published values."""

from __future__ import annotations

import math

import pytest

from stepdown.statistics.evidence import reaches
from stepdown.statistics.sample_ratio import LEVEL, mismatch_evidence, quantile_ranks
from tests.kit.statistics import PRECISION, vectors


def test_the_published_values_of_two_versions_are_reproduced() -> None:
    for case in vectors("srm_two_arm")["cases"]:
        counts, shares = (case["canary"], case["total"] - case["canary"]), (case["p"], 1 - case["p"])
        found = mismatch_evidence(counts, shares, case["concentration"])
        assert found == pytest.approx(case["logE"], abs=PRECISION)
        assert min(1.0, math.exp(-found)) == pytest.approx(case["p_anytime_now"])


def test_the_published_values_of_many_versions_are_reproduced() -> None:
    for case in vectors("srm_multi"):
        found = mismatch_evidence(case["counts"], case["probs"], case["concentration"])
        assert found == pytest.approx(case["logE"], abs=PRECISION)


def test_a_mismatch_is_acted_on_and_a_match_is_not() -> None:
    assert reaches(mismatch_evidence((400, 9600), (0.05, 0.95)), LEVEL)
    assert not reaches(mismatch_evidence((500, 9500), (0.05, 0.95)), LEVEL)


def test_the_published_ranks_are_reproduced() -> None:
    for case in vectors("quantile_rank_bounds")["cases"]:
        assert quantile_ranks(case["t"], case["p"], case["alpha"], case["c"]) == (case["lo"], case["hi"])


def test_few_values_bound_no_quantile() -> None:
    assert quantile_ranks(0, 0.99) == (0, 0)
    assert quantile_ranks(10, 0.99)[1] == 10
