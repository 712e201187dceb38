"""Rotations: requests without a key given to versions in turn instead of by lot, where nobody wants statistics of them.

After any number of turns each version has had its share to within one request, and over each whole round exactly: the
order is Tijdeman's for the chairman assignment problem (Discrete Mathematics 32, 1980), with whose bound no other rule
does better. Draws are what statistics need: what a rotation assigns follows from what came before, so a client with a
rhythm of its own may always meet the same version, and none of it is evidence.

A rotation is a table and nothing else. Which turn it is comes from outside, as draws do: each worker counts for itself,
from a place that is drawn, so workers are not in step.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache

from stepdown.decide.slots import SLOTS, shares


class Rotation:
    """The turns of one rule; compared by identity, so whoever counts can do so by rule."""

    __slots__ = ("arms",)

    def __init__(self, arms: Sequence[int]) -> None:
        self.arms = arms
        """One round: the position in the split of each turn's version."""

    def arm(self, turn: int) -> int:
        """Position in the split of the version whose turn it is."""
        return self.arms[turn % len(self.arms)]

    def slot(self, turn: int) -> int:
        """A slot for the choice of another version where that one is down; another one in each round."""
        return turn // len(self.arms) % SLOTS


@lru_cache(maxsize=256)
def order(weights: tuple[int, ...]) -> Sequence[int]:
    """One round of at most 10,000 turns; raises `ValueError` where no weight is positive, or one is negative."""
    owned = shares(weights)
    if sum(weights) // math.gcd(*weights) <= SLOTS:
        owned = list(weights)
    divisor = math.gcd(*owned)
    arms = [(arm, weight // divisor) for arm, weight in enumerate(owned) if weight]
    turns, scale = sum(weight for _, weight in arms), max(1, 2 * len(arms) - 2)
    had = [0] * len(weights)
    made = array("H")
    for turn in range(1, turns + 1):
        _, chosen = min(  # of those that are due, the one that must not wait longest
            (((scale - 1) * turns - due) / weight, arm)
            for arm, weight in arms
            if (due := scale * (turn * weight - had[arm] * turns)) >= turns
        )
        had[chosen] += 1
        made.append(chosen)
    return made
