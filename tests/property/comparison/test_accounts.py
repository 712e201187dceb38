"""The accounts of a shadow are what one would count by hand, however they were cut up, kept and put together."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.comparison.answers import Judged
from stepdown.comparison.book import Book
from stepdown.comparison.merging import merge
from stepdown.comparison.report import LARGEST, Report, decode
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import differences, judged, reply

DOCUMENTS = st.fixed_dictionaries(
    {
        "label": st.sampled_from(["cat", "dog", "cow"]),
        "n": st.integers(0, 3) | st.floats(-1e9, 1e9),
        "rows": st.lists(st.integers(0, 2), max_size=3),
    }
)
PAIRS = st.tuples(DOCUMENTS, DOCUMENTS, st.none() | DOCUMENTS)
RULES = Comparing(labels=("/label",))


def book(report: Report | None = None) -> Book:
    return Book(RULES, Examples(bodies=True), Random(1).random, report)


def request(served: Any, candidate: Any, noise: Any) -> Judged:
    return judged(served, candidate) if noise is None else judged(served, candidate, noise=noise)


def reported(pairs: list[Any], report: Report | None = None) -> Report:
    one = book(report)
    for pair in pairs:
        one.add(request(*pair))
    return one.report()


@given(st.lists(PAIRS, min_size=1, max_size=20))
def test_counters_are_those_that_counting_anew_gives(pairs: list[Any]) -> None:
    section = reported(pairs).sections["1.0.0"]
    paths, both, candidate_only, noise_only = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for served, candidate, noise in pairs:
        mine = {one.path for one in differences(served, candidate, labels=("/label",))}
        paths.update(mine)
        if noise is not None:
            theirs = {one.path for one in differences(served, noise, labels=("/label",))}
            both.update(mine & theirs)
            candidate_only.update(mine - theirs)
            noise_only.update(theirs - mine)
    assert {path: counts.different for path, counts in section.paths.items() if counts.different} == dict(paths)
    assert {path: counts.both for path, counts in section.paths.items() if counts.both} == dict(both)
    assert {path: counts.candidate_only for path, counts in section.paths.items() if counts.candidate_only} == dict(
        candidate_only
    )
    assert {path: counts.noise_only for path, counts in section.paths.items() if counts.noise_only} == dict(noise_only)
    assert section.paired == sum(noise is not None for *_, noise in pairs)
    assert section.labels["/label"] == matrix(pairs)
    assert section.numbers["/n"].served.mean * len(pairs) == approx(sum(served["n"] for served, *_ in pairs))


def matrix(pairs: list[Any]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for served, candidate, _ in pairs:
        row = found.setdefault(served["label"], {})
        row[candidate["label"]] = row.get(candidate["label"], 0) + 1
    return found


def approx(number: float) -> Any:

    return pytest.approx(number, rel=1e-6, abs=1e-3)


@given(st.lists(PAIRS, max_size=20))
def test_a_report_is_whole_again_when_it_is_read(pairs: list[Any]) -> None:
    report = reported(pairs)
    encoded = report.encode()
    assert len(encoded) <= LARGEST
    assert decode(encoded) == report


@given(st.lists(PAIRS, min_size=1, max_size=15), st.integers(0, 15))
def test_it_does_not_matter_whether_a_book_goes_on_or_two_are_merged(pairs: list[Any], cut: int) -> None:
    whole = reported(pairs)
    resumed = reported(pairs[cut:], reported(pairs[:cut]))
    merged = merge(reported(pairs[:cut]), reported(pairs[cut:]))
    for other in (resumed, merged):
        first, second = whole.sections["1.0.0"], other.sections["1.0.0"]
        assert first.paths == second.paths
        assert first.labels == second.labels
        assert first.statuses == second.statuses
        assert (first.compared, first.equal, first.drawn_from) == (second.compared, second.equal, second.drawn_from)
        for path, drift in first.numbers.items():
            assert drift.candidate.positive == second.numbers[path].candidate.positive
            assert (drift.candidate.least, drift.candidate.most) == (
                second.numbers[path].candidate.least,
                second.numbers[path].candidate.most,
            )


@given(st.lists(st.text(max_size=8), max_size=30))
def test_reasons_are_counted_whatever_they_are_called(reasons: list[str]) -> None:
    one = book()
    for reason in reasons:
        one.add(Judged("1.0.0", reply(1), reason=reason))
    report = one.report()
    assert sum(sum(section.incomparable.values()) for section in report.sections.values()) == len(reasons)
