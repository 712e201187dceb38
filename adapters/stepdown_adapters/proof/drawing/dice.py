"""Dice that fall the same way for the same seed, on every machine and Python: SplitMix64 (Steele et al., 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


class Dice:
    """A sequence of numbers, made from a counter and a seed."""

    __slots__ = ("_counter",)

    def __init__(self, seed: int) -> None:
        self._counter = seed & _MASK

    def _next(self) -> int:
        self._counter = (self._counter + _STEP) & _MASK
        mixed = self._counter
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, count: int) -> int:
        """A number from 0 to `count - 1`; from 0 where `count` is 1 or less. Wider than 64 bits it is coarse."""
        return (self._next() * count) >> 64 if count > 1 else 0

    def one_in(self, count: int) -> bool:
        """True once in `count` times."""
        return self.below(count) == 0

    def fraction(self) -> float:
        """From 0 up to 1."""
        return (self._next() >> 11) / (1 << 53)

    def choice(self, among: Sequence[T]) -> T:
        """One of a sequence that is not empty."""
        return among[self.below(len(among))]
