"""What a report says: rates, verdicts, drift, labels."""

from __future__ import annotations

import math
from random import Random

import pytest

from stepdown.comparison import findings
from stepdown.comparison.book import Book
from stepdown.comparison.merging import total
from stepdown.comparison.report import PathCounts, Section
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import judged


def counted(
    compared: int, different: int, *, paired: int = 0, both: int = 0, candidate_only: int = 0, noise_only: int = 0
) -> Section:
    """One path differs, whenever anything does."""
    path = PathCounts(different, both, candidate_only, noise_only, {"value": different})
    return Section(
        compared=compared,
        equal=compared - different,
        paired=paired,
        both=both,
        candidate_only=candidate_only,
        noise_only=noise_only,
        paths={"/score": path},
    )


def test_a_rate_comes_with_its_interval() -> None:
    (found,) = findings.paths(counted(1000, 40))
    assert (found.path, found.different.count, found.different.share) == ("/score", 40, 0.04)
    assert (found.different.low, found.different.high) == pytest.approx((0.021311, 0.066819), abs=1e-6)


def test_without_noise_copies_the_verdict_says_so() -> None:
    (found,) = findings.paths(counted(1000, 40))
    assert (found.verdict, found.noise, found.diffy, found.evidence) == ("no noise copies", None, None, 0.0)
    assert "no noise copies" in found.sentence


def test_a_path_that_differs_more_often_than_noise_is_told_with_its_numbers() -> None:
    section = counted(5000, 400, paired=500, both=5, candidate_only=40, noise_only=5)
    for found in (findings.answers(section), *findings.paths(section)):
        assert found.verdict == "differs"
        assert found.evidence > math.log(20)
        assert found.noise is not None
        assert (found.noise.count, found.noise.total) == (10, 500)
        assert (
            "of 500 requests with a noise copy 45 differ on one side only, 40 of them on the candidate's"
            in found.sentence
        )
        assert found.diffy is not None
        assert found.diffy.reported
    assert findings.answers(section).path == "(answer)"


def test_a_path_that_differs_as_often_as_noise_is_noise_so_far() -> None:
    section = counted(5000, 400, paired=500, both=5, candidate_only=36, noise_only=30)
    (found,) = findings.paths(section)
    assert found.verdict == "noise"
    assert found.sentence.startswith("no more than noise so far")


def test_diffys_rule_is_shown_and_decides_nothing() -> None:
    (found,) = findings.paths(counted(1000, 6, paired=1000, candidate_only=6, noise_only=2))
    assert found.diffy is not None
    assert (found.diffy.reported, found.verdict) == (True, "noise")


def test_many_paths_share_one_level() -> None:
    section = counted(1000, 7, paired=1000, candidate_only=7)
    assert findings.paths(section)[0].verdict == "differs"
    for number in range(9):
        section.paths[f"/other{number}"] = PathCounts(1, 0, 1, 1)
    assert findings.paths(section)[0].verdict == "noise"
    assert findings.answers(section).verdict == "differs"


def test_evidence_that_no_float_can_hold_is_written_as_a_power() -> None:
    (found,) = findings.paths(counted(10**6, 10**6, paired=10**6, candidate_only=10**6))
    assert "(E = 1e255" in found.sentence


def test_paths_come_the_most_frequent_first() -> None:
    section = counted(10, 2)
    section.paths["/often"] = PathCounts(5)
    section.paths["/also"] = PathCounts(2)
    assert [found.path for found in findings.paths(section)] == ["/often", "/also", "/score"]


def test_nothing_compared_has_no_share() -> None:
    found = findings.answers(Section())
    assert math.isnan(found.different.share)
    assert (found.different.low, found.different.high) == (0.0, 1.0)


def test_how_the_numbers_of_a_path_moved_is_said() -> None:
    dice = Random(1)
    one = Book(Comparing(), Examples(), dice.random)
    for _ in range(1000):
        number = dice.gauss(10, 1)
        one.add(judged({"moved": [number, 1], "same": number}, {"moved": [number + 1, 1], "same": number}))
    moved, same = findings.shifts(total(one.report()))
    assert (moved.path, moved.served, moved.candidate) == ("/moved/*", 2000, 2000)
    assert moved.mean_candidate - moved.mean_served == pytest.approx(0.5)
    assert moved.deviations == pytest.approx(0.5 / 4.5, rel=0.1)
    assert moved.ks == pytest.approx(0.19, abs=0.03)
    assert moved.psi is not None
    assert moved.psi > 0.2
    assert (same.path, same.ks, same.psi) == ("/same", 0.0, 0.0)
    assert same.quantiles_served == same.quantiles_candidate
    assert same.quantiles_served[0] == pytest.approx(10, rel=0.03)


def test_a_path_that_only_one_side_has_is_no_drift() -> None:
    one = Book(Comparing(), Examples(), Random(1).random)
    one.add(judged({"a": 1}, {"b": 1}))
    assert findings.shifts(total(one.report())) == []


def test_numbers_that_are_all_alike_have_no_deviations() -> None:
    one = Book(Comparing(), Examples(), Random(1).random)
    one.add(judged({"a": 1}, {"a": 2}))
    one.add(judged({"a": 1}, {"a": 2}))
    (found,) = findings.shifts(total(one.report()))
    assert (found.deviations, found.psi, found.ks) == (None, None, 1.0)


def test_times_and_sizes_are_measures() -> None:
    one = Book(Comparing(), Examples(), Random(1).random)
    assert findings.measures(Section()) == []
    pair = judged(1, 1, noise=1)
    assert pair.candidate
    pair.served.seconds, pair.candidate.seconds = 0.1, 0.2
    one.add(pair)
    found = findings.measures(total(one.report()))
    assert [measure.path for measure in found] == ["seconds", "seconds of noise copies", "bytes"]
    assert findings.quantiles(total(one.report()).seconds.candidate) == pytest.approx((0.2, 0.2, 0.2), rel=0.02)
    assert findings.quantiles(Section().seconds.candidate) == ()


def test_labels_agree_or_became_others() -> None:
    one = Book(Comparing(labels=("/label",)), Examples(), Random(1).random)
    for number in range(1000):
        one.add(judged({"label": "cat"}, {"label": "cat" if number % 20 else "dog" if number % 40 else "cow"}))
    (found,) = findings.agreements(total(one.report()))
    assert (found.path, found.agreed.count, found.agreed.total) == ("/label", 950, 1000)
    assert (round(found.agreed.low, 3), round(found.agreed.high, 3)) == (0.921, 0.971)
    assert found.changes == (("cat", "cow", 25), ("cat", "dog", 25))
