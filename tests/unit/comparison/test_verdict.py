"""Pass, fail or inconclusive, with the numbers in the sentence."""

from __future__ import annotations

import pytest

from stepdown.comparison.report import Report, Section
from stepdown.comparison.verdict import judge


def report(compared: int, different: int, **changes: object) -> Report:
    return Report(sections={"1.0.0": Section(compared=compared, equal=compared - different, **changes)})  # type: ignore[arg-type]


def noisy(compared: int, different: int, paired: int, candidate_only: int, noise_only: int, both: int = 0) -> Report:
    return report(compared, different, paired=paired, candidate_only=candidate_only, noise_only=noise_only, both=both)


@pytest.mark.parametrize(
    ("compared", "different", "outcome"),
    [
        (0, 0, "inconclusive"),
        (4999, 0, "inconclusive"),
        (4999, 4999, "inconclusive"),  # nothing is judged before there is enough
        (5000, 0, "pass"),
        (5000, 7, "pass"),
        (5000, 10, "inconclusive"),
        (5000, 25, "inconclusive"),
        (5000, 45, "inconclusive"),
        (5000, 50, "fail"),
        (5000, 5000, "fail"),
        (100_000, 400, "pass"),
    ],
)
def test_it_passes_within_the_limit_and_fails_beyond_it(compared: int, different: int, outcome: str) -> None:
    assert judge(report(compared, different), 0.005, 5000).outcome == outcome


def test_the_sentence_has_the_numbers() -> None:
    assert judge(report(5000, 5), 0.005, 5000).sentence == (
        "5 of 5,000 answers differ (0.1 %). The share that differs is between 0.00901 % and 0.384 % (at 95 %),"
        " within the limit of 0.5 %."
    )
    assert judge(report(4000, 5), 0.005, 5000).sentence == (
        "5 of 4,000 answers differ (0.125 %). At least 5,000 are needed."
    )
    assert judge(report(5000, 500), 0.005, 5000).sentence.endswith("beyond the limit of 0.5 %.")
    assert judge(report(0, 0), 0.005, 0).sentence == "0 of 0 answers differ. At least 1 are needed."


def test_what_is_on_both_sides_says_how_many_more_would_decide() -> None:
    found = judge(report(5000, 10), 0.005, 5000)
    assert found.sentence.endswith(
        "on both sides of the limit of 0.5 %; if it stays as it is, about 6,800 answers decide."
    )
    assert judge(report(6800, 13), 0.005, 5000).outcome == "pass"


def test_what_is_exactly_at_the_limit_says_nothing_of_more() -> None:
    assert judge(report(5000, 25), 0.005, 5000).sentence.endswith("on both sides of the limit of 0.5 %.")


def test_a_candidate_that_gave_no_answer_differs() -> None:
    found = judge(report(5000, 0, incomparable={"timeout": 299, "reset": 1, "adapter": 1, "coding": 7}), 0.005, 5000)
    assert (found.outcome, found.different, found.compared) == ("fail", 301, 5301)
    assert "301 of them because the candidate gave none" in found.sentence
    assert found.sentence.endswith("7 more could not be compared.")


def test_what_could_not_be_compared_for_other_reasons_is_not_held_against_the_candidate() -> None:
    assert judge(report(5000, 0, incomparable={"served: too-large": 5000}), 0.005, 5000).outcome == "pass"


def test_all_pinned_versions_are_judged_together() -> None:
    one = report(3000, 0)
    one.sections["1.1.0"] = Section(compared=3000, equal=3000)
    assert judge(one, 0.005, 5000).outcome == "pass"


@pytest.mark.parametrize(
    ("found", "outcome", "sentence"),
    [
        (report(5000, 0), "pass", "None differs (at 95 % at most 0.156 % do)"),
        (report(5000, 1), "fail", "None may differ"),
        (noisy(5000, 0, 500, 0, 5), "pass", "None differs"),
        (noisy(5000, 40, 500, 4, 5), "inconclusive", "is not shown: 4 times only the candidate did, 5 times"),
        (
            noisy(5000, 400, 500, 40, 5),
            "fail",
            "and they do: 40 times only the candidate did, 5 times only the noise copy",
        ),
    ],
)
def test_a_limit_of_nothing_is_met_by_none(found: Report, outcome: str, sentence: str) -> None:
    decided = judge(found, 0, 5000)
    assert decided.outcome == outcome
    assert sentence in decided.sentence


def test_with_noise_copies_only_what_is_beyond_noise_counts() -> None:
    as_noisy = noisy(20_000, 1000, 20_000, 950, 950, 50)  # both sides differ in 5 %
    assert judge(as_noisy, 0.02, 5000).outcome == "pass"
    assert judge(as_noisy, 0.02, 5000).low == 0.0
    assert judge(report(20_000, 1000), 0.02, 5000).outcome == "fail"
    worse = noisy(20_000, 3000, 20_000, 2950, 950, 50)
    found = judge(worse, 0.02, 5000)
    assert found.outcome == "fail"
    assert "of 20,000 noise copies 1,000 (5 %)" in found.sentence
    assert "The share that differs beyond noise is between" in found.sentence


def test_few_noise_copies_cannot_fail_a_candidate_and_that_is_said() -> None:
    found = judge(noisy(5000, 500, 5, 1, 0), 0.005, 5000)
    assert found.outcome == "inconclusive"
    assert found.sentence.endswith("; more noise copies would narrow it.")


def test_where_nearly_all_have_a_noise_copy_more_answers_are_what_it_takes() -> None:
    found = judge(noisy(5000, 25, 4990, 20, 0), 0.005, 5000)
    assert found.outcome == "inconclusive"
    assert found.sentence.endswith("; more answers would narrow it.")
