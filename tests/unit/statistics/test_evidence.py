"""Averages of evidence, levels, and many hypotheses at once."""

from __future__ import annotations

import math

import pytest

from stepdown.statistics.evidence import log_mean, reaches, rejected
from tests.kit.statistics import vectors


def test_the_average_of_evidence_is_the_published_one() -> None:
    case = vectors("combine")
    assert math.exp(log_mean([math.log(value) for value in case["E"]])) == pytest.approx(case["mean"])


def test_an_average_of_what_no_float_can_hold_is_no_error() -> None:
    assert log_mean([2000.0, 0.0]) == pytest.approx(2000 - math.log(2))
    assert log_mean([-math.inf, -math.inf]) == -math.inf


def test_nothing_has_no_average() -> None:
    with pytest.raises(ValueError, match="no evidence"):
        log_mean([])


def test_evidence_of_twenty_is_enough_at_five_per_cent() -> None:
    assert reaches(math.log(20))
    assert not reaches(math.log(19.9))
    assert reaches(math.log(1000), 0.001)


def test_what_is_no_number_is_never_enough() -> None:
    assert not reaches(math.nan)
    assert rejected([math.nan]) == set()


def test_one_hypothesis_is_rejected_at_its_level() -> None:
    assert rejected([math.log(20)]) == {0}
    assert rejected([math.log(19)]) == set()


def test_many_hypotheses_have_to_share_the_level() -> None:
    strong, weak = math.log(50), 0.0
    assert rejected([strong, weak]) == {0}  # 40 is needed
    assert rejected([strong, weak, weak]) == set()  # 60 is needed


def test_hypotheses_that_are_rejected_together_need_less_each() -> None:
    assert rejected([math.log(30), 0.0, math.log(31)]) == {0, 2}  # 3 / (2 * 0.05) is 30


def test_nothing_is_rejected_where_there_is_nothing() -> None:
    assert rejected([]) == set()
