"""The paired e-process: its values, and that it starts at nothing."""

from __future__ import annotations

import pytest

from stepdown.statistics.evidence import reaches
from stepdown.statistics.paired import paired_evidence
from tests.kit.statistics import PRECISION, vectors


def test_the_published_values_are_reproduced() -> None:
    for case in vectors("mcnemar_shadow"):
        found = paired_evidence(case["raw_only"], case["noise_only"], tuple(case["grid"]))
        assert found == pytest.approx(case["logE"], abs=PRECISION)


def test_nothing_seen_is_no_evidence() -> None:
    assert paired_evidence(0, 0) == pytest.approx(0, abs=PRECISION)


def test_noise_that_differs_as_often_speaks_against_a_difference() -> None:
    assert paired_evidence(20, 20) < 0


def test_seven_differences_of_the_candidate_alone_are_enough_to_act_on() -> None:
    assert not reaches(paired_evidence(6, 0))
    assert reaches(paired_evidence(8, 0))


def test_counts_beyond_what_a_float_can_be_raised_to_are_no_error() -> None:
    assert paired_evidence(10**7, 0) > 10**6
