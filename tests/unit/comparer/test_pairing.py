"""What belongs together is found by ring and id, whoever comes first."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from stepdown.comparer.asked import Asked
from stepdown.comparer.limits import Budget, Hold
from stepdown.comparer.pairing import Awaited, Entry, Table
from stepdown.comparer.results import Result
from stepdown.decide.copies import Answer
from stepdown.decide.shadow_spec import Shadow

ANSWER = Answer(id=1, served="1.0.0", outcome="none", status=200, error="", elapsed=1, upstream=1, missing="", head=b"")
RESULT = Result("2.0.0", "answered")
NOISE = Result("1.0.0", "answered")


def entry(budget: Budget, ring: int = 0, id: int = 1, *, noisy: bool = False) -> tuple[Entry, Awaited]:
    made = Entry((ring, id), cast("Asked", None), Hold(budget), 10.0)
    made.hold.take(10)
    awaited = Awaited(Shadow(name="s", version="2.0.0"), noisy=noisy)
    made.awaited.append(awaited)
    return made, awaited


def test_equal_ids_of_two_rings_are_two_requests() -> None:
    table, budget = Table(), Budget()
    one, first = entry(budget, 0)
    two, _ = entry(budget, 1)
    table.open(one)
    table.open(two)
    assert table.find((1, 1)) is two
    table.answered(one, ANSWER, b"body")
    (pair,) = table.ended(one, first, RESULT, noise=False)
    assert (pair.answer, pair.body, pair.candidate) == (ANSWER, b"body", RESULT)
    assert table.find((0, 1)) is None
    assert (len(table), budget.held) == (1, 10)


def test_a_second_answer_counts_for_nothing() -> None:
    table, budget = Table(), Budget()
    one, awaited = entry(budget)
    table.open(one)
    table.answered(one, ANSWER, b"first")
    table.answered(one, msgspec.structs.replace(ANSWER, status=500), b"second")
    (pair,) = table.ended(one, awaited, RESULT, noise=False)
    assert pair.body == b"first"


def test_an_id_that_comes_again_is_another_request_and_the_one_before_is_let_go() -> None:
    table, budget = Table(), Budget()
    one, awaited = entry(budget)
    table.open(one)
    table.ended(one, awaited, RESULT, noise=False)
    two, _ = entry(budget)
    (pair,) = table.open(two)
    assert pair.answer is None
    assert table.find((0, 1)) is two
    assert budget.held == 10


def test_a_copy_that_ends_after_its_request_was_let_go_harms_nobody() -> None:
    table, budget = Table(), Budget()
    one, awaited = entry(budget)
    table.open(one)
    two, _ = entry(budget)
    assert table.open(two) == []
    assert table.ended(one, awaited, RESULT, noise=False) == []
    assert table.find((0, 1)) is two
    assert budget.held == 10


def test_it_is_full_when_it_is() -> None:
    table, budget = Table(2), Budget()
    for id in (1, 2):
        assert not table.full
        table.open(entry(budget, id=id)[0])
    assert table.full


@pytest.mark.parametrize(
    ("served", "paired"), [("1.0.0", True), ("1.1.0", False)], ids=["the version that answered", "another one"]
)
def test_noise_is_that_of_the_version_that_answered_in_the_end(served: str, paired: bool) -> None:
    table, budget = Table(), Budget()
    one, awaited = entry(budget, noisy=True)
    table.open(one)
    table.ended(one, awaited, RESULT, noise=False)
    assert table.ended(one, awaited, NOISE, noise=True) == []
    (pair,) = table.answered(one, msgspec.structs.replace(ANSWER, served=served), b"")
    assert (pair.candidate, pair.noise) == (RESULT, NOISE if paired else None)


def test_without_an_answer_there_is_nothing_that_noise_could_be_of() -> None:
    table, budget = Table(), Budget()
    one, awaited = entry(budget, noisy=True)
    table.open(one)
    table.ended(one, awaited, RESULT, noise=False)
    table.ended(one, awaited, NOISE, noise=True)
    (pair,) = table.expired(10.0)
    assert (pair.answer, pair.noise) == (None, None)
