from __future__ import annotations

from collections import Counter

from stepdown_adapters.proof.drawing.dice import Dice


def test_one_seed_falls_the_same_way_on_every_machine() -> None:
    # SplitMix64's own test vector: the first outputs for the seed 1234567, scaled to 2**64.
    dice = Dice(1234567)
    assert [dice.below(2**64) for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_numbers_stay_below_and_all_of_them_come() -> None:
    dice = Dice(1)
    counts = Counter(dice.below(6) for _ in range(6000))
    assert sorted(counts) == [0, 1, 2, 3, 4, 5]
    assert min(counts.values()) > 800
    assert {dice.below(1), dice.below(0)} == {0}
    assert all(0 <= dice.fraction() < 1 for _ in range(1000))
