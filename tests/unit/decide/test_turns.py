"""Rotations: exact shares in turn, never far from them on the way."""

from __future__ import annotations

from collections import Counter
from itertools import cycle, islice

import pytest

from stepdown.decide.slots import SLOTS
from stepdown.decide.turns import Rotation, order


@pytest.mark.parametrize(
    ("weights", "round_of"),
    [
        ((95, 5), [0] * 10 + [1] + [0] * 9),
        ((1, 1, 1), [0, 1, 2]),
        ((5, 1, 1), [0, 0, 1, 0, 0, 2, 0]),
        ((50, 50), [0, 1]),
        ((7,), [0]),
        ((0, 3), [1]),
    ],
)
def test_one_round_is_as_short_as_the_weights_allow_and_spread_out(
    weights: tuple[int, ...], round_of: list[int]
) -> None:
    assert list(order(weights)) == round_of


@pytest.mark.parametrize("weights", [(), (0, 0), (5, -1)])
def test_weights_that_share_nothing_out_have_no_order(weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"share nothing out|empty"):
        order(weights)


def test_weights_whose_round_would_be_long_are_rounded_to_one_in_ten_thousand() -> None:
    made = order((999_983, 17, 40_007))
    assert [5 * count for count in Counter(made).values()] == [9615, 385]
    assert len(order((99_991, 9))) == SLOTS


@pytest.mark.parametrize("weights", [(95, 5), (70, 20, 10), (1, 2, 3, 4, 5), (97, 1, 1, 1), (50, 0, 30, 20)])
def test_after_any_number_of_turns_each_version_had_its_share_to_within_one(weights: tuple[int, ...]) -> None:
    had = [0] * len(weights)
    for turn, arm in enumerate(islice(cycle(order(weights)), 3000), 1):
        had[arm] += 1
        assert all(abs(had[arm] - turn * weight / sum(weights)) < 1 for arm, weight in enumerate(weights))


@pytest.mark.parametrize("start", [0, 1, 7, 9_998])
def test_each_window_of_a_rounds_length_has_exactly_the_shares_wherever_it_begins(start: int) -> None:
    rotation = Rotation(order((70, 20, 10)))
    assert Counter(rotation.arm(turn) for turn in range(start, start + 10)) == {0: 7, 1: 2, 2: 1}


def test_each_round_has_another_slot_for_those_whose_version_is_down() -> None:
    rotation = Rotation(order((1, 1)))
    assert [rotation.slot(turn) for turn in (0, 1, 2, 3, 20_000)] == [0, 0, 1, 1, 0]
