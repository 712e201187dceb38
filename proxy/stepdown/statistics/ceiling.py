"""Whether a rate is below a ceiling: evidence that lets a candidate pass, from its own answers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepdown.statistics.evidence import log_mean

BELOW = (0.1, 0.25, 0.5, 0.75)
"""Shares of the ceiling that the rate is supposed to be."""
ABOVE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""The same where the ceiling is supposed to be broken; rates of 1 and more are left out."""


def ceiling_evidence(hits: int, total: int, ceiling: float, below: Sequence[float] = BELOW) -> float:
    """Logarithm of E against "the rate is at least `ceiling`" after k = `hits` among n = `total`.

        E = mean over j of (p_j / p_max)^k ((1 - p_j) / (1 - p_max))^(n - k),   p_j = m_j p_max

    A likelihood ratio for each supposed rate, averaged; an e-process because every p_j is below the ceiling, which is
    between 0 and 1 (Waudby-Smith and Ramdas 2024, for the Bernoulli case).
    """
    return log_mean(ceiling_factors(hits, total, ceiling, below))


def ceiling_factors(hits: int, total: int, ceiling: float, parts: Sequence[float]) -> list[float]:
    """Logarithm of the likelihood ratio of each rate m_j p_max against `ceiling`, where m_j p_max is below 1.

    With all parts below 1 the null hypothesis is "at least the ceiling", with all above 1 it is "at most".
    """
    misses = total - hits
    return [
        hits * math.log(part) + misses * (math.log1p(-part * ceiling) - math.log1p(-ceiling))
        for part in parts
        if part * ceiling < 1
    ]
