"""A worker knows how many copies each shadow takes, of which configuration, and whether anybody is there."""

from __future__ import annotations

from array import array

import pytest

from stepdown.telemetry.grants import CELLS, REASONS, SHADOWS, Granter, Grants, generation

Sides = tuple[Grants, Granter]


@pytest.fixture
def sides() -> Sides:
    cells = memoryview(array("q", [0] * CELLS))
    return Grants(cells), Granter(cells)


def test_as_many_are_given_as_are_granted_and_then_the_reason_is_known(sides: Sides) -> None:
    worker, comparer = sides
    comparer.grant(3, 2, "rate")
    given = 0
    while not worker.refused(3):
        worker.gave(3)
        given += 1
    assert (given, comparer.given(3), worker.refused(3)) == (2, 2, "rate")
    comparer.grant(3, 3, "concurrent")
    assert worker.refused(3) == ""


@pytest.mark.parametrize("number", [0, SHADOWS - 1])
def test_each_shadow_has_numbers_of_its_own(sides: Sides, number: int) -> None:
    worker, comparer = sides
    comparer.grant(number, 1, "down")
    worker.gave(number)
    refused = [worker.refused(other) for other in range(SHADOWS)]
    assert [other for other in range(SHADOWS) if refused[other] == "down"] == [number]
    assert [comparer.given(other) for other in range(SHADOWS) if other != number] == [0] * (SHADOWS - 1)


@pytest.mark.parametrize("reason", REASONS)
def test_a_grant_keeps_its_reason_and_its_number_however_large(sides: Sides, reason: str) -> None:
    worker, comparer = sides
    comparer.grant(0, 2**59, reason)
    assert worker.refused(0) == ""
    comparer.grant(0, 0, reason)
    assert worker.refused(0) == reason


def test_a_grant_that_is_taken_back_is_refused_until_more_than_was_given_is_granted(sides: Sides) -> None:
    worker, comparer = sides
    comparer.grant(0, 5, "concurrent")
    for _ in range(4):
        worker.gave(0)
    comparer.grant(0, 2, "broken")
    assert worker.refused(0) == "broken"
    comparer.grant(0, 4, "broken")
    assert worker.refused(0) == "broken"
    comparer.grant(0, 5, "broken")
    assert worker.refused(0) == ""


def test_the_configuration_is_named_and_nobody_s_while_it_changes(sides: Sides) -> None:
    worker, comparer = sides
    assert worker.generation == 0
    comparer.speak(generation("one"))
    assert worker.generation == generation("one") != generation("other")
    comparer.silence()
    assert worker.generation == 0


@pytest.mark.parametrize("digest", ["", "one", "5b" * 8])
def test_a_configuration_s_number_fits_its_cell_and_is_never_nobody_s(digest: str) -> None:
    assert 0 < generation(digest) < 2**63


def test_signs_of_life_are_seen_once_each(sides: Sides) -> None:
    worker, comparer = sides
    worker.alive()
    assert [worker.alive(), worker.alive()] == [False, False]
    comparer.turn()
    assert [worker.alive(), worker.alive()] == [True, False]
