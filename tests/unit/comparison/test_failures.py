"""What counts as a failure of a shadow, and how several decisions come to one."""

from __future__ import annotations

import pytest

from stepdown.comparison.failures import failures, judge_failures, together
from stepdown.comparison.report import Report, Section
from stepdown.comparison.verdict import FAILED, Outcome, judge
from stepdown.comparison.view import counted, view


def section(compared: int = 0, **changes: object) -> Section:
    return Section(compared=compared, equal=compared, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "failed"),
    [
        ({"200 > 200": 5}, 0),
        ({"200 > 404": 5}, 0),
        ({"200 > 500": 5}, 5),
        ({"404 > 503": 2, "499 > 599": 1}, 3),
        ({"500 > 500": 5, "503 > 502": 1, "500 > 200": 1}, 0),
        ({"(other)": 5}, 0),
    ],
)
def test_an_error_of_a_server_counts_where_the_served_version_had_none(statuses: dict[str, int], failed: int) -> None:
    assert failures(section(10, statuses=statuses)) == failed


def test_an_answer_that_is_owed_counts_and_one_that_cannot_be_compared_does_not() -> None:
    owed = dict.fromkeys(FAILED, 1)
    others = {"served: timeout": 7, "collected": 7, "unanswered": 7, "served: too-large": 7, "coding": 7}
    assert failures(section(incomparable=owed | others)) == len(FAILED)
    assert judge_failures(Report(sections={"1": section(4, incomparable=owed | others)}), 1.0, 1).compared == 4 + len(
        owed
    )


@pytest.mark.parametrize(
    ("failed", "of", "limit", "outcome"),
    [
        (0, 0, 0.01, "inconclusive"),
        (0, 99, 0.9, "inconclusive"),
        (0, 5000, 0.001, "inconclusive"),
        (0, 5000, 0.002, "pass"),
        (3, 5000, 0.005, "pass"),
        (100, 5000, 0.005, "fail"),
        (30, 5000, 0.005, "inconclusive"),
        (0, 5000, 0.0, "pass"),
        (1, 5000, 0.0, "fail"),
    ],
)
def test_the_share_is_held_against_its_limit(failed: int, of: int, limit: float, outcome: str) -> None:
    report = Report(sections={"1": section(of - failed, incomparable={"reset": failed} if failed else {})})
    verdict = judge_failures(report, limit, 100)
    assert verdict.outcome == outcome
    assert verdict.sentence.startswith(f"{failed:,} of {of:,} answers failed")


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["pass"], "pass"),
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "fail"], "fail"),
        ([], "inconclusive"),
    ],
)
def test_one_that_fails_decides_and_all_have_to_pass(outcomes: list[Outcome], expected: str) -> None:
    assert together(outcomes) == expected


def test_what_is_shown_decides_as_what_was_counted() -> None:
    first = Section(
        compared=900,
        equal=850,
        incomparable={"reset": 3},
        statuses={"200 > 200": 890, "200 > 503": 10},
        paired=90,
        both=2,
        candidate_only=7,
        noise_only=3,
    )
    report = Report(shadow="r/s", sections={"1.0.0": first, "2.0.0": section(50)})
    again = counted(view(report))
    for limit in (0.0, 0.02, 0.5):
        assert judge(again, limit, 10) == judge(report, limit, 10)
        assert judge_failures(again, limit, 10) == judge_failures(report, limit, 10)
