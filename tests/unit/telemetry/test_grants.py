"""A worker knows how many copies each shadow takes, of which configuration, and whether anybody is there."""

from __future__ import annotations

from array import array

import pytest

from stepdown.telemetry.grants import CELLS, LASTING, REASONS, SHADOWS, Granter, Grants, Turnstile, generation

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


class Counts:
    """What a turnstile has counted, by place and reason."""

    def __init__(self) -> None:
        self.cells = memoryview(array("q", [0] * 16))
        self.made: list[tuple[int, str]] = []

    def index(self, place: int, reason: str) -> int:
        if (place, reason) not in self.made:
            self.made.append((place, reason))
        return self.made.index((place, reason))

    def all(self) -> dict[tuple[int, str], int]:
        return dict(zip(self.made, self.cells, strict=False))


def turnstile(worker: Grants, counts: Counts, first: int = 3, places: tuple[int, ...] = (0, 2)) -> Turnstile:
    return Turnstile(worker, ONE, first, places, counts=counts.cells, index=counts.index)


def test_a_turnstile_counts_by_the_reason_of_each_shadow_at_the_moment(sides: Sides) -> None:
    worker, comparer = sides
    counts = Counts()
    made = turnstile(worker, counts)
    comparer.grant(3, 0, "busy")
    comparer.grant(5, 0, "concurrent")
    assert [made.turns_away() for _ in range(3)] == [True] * 3
    comparer.grant(5, 0, "rate")
    assert made.turns_away()
    assert counts.all() == {(0, "busy"): 4, (2, "concurrent"): 3, (2, "rate"): 1}


@pytest.mark.parametrize("reason", REASONS)
def test_a_turnstile_shuts_only_for_what_lasts_and_then_looks_no_more_before_it_is_opened(
    sides: Sides, reason: str
) -> None:
    worker, comparer = sides
    counts = Counts()
    made = turnstile(worker, counts)
    comparer.grant(3, 0, reason)
    comparer.grant(5, 0, "busy")
    assert made.turns_away()
    assert made.shut == (reason in LASTING)
    for number in (3, 5):
        comparer.grant(number, 1, reason)
    assert made.turns_away() == made.shut
    worker.open()
    assert not made.shut
    assert not made.turns_away()
    assert counts.all() == dict.fromkeys([(0, reason), (2, "busy")], 2 if reason in LASTING else 1)


def test_what_is_turned_away_by_several_turnstiles_is_counted_once_when_they_open(sides: Sides) -> None:
    worker, comparer = sides
    counts = Counts()
    both = [turnstile(worker, counts, places=(place,)) for place in (0, 2)]
    for number in (3, 5):
        comparer.grant(number, 0, "broken")
    assert all(made.turns_away() for made in both)
    both[0].turned += 4
    for _ in range(2):
        worker.open()
        assert counts.all() == {(0, "broken"): 5, (2, "broken"): 1}
        assert not any(made.shut for made in both)


@pytest.mark.parametrize("number", [3, 5])
def test_a_turnstile_lets_pass_and_counts_nothing_while_one_shadow_takes_a_copy(sides: Sides, number: int) -> None:
    worker, comparer = sides
    counts = Counts()
    made = turnstile(worker, counts)
    comparer.grant(number, 1, "busy")
    assert not made.turns_away()
    assert counts.all() == {}
    worker.gave(ONE, number)
    assert made.turns_away()
    assert sum(counts.all().values()) == 2


def test_a_turnstile_turns_nobody_away_for_what_another_configuration_is_told(sides: Sides) -> None:
    worker, comparer = sides
    counts = Counts()
    made = turnstile(worker, counts)
    for change in (comparer.silence, lambda: comparer.speak(OTHER)):
        change()
        assert not made.turns_away()
    assert counts.all() == {}
    comparer.speak(ONE)
    assert made.turns_away()
