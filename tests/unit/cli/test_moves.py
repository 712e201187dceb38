"""Moves counted and scaled: the interval covers the truth as often as it says, and matrices add up."""

from __future__ import annotations

import random

import pytest

from stepdown.cli.moves import EXAMPLES, Moves, Sample
from stepdown.decide.records import Decided, Record
from stepdown.decide.replay import Outcome


def record(sample: float = 0.1, path: str = "/infer") -> Record:
    return Record(
        event="decision",
        time="2027-01-15T08:00:00Z",
        config="c",
        sample=sample,
        method="POST",
        path=path,
        decided=Decided(),
    )


def outcome(version: str = "1.0.0", **changes: object) -> Outcome:
    values: dict[str, object] = {"route": "r", "rule": "all", "model": "m", "assigned": version, "pinned": "1.0.0"}
    return Outcome(**(values | changes))  # type: ignore[arg-type]


def sample_of(count: int, rate: float) -> Sample:
    one = Sample()
    for _ in range(count):
        one.add(rate)
    return one


def test_the_interval_is_wilsons_where_few_of_many_are_on_record() -> None:
    """10 of 100, by the formula of Wilson (1927): 0.0552 to 0.1744."""
    low, high = sample_of(100, 1e-9).interval(0.1)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_where_all_are_on_record_nothing_is_left_to_chance() -> None:
    assert sample_of(100, 1.0).interval(0.1) == (0.1, 0.1)


def test_nothing_on_record_says_nothing() -> None:
    assert Sample().interval(0.0) == (0.0, 1.0)


def test_none_of_a_few_is_not_none_of_all() -> None:
    low, high = sample_of(20, 0.01).interval(0.0)
    assert low == 0.0
    assert 0.1 < high < 0.2


@pytest.mark.parametrize(("share", "rate"), [(0.05, 0.1), (0.3, 0.5), (0.01, 0.2)])
def test_the_interval_covers_the_share_of_all_requests_in_95_of_100_samples(share: float, rate: float) -> None:
    dice = random.Random(5)
    population = 2000
    moved = [number < share * population for number in range(population)]
    covered = 0
    for _ in range(400):
        taken = [one for one in moved if dice.random() < rate]
        low, high = sample_of(len(taken), rate).interval(sum(taken) / len(taken))
        covered += low <= share <= high
    assert covered / 400 > 0.92


def test_what_records_stand_for_depends_on_how_many_were_taken() -> None:
    moves = Moves()
    moves.add(record(0.01), outcome(), outcome("2.0.0"))
    moves.add(record(1.0), outcome(), outcome())
    report = moves.as_json()["whole"]
    assert (report["records"], report["requests"]) == (2, 101)
    assert report["moved"]["share"] == pytest.approx(100 / 101)


def test_another_shape_another_model_and_a_refusal_are_moves_and_another_rule_is_not() -> None:
    before = outcome()
    same = outcome(rule="other")
    moves = Moves()
    for after in (
        same,
        outcome(pinned="2.0.0"),
        outcome(model="n"),
        Outcome(route="r", model="m", error="no-ready-version"),
        Outcome(),
    ):
        moves.add(record(), before, after)
    group = moves.groups["r", "all", False]
    assert (group.all.records, group.moved.records) == (5, 4)
    assert group.routes == {("r/all", "r/other"): 1}
    assert group.refused_after.records == 1
    assert group.assigned["1.0.0", "n 1.0.0"] == 1
    assert group.assigned["1.0.0", "refused: no-ready-version"] == 1
    assert group.assigned["1.0.0", "passed through"] == 1
    assert group.pinned["1.0.0", "2.0.0"] == 1


def test_who_is_refused_the_same_way_does_not_move() -> None:
    moves = Moves()
    refused = Outcome(route="r", model="m", error="version-not-available")
    moves.add(record(), refused, refused)
    assert moves.whole.moved.records == 0
    assert moves.whole.refused_before.records == moves.whole.refused_after.records == 1


def test_requests_that_were_drawn_for_are_told_apart() -> None:
    moves = Moves()
    moves.add(record(), outcome(drawn=True), outcome())
    moves.add(record(), outcome(), outcome())
    assert set(moves.groups) == {("r", "all", True), ("r", "all", False)}


def test_a_few_examples_of_each_move_are_named_and_none_of_those_who_stay() -> None:
    moves = Moves()
    for number in range(EXAMPLES + 4):
        moves.add(record(path=f"/{number}"), outcome(), outcome("2.0.0"))
        moves.add(record(path="/stays"), outcome(), outcome())
    (example,) = moves.whole.as_json()["examples"]
    assert (example["from"], example["to"]) == ("1.0.0", "2.0.0")
    assert [one["path"] for one in example["requests"]] == [f"/{number}" for number in range(EXAMPLES)]
