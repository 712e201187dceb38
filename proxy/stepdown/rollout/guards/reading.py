"""What a guard says: a verdict, and the numbers behind it."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from stepdown.decide.spec_base import Spec
from stepdown.rollout import sentences
from stepdown.statistics.windows import highest_factor

Verdict = Literal["ok", "needs-more", "inconclusive", "rollback"]
"""`inconclusive`: it cannot be read, or its measurements are neither good nor bad; never a pass."""


class Terms(NamedTuple):
    """On what terms evidence is judged at one stage."""

    alpha: float
    """Of the whole rollout,"""
    stages: int
    """split evenly over so many stages that have evidence."""
    guards: int
    """Guards whose evidence is averaged at this stage."""
    sustained: int

    @property
    def level(self) -> float:
        """Logarithm of the E that is acted on: ln(stages / alpha)."""
        return math.log(self.stages / self.alpha)

    @property
    def highest(self) -> float:
        """Logarithm of the most that one window multiplies; the alpha in it is the stage's."""
        return highest_factor(self.alpha / self.stages, self.sustained, self.guards)

    @property
    def alone(self) -> float:
        """Logarithm of the E of one guard with which the mean is enough, whatever the others say."""
        return self.level + math.log(self.guards)

    def said(self) -> str:
        """`60 (alpha 0.05/3)`: what the mean has to reach, or the proof of one guard."""
        return self._said(self.stages / self.alpha, (self.stages,))

    def said_alone(self) -> str:
        """`240 (alpha 0.05/3/4)`: what one guard has to reach by itself."""
        return self._said(self.guards * self.stages / self.alpha, (self.stages, self.guards))

    def _said(self, level: float, parts: tuple[int, ...]) -> str:
        split = "".join(f"/{part}" for part in parts if part > 1)
        return f"{sentences.number(level)} (alpha {self.alpha:g}{split})"


class Reading(Spec, frozen=True):
    """What one guard says at one stage."""

    guard: str
    verdict: Verdict
    sentence: str
    log_e: float | None = None
    """Logarithm of E against "the candidate is no worse"."""
    level: float | None = None
    """Logarithm of the mean E over guards that is acted on."""
    low: float | None = None
    """Between this and"""
    high: float | None = None
    """this is the ratio of both rates (a share's guard) or the rate (a ceiling's), at all times at once."""
    missing: int | None = None
    """Events or units after which it would be known, if it goes on as it does."""
