"""A worker knows how many copies each shadow takes, of which configuration, and whether anybody is there."""

from __future__ import annotations

from array import array

import pytest

from stepdown.telemetry.grants import CELLS, REASONS, SHADOWS, Granter, Grants, generation

Sides = tuple[Grants, Granter]
ONE, OTHER = generation("one"), generation("other")


@pytest.fixture
def sides() -> Sides:
    cells = memoryview(array("q", [0] * CELLS))
    worker, comparer = Grants(cells), Granter(cells)
    comparer.speak(ONE)
    return worker, comparer


def test_as_many_are_given_as_are_granted_and_then_the_reason_is_known(sides: Sides) -> None:
    worker, comparer = sides
    comparer.grant(3, 2, "rate")
    given = 0
    while not worker.refused(ONE, 3):
        worker.gave(ONE, 3)
        given += 1
    assert (given, comparer.given(3), worker.refused(ONE, 3)) == (2, 2, "rate")
    comparer.grant(3, 3, "concurrent")
    assert worker.refused(ONE, 3) == ""


@pytest.mark.parametrize("number", [0, SHADOWS - 1])
def test_each_shadow_has_numbers_of_its_own(sides: Sides, number: int) -> None:
    worker, comparer = sides
    comparer.grant(number, 1, "down")
    worker.gave(ONE, number)
    refused = [worker.refused(ONE, other) for other in range(SHADOWS)]
    assert [other for other in range(SHADOWS) if refused[other] == "down"] == [number]
    assert [comparer.given(other) for other in range(SHADOWS) if other != number] == [0] * (SHADOWS - 1)


@pytest.mark.parametrize("reason", REASONS)
def test_a_grant_keeps_its_reason_and_its_number_however_large(sides: Sides, reason: str) -> None:
    worker, comparer = sides
    comparer.grant(0, 2**59, reason)
    assert worker.refused(ONE, 0) == ""
    comparer.grant(0, 0, reason)
    assert worker.refused(ONE, 0) == reason


def test_a_grant_that_is_taken_back_is_refused_until_more_than_was_given_is_granted(sides: Sides) -> None:
    worker, comparer = sides
    comparer.grant(0, 5, "concurrent")
    for _ in range(4):
        worker.gave(ONE, 0)
    comparer.grant(0, 2, "broken")
    assert worker.refused(ONE, 0) == "broken"
    comparer.grant(0, 4, "broken")
    assert worker.refused(ONE, 0) == "broken"
    comparer.grant(0, 5, "broken")
    assert worker.refused(ONE, 0) == ""


def test_nothing_is_refused_or_counted_under_another_configuration_or_while_it_changes(sides: Sides) -> None:
    worker, comparer = sides
    comparer.grant(0, 0, "rate")
    assert (worker.refused(ONE, 0), worker.refused(OTHER, 0)) == ("rate", "")
    worker.gave(OTHER, 0)
    comparer.silence()
    assert (worker.refused(ONE, 0), worker.refused(OTHER, 0)) == ("", "")
    worker.gave(ONE, 0)
    assert comparer.given(0) == 0
    comparer.speak(OTHER)
    assert (worker.refused(ONE, 0), worker.refused(OTHER, 0)) == ("", "rate")


def test_a_shadow_beyond_the_last_cell_is_always_granted_and_counted_nowhere(sides: Sides) -> None:
    worker, comparer = sides
    worker.gave(ONE, SHADOWS)
    assert worker.refused(ONE, SHADOWS) == ""
    assert [comparer.given(number) for number in range(SHADOWS)] == [0] * SHADOWS


@pytest.mark.parametrize("digest", ["", "one", "5b" * 8])
def test_a_configuration_s_number_fits_its_cell_and_is_never_nobody_s(digest: str) -> None:
    assert 0 < generation(digest) < 2**63


def test_signs_of_life_are_seen_once_each(sides: Sides) -> None:
    worker, comparer = sides
    worker.alive()
    assert [worker.alive(), worker.alive()] == [False, False]
    comparer.turn()
    assert [worker.alive(), worker.alive()] == [True, False]
