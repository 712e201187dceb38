"""Reports put together are one report of everything."""

from __future__ import annotations

from random import Random

import msgspec

from stepdown.comparison.answers import Judged
from stepdown.comparison.book import Book
from stepdown.comparison.merging import merge, total
from stepdown.comparison.report import Report
from stepdown.decide.shadow_spec import Comparing, Examples
from tests.kit.comparing import judged, reply


def reported(pairs: list[Judged]) -> Report:
    one = Book(Comparing(labels=("/l",)), Examples(keep=8), Random(1).random)
    for pair in pairs:
        one.add(pair)
    return one.report("churn/2.0.0")


def pairs(start: int, end: int, contract: str = "1.0.0") -> list[Judged]:
    found = [
        judged(
            {"n": number, "l": "a"},
            {"n": number % 5, "l": "b"},
            noise={"n": 0, "l": "a"},
            contract=contract,
            at=number + 1.0,
        )
        for number in range(start, end)
    ]
    return [*found, Judged(contract, reply(1), reason="timeout")]


def test_two_reports_are_one_of_all_requests() -> None:
    merged, whole = merge(reported(pairs(0, 20)), reported(pairs(20, 50))), reported(pairs(0, 20) + pairs(20, 50))
    one, other = merged.sections["1.0.0"], whole.sections["1.0.0"]
    assert (merged.since, merged.until, merged.shadow) == (whole.since, whole.until, whole.shadow)
    assert one.numbers["/n"].candidate.positive == other.numbers["/n"].candidate.positive
    for left_out in ("random", "numbers", "seconds", "sizes"):
        setattr(one, left_out, getattr(other, left_out))
    assert one == other


def test_merging_changes_neither_report() -> None:
    first, second = reported(pairs(0, 10)), reported(pairs(10, 20))
    before = msgspec.msgpack.encode((first, second))
    merge(first, second)
    total(first)
    assert msgspec.msgpack.encode((first, second)) == before


def test_merged_with_nothing_a_report_stays_what_it_is() -> None:
    report = reported(pairs(0, 10))
    assert merge(report, Report()) == report
    assert merge(Report(), report) == report


def test_all_pinned_versions_together_are_one_section() -> None:
    found = total(reported(pairs(0, 10, "1.0.0") + pairs(10, 30, "1.1.0")))
    assert (found.compared, found.paired, found.incomparable) == (30, 30, {"timeout": 2})
    assert total(Report()).compared == 0


def test_a_merged_report_has_no_more_names_than_one() -> None:
    reports = [
        reported([judged({}, {f"name {number}": 1}) for number in range(start, start + 150)]) for start in (0, 150)
    ]
    found = merge(*reports).sections["1.0.0"]
    assert len(found.paths) == 201
    assert found.paths["(other)"].different == 100
    assert sum(counts.different for counts in found.paths.values()) == 300
    numeric = [reported([judged({f"{side}{number}": 1 for number in range(40)}, {})]) for side in "ab"]
    assert len(merge(*numeric).sections["1.0.0"].numbers) == 50


def test_the_worse_example_of_a_path_is_kept() -> None:
    mild, bad = reported([judged({"n": 100}, {"n": 101})]), reported([judged({"n": 100}, {"n": 300})])
    for merged in (merge(mild, bad), merge(bad, mild)):
        assert merged.sections["1.0.0"].worst["/n"].candidate == "300"
    assert len(merge(mild, bad).sections["1.0.0"].random) == 2
