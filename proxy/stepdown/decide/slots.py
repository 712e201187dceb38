"""Sticky slots: a key's place among 10,000, and the table that says which version of a split owns each place.

A key is hashed with its rule's salt to a slot that never changes. A split is a table from slots to versions. Everything
that a rollout promises about its users follows from how tables of one rule differ from each other:

- Shares are exact to one slot (largest remainder).
- Two versions: the second listed owns the first slots, the first listed (the base) the rest. When the second grows,
  some of the base's users join it and nobody else moves.
- Three: the second grows from the front, the third from the back, and the base has what is between. A change of either
  moves users between it and the base only.
- Four and more: weighted rendezvous hashing (Schindelhauer and Schomaker, 2005) of versions over slots, then as few
  slots change hands as exact shares need, those that mind least. When one weight changes against all others, or a
  version grows out of a base that has most of the traffic, at most 1.25 times the least possible number of users move.
  No rule that remembers nothing can promise that of every change: between the splits half A half B, half A half C, and
  half B half C, at most one of the three pairs can agree about any slot, so on average 4/3 of the least must move.

The slots themselves are not shuffled. The salt is in the key's hash already, so slots of two rules are independent, and
shuffling them would add load time and nothing else. Tables therefore depend on nothing but the split, and rules with
the same split share one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import mmh3

SLOTS = 10_000

Table = Sequence[int]
"""`SLOTS` entries: the position in the split of the version that owns the slot."""


def hash_of(key: bytes) -> int:
    """murmur3 (x86, 32 bits, seed 0) of a salted key, in [0, 2**32)."""
    return mmh3.hash(key, 0, False)


def slot_of(key: bytes) -> int:
    """The slot of a salted key: its hash scaled to [0, 10000), without a modulo's bias."""
    return mmh3.hash(key, 0, False) * SLOTS >> 32


def spread(slot: int) -> int:
    """Another slot for the same key, for a second decision among those whom the first one put side by side.

    Steps of the golden section scatter any run of neighbours evenly; 6181 and 10,000 have no common divisor, so no two
    slots meet.
    """
    return slot * 6181 % SLOTS


def shares(weights: Sequence[int]) -> list[int]:
    """Slots for each weight by largest remainder; they add up to `SLOTS`, each within one slot of its exact share.

    Raises `ValueError` where no weight is positive, or one is negative.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"weights {list(weights)} share nothing out")
    whole = [weight * SLOTS // total for weight in weights]
    remainders = [weight * SLOTS % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda arm: -remainders[arm])
    for arm in by_remainder[: SLOTS - sum(whole)]:
        whole[arm] += 1
    return whole


class Tables:
    """Makes tables, each split's once; lives as long as a snapshot is being compiled."""

    def __init__(self) -> None:
        self._made: dict[tuple[tuple[str, int], ...], Table] = {}
        self._clocks: dict[str, list[float]] = {}

    def table(self, split: tuple[tuple[str, int], ...]) -> Table:
        """The table of a split of (version, weight); a weight of 0 owns no slot but still counts as listed."""
        made = self._made.get(split)
        if made is None:
            made = self._made[split] = self._make(split)
        return made

    def handed_over(self, split: tuple[tuple[str, int], ...], places: Sequence[int]) -> Table:
        """The table of a split whose versions handed their slots over: `places` are the new owners' positions."""
        return array("H", map(places.__getitem__, self.table(split)))

    def _make(self, split: tuple[tuple[str, int], ...]) -> Table:
        owned = shares([weight for _, weight in split])
        if len(split) <= 3:
            front, back = [*owned[1:], 0, 0][:2]
            return array("H", [1]) * front + array("H", [0]) * owned[0] + array("H", [2]) * back
        scores = [
            [clock / weight for clock in self._clock(version)] if weight else [math.inf] * SLOTS
            for version, weight in split
        ]
        owners = array("H", [row.index(min(row)) for row in zip(*scores, strict=True)])
        _settle(owners, owned, scores)
        return owners

    def _clock(self, version: str) -> list[float]:
        """An exponential waiting time for each slot; the version whose time divided by its weight is least wins it."""
        clock = self._clocks.get(version)
        if clock is None:
            name = version.encode()
            clock = [-math.log((mmh3.hash(name, slot, False) + 0.5) / 2**32) for slot in range(SLOTS)]
            self._clocks[version] = clock
        return clock


def _settle(owners: array[int], owned: Sequence[int], scores: Sequence[Sequence[float]]) -> None:
    """Hand slots from versions that won too many to those that won too few, cheapest change of score first."""
    surplus = [owners.count(arm) - share for arm, share in enumerate(owned)]
    short = [arm for arm, excess in enumerate(surplus) if excess < 0]
    offers = sorted(
        (scores[arm][slot] / scores[owner][slot], slot, arm)
        for slot, owner in enumerate(owners)
        if surplus[owner] > 0
        for arm in short
    )
    for _, slot, arm in offers:
        owner = owners[slot]
        if surplus[owner] > 0 > surplus[arm]:
            owners[slot] = arm
            surplus[owner] -= 1
            surplus[arm] += 1
