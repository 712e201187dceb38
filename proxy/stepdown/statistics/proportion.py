"""An interval for a proportion that holds at all times at once, by inverting a Beta mixture."""

from __future__ import annotations

import math
from collections.abc import Callable

from stepdown.statistics.evidence import ALPHA

PRIOR = 0.5
"""Both parameters of the Beta distribution that alternatives are averaged over (Jeffreys')."""
_HALVINGS = 60


def log_beta(a: float, b: float) -> float:
    """Logarithm of the Beta function: ln Gamma(a) + ln Gamma(b) - ln Gamma(a + b), for positive a and b."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_likelihood(hits: int, total: int, share: float) -> float:
    """Logarithm of a likelihood: k ln p + (n - k) ln(1 - p), with 0 ln 0 = 0.

    Minus infinity where `share` cannot have given these counts.
    """
    misses = total - hits
    if (hits and share <= 0) or (misses and share >= 1):
        return -math.inf
    return (hits * math.log(share) if hits else 0.0) + (misses * math.log1p(-share) if misses else 0.0)


def proportion_evidence(hits: int, total: int, share: float) -> float:
    """Logarithm of E against "the proportion is `share`" after `hits` among `total`.

        E = B(1/2 + k, 1/2 + n - k) / B(1/2, 1/2) / (p^k (1-p)^(n-k))

    The likelihood averaged over Beta(1/2, 1/2), divided by that of p (Robbins 1970; Lindon and Malek 2022).
    """
    mixed = log_beta(PRIOR + hits, PRIOR + total - hits) - log_beta(PRIOR, PRIOR)
    return mixed - log_likelihood(hits, total, share)


def interval(hits: int, total: int, alpha: float = ALPHA) -> tuple[float, float]:
    """All proportions that k = `hits` among n = `total` do not speak against: {p : E(p) < 1/alpha}.

    It covers the true proportion at all times at once with probability 1 - alpha, so that it may be looked at after
    every request. 950 among 1000 give [.921, .971]; nothing seen gives [0, 1]. Raises `ValueError` where
    0 <= k <= n does not hold.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} among {total} is no proportion")
    if not total:
        return 0.0, 1.0
    level = -math.log(alpha)
    middle = hits / total

    def inside(share: float) -> bool:
        return proportion_evidence(hits, total, share) < level

    low = 0.0 if not hits else _edge(middle, 0.0, inside)
    high = 1.0 if hits == total else _edge(middle, 1.0, inside)
    return low, high


def _edge(within: float, without: float, inside: Callable[[float], bool]) -> float:
    """Where the set ends between a point inside and one outside of it; E is convex, so there is one such place."""
    for _ in range(_HALVINGS):
        middle = (within + without) / 2
        if inside(middle):
            within = middle
        else:
            without = middle
    return within
