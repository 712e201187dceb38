"""A report as machines get it."""

from __future__ import annotations

import json
from random import Random

from stepdown.comparison.book import Book
from stepdown.comparison.report import Report
from stepdown.comparison.verdict import judge
from stepdown.comparison.view import verdict_view, view
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import judged


def report() -> Report:
    one = Book(Comparing(labels=("/label",)), Examples(), Random(1).random)
    for number in range(20):
        served = {"label": "cat", "n": 1.5}
        candidate = {"label": "cat" if number else "dog", "n": 1.5}
        one.add(judged(served, candidate, noise=served, contract="1.0.0" if number % 2 else "1.1.0", at=1700000000.25))
    return one.report("churn/2.0.0")


def test_it_is_plain_json_with_the_total_and_each_pinned_version() -> None:
    found = view(report())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["shadow"], found["since"], found["until"]) == ("churn/2.0.0", *["2023-11-14T22:13:20.250Z"] * 2)
    assert (found["total"]["compared"], found["total"]["different"], found["total"]["noise_copies"]) == (20, 1, 20)
    assert {name: section["compared"] for name, section in found["contracts"].items()} == {"1.0.0": 10, "1.1.0": 10}


def test_each_path_has_its_rate_its_noise_and_its_verdict() -> None:
    (path,) = view(report())["total"]["paths"]
    assert (path["path"], path["kinds"], path["verdict"]) == ("/label", {"label": 1}, "noise")
    assert path["different"]["share"] == 0.05
    assert path["noise"]["count"] == 0
    assert path["diffy"]["reported"] is True


def test_numbers_labels_and_examples_are_there() -> None:
    total = view(report())["total"]
    assert [number["path"] for number in total["numbers"]] == ["/n"]
    assert total["labels"][0]["agreed"]["count"] == 19
    assert total["labels"][0]["changes"] == [["cat", "dog", 1]]
    (worst,) = total["examples"]["worst"]
    assert (worst["path"], worst["served"], worst["candidate"]) == ("/label", '"cat"', '"dog"')


def test_what_nobody_knows_is_null() -> None:
    found = view(Report())
    assert (found["since"], found["total"]["answers"]["different"]["share"]) == (None, None)
    assert found["total"]["answers"]["noise"] is None
    assert found["total"]["answers"]["diffy"] is None


def test_a_verdict_is_shown_with_its_limits() -> None:
    found = verdict_view(judge(report(), 0.005, 5000), 0.005, 5000)
    assert (found["outcome"], found["max_different"], found["min_compared"]) == ("inconclusive", 0.005, 5000)
    assert found["sentence"].startswith("1 of 20 answers differ (5 %)")
