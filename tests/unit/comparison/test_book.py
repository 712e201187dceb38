"""The accounts of a shadow: what each pair adds, what is bounded, and that another book can go on."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from stepdown.comparison.answers import Judged
from stepdown.comparison.book import Book
from stepdown.comparison.report import Report, Section
from stepdown.comparison.sketch import Sketch
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import judged, reply


def book(keep: int = 20, *, bodies: bool = False, redact: tuple[str, ...] = (), **rules: Any) -> Book:
    return Book(Comparing(**rules), Examples(keep=keep, bodies=bodies, redact=redact), Random(1).random)


def section(one: Book, contract: str = "1.0.0") -> Section:
    return one.report().sections[contract]


def test_each_pair_is_equal_different_or_incomparable() -> None:
    one = book()
    assert one.add(judged(1, 1)) == "equal"
    assert one.add(judged(1, 2)) == "different"
    assert one.add(Judged("1.0.0", reply(1), reason="timeout")) == "incomparable"
    assert one.add(Judged("1.0.0", reply(1))) == "incomparable"
    found = section(one)
    assert (found.compared, found.equal, found.different) == (2, 1, 1)
    assert found.incomparable == {"timeout": 1, "unknown": 1}


def test_a_path_counts_once_for_each_answer() -> None:
    one = book()
    one.add(judged({"a": [1, 2, "x"], "b": 1}, {"a": [9, 8, 1], "b": 1}))
    found = section(one).paths
    assert list(found) == ["/a/*"]
    assert (found["/a/*"].different, found["/a/*"].kinds) == (1, {"value": 1, "type": 1})


def test_requests_with_a_noise_copy_are_counted_by_which_of_both_differs() -> None:
    one = book()
    served = {"a": 1, "b": 1}
    one.add(judged(served, {"a": 2, "b": 1}, noise=served))
    one.add(judged(served, {"a": 2, "b": 1}, noise={"a": 3, "b": 2}))
    one.add(judged(served, served, noise={"a": 1, "b": 2}))
    one.add(judged(served, served, noise=served))
    one.add(judged(served, {"a": 2, "b": 1}))
    found = section(one)
    assert (found.compared, found.paired) == (5, 4)
    assert (found.both, found.candidate_only, found.noise_only) == (1, 1, 1)
    a, b = found.paths["/a"], found.paths["/b"]
    assert (a.different, a.both, a.candidate_only, a.noise_only) == (3, 1, 1, 0)
    assert (b.different, b.both, b.candidate_only, b.noise_only) == (0, 0, 0, 2)


def test_a_noise_copy_without_an_answer_of_the_candidate_is_no_pair() -> None:
    one = book()
    one.add(Judged("1.0.0", reply(1), reason="reset", noise=reply(2)))
    assert section(one).paired == 0


def test_status_codes_contracts_times_and_sizes_are_counted() -> None:
    one = book()
    served, candidate = (
        reply(1, valid=True, seconds=0.1, size=10),
        reply(1, status=500, valid=False, seconds=0.3, size=5),
    )
    one.add(Judged("1.0.0", served, candidate, noise=reply(1, seconds=0.2, size=11)))
    found = section(one)
    assert found.statuses == {"200 > 500": 1}
    assert (found.checked, found.invalid_served, found.invalid_candidate) == (1, 0, 1)
    means = [getattr(found.seconds, side).mean for side in ("served", "candidate", "noise")]
    assert means == pytest.approx([0.1, 0.3, 0.2])
    assert (found.sizes.served.mean, found.sizes.candidate.mean) == (10, 5)


def test_each_pinned_version_has_a_section_and_those_that_are_too_many_share_one() -> None:
    one = book()
    for number in range(20):
        one.add(judged(1, 1, contract=f"{number}.0.0"))
    found = one.report().sections
    assert len(found) == 9
    assert found["(other)"].compared == 12


def test_paths_that_are_too_many_share_one_entry() -> None:
    one = book()
    for number in range(300):
        one.add(judged({}, {f"name {number}": 1}))
    found = section(one).paths
    assert len(found) == 201
    assert found["(other)"].different == 100


def test_reasons_that_are_too_many_share_one_entry() -> None:
    one = book()
    for number in range(100):
        one.add(Judged("1.0.0", reply(1), reason=f"reason {number}"))
    found = section(one).incomparable
    assert len(found) == 65
    assert found["(other)"] == 36


def test_labels_are_counted_by_what_became_of_them() -> None:
    one = book(labels=("/label",))
    for served, candidate in [("cat", "cat"), ("cat", "dog"), ("dog", "dog")]:
        one.add(judged({"label": served}, {"label": candidate}))
    one.add(judged({"label": "cat"}, {}))
    assert section(one).labels == {"/label": {"cat": {"cat": 1, "dog": 1, "(missing)": 1}, "dog": {"dog": 1}}}


def test_numbers_are_taken_of_equal_and_of_different_answers_alike() -> None:
    one = book()
    for number in range(100):
        one.add(judged({"n": number}, {"n": number if number % 2 else number + 1}))
    found = section(one)
    assert Sketch(found.numbers["/n"].served).count == 100
    assert found.numbers["/n"].served.mean == pytest.approx(49.5)
    assert found.numbers["/n"].candidate.mean == pytest.approx(50)


def test_after_a_thousand_answers_the_numbers_of_every_eighth_are_taken() -> None:
    one = book()
    for _ in range(1800):
        one.add(judged(1, 1))
    (numbers,) = section(one).numbers.values()
    assert (Sketch(numbers.served).count, Sketch(numbers.candidate).count) == (1100, 1100)


def test_numbers_of_too_many_paths_and_of_failed_answers_are_not_taken() -> None:
    one = book()
    one.add(judged({f"n{number}": number for number in range(80)}, {}))
    one.add(Judged("1.0.0", reply(1), reply(1, status=500)))
    one.add(Judged("1.0.0", reply(body=b"text"), reply(body=b"other")))
    found = section(one)
    assert len(found.numbers) == 50
    assert {Sketch(each.served).count for each in found.numbers.values()} == {1}


def test_the_time_of_a_report_is_that_of_its_requests() -> None:
    one = book()
    for at in (30.0, 10.0, 20.0):
        one.add(judged(1, 1, at=at))
    assert (one.report("churn").shadow, one.report().since, one.report().until) == ("churn", 10.0, 30.0)


def test_a_report_does_not_change_afterwards() -> None:
    one = book()
    one.add(judged({"a": 1}, {"a": 2}))
    before = one.report()
    one.add(judged({"a": 1}, {"a": 2}))
    assert before.sections["1.0.0"].paths["/a"].different == 1
    assert section(one).paths["/a"].different == 2


def test_another_book_goes_on_from_a_report() -> None:
    pairs = [
        judged({"n": number, "l": "a"}, {"n": number % 7, "l": "b"}, noise={"n": number, "l": "a"})
        for number in range(50)
    ]
    whole, first = book(keep=0, labels=("/l",)), book(keep=0, labels=("/l",))
    for pair in pairs:
        whole.add(pair)
    for pair in pairs[:20]:
        first.add(pair)
    second = Book(Comparing(labels=("/l",)), Examples(keep=0), Random(1).random, first.report())
    for pair in pairs[20:]:
        second.add(pair)
    assert counters(second.report()) == counters(whole.report())


def counters(report: Report) -> Any:
    """Everything but sums of floats, which depend on the order of summing."""
    one = report.sections["1.0.0"]
    return one.compared, one.equal, one.paths, one.labels, one.candidate_only, one.numbers["/n"].candidate.positive


# --- examples ---


def test_the_worst_difference_of_each_path_is_kept() -> None:
    one = book(keep=8)
    for candidate in (101, 150, 120):
        one.add(judged({"a": 100, "b": "x"}, {"a": candidate, "b": "x"}, name=f"request {candidate}"))
    one.add(judged({"a": 100, "b": "x"}, {"a": 100, "b": "y"}))
    found = section(one).worst
    assert {path: (example.served, example.candidate) for path, example in found.items()} == {
        "/a": ("100", "150"),
        "/b": ('"x"', '"y"'),
    }
    assert (found["/a"].name, found["/a"].at, found["/a"].kind, found["/a"].pointer) == (
        "request 150",
        1000.0,
        "value",
        "/a",
    )


def test_no_more_examples_are_kept_than_may_be() -> None:
    one = book(keep=8)
    for number in range(500):
        one.add(judged({}, {f"name {number}": number}))
    found = section(one)
    assert (len(found.worst), len(found.random), found.drawn_from) == (6, 2, 500)


def test_each_differing_answer_is_drawn_with_the_same_chance() -> None:
    late = 0
    for seed in range(200):
        one = Book(Comparing(), Examples(keep=4), Random(seed).random)
        for number in range(20):
            one.add(judged(0, 1, name=str(number)))
        late += int(section(one).random[0].name) >= 10
    assert 70 <= late <= 130


def test_none_are_kept_where_none_are_asked_for() -> None:
    one = book(keep=0)
    one.add(judged(1, 2))
    assert (section(one).worst, section(one).random) == ({}, [])


def test_bodies_are_kept_only_when_asked_for_and_without_what_is_redacted() -> None:
    served, candidate = {"pin": 1234, "a": 1}, {"pin": 5678, "a": 2}
    without, with_bodies = book(redact=("/pin",)), book(bodies=True, redact=("/pin",))
    for one in (without, with_bodies):
        one.add(judged(served, candidate))
    assert section(without).worst["/a"].served_body == ""
    kept = section(with_bodies).worst["/a"]
    assert (kept.served_body, kept.candidate_body) == ('{"pin": "[redacted]", "a": 1}', '{"pin": "[redacted]", "a": 2}')
    for one in (without, with_bodies):
        encoded = one.report().encode()
        assert b"1234" not in encoded
        assert b"5678" not in encoded
