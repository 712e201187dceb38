"""Mean and variance of numbers that pass by one at a time, without keeping any of them."""

from __future__ import annotations

import math


class Moments:
    """Count, mean and sum of squared deviations (Welford 1962; merged as by Chan, Golub and LeVeque 1979)."""

    __slots__ = ("count", "mean", "squares")

    def __init__(self, count: int = 0, mean: float = 0.0, squares: float = 0.0) -> None:
        self.count = count
        self.mean = mean
        self.squares = squares
        """Sum of (x - mean)^2."""

    def add(self, value: float) -> None:
        """One number more: mean += (x - mean) / n; squares += (x - old mean)(x - new mean)."""
        self.count += 1
        apart = value - self.mean
        self.mean += apart / self.count
        self.squares += apart * (value - self.mean)

    def merge(self, other: Moments) -> None:
        """As if everything that `other` saw had been added here."""
        count = self.count + other.count
        if not count:
            return
        apart = other.mean - self.mean
        self.squares += other.squares + apart * apart * self.count * other.count / count
        self.mean += apart * other.count / count
        self.count = count

    @property
    def variance(self) -> float:
        """Of the numbers seen: squares / (n - 1); NaN below two numbers."""
        return self.squares / (self.count - 1) if self.count > 1 else math.nan

    @property
    def deviation(self) -> float:
        """The variance's root."""
        return math.sqrt(self.variance)
