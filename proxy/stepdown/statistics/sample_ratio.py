"""Whether units were assigned in the shares that were asked for, and ranks of quantiles by the same mixture.

A mismatch says that the experiment itself is broken. It freezes decisions; it is no rollback. With sticky assignment
it is distinct users that are counted, never requests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepdown.statistics.evidence import ALPHA

CONCENTRATION = 100.0
"""How near to the shares that were asked for the alternatives are."""
LEVEL = 0.001
"""At which a mismatch is acted on."""


def mismatch_evidence(counts: Sequence[int], shares: Sequence[float], concentration: float = CONCENTRATION) -> float:
    """Logarithm of E against "units are assigned with these shares" (multinomial; all shares above 0, their sum 1).

        log E = ln B(c p + k) - ln B(c p) - sum over i of k_i ln p_i,   ln B(a) = sum ln Gamma(a_i) - ln Gamma(sum a_i)

    The likelihood averaged over a Dirichlet distribution around the shares, divided by theirs (Lindon and Malek 2022).
    """
    prior = [concentration * share for share in shares]
    seen = [before + count for before, count in zip(prior, counts, strict=True)]
    likelihood = math.fsum(count * math.log(share) for count, share in zip(counts, shares, strict=True))
    return _log_beta(seen) - _log_beta(prior) - likelihood


def quantile_ranks(
    total: int, quantile: float, alpha: float = ALPHA, concentration: float = CONCENTRATION
) -> tuple[int, int]:
    """Ranks (lo, hi): the quantile of a continuous distribution lies between the lo-th and the (hi+1)-th value.

    Of `total` values in rising order, counted from 1; lo = 0 means no lower bound, hi = `total` no upper one. They are
    the least and the greatest k for which k of n values below the quantile p do not speak against p, at all times at
    once with probability 1 - alpha (Howard and Ramdas 2022, "Sequential estimation of quantiles", with the mixture
    above).
    """
    level = -math.log(alpha)

    def inside(below: int) -> bool:
        return mismatch_evidence((below, total - below), (quantile, 1 - quantile), concentration) < level

    middle = min(total, max(0, round(quantile * total)))
    low, high = 0, middle  # E is convex in the count: halving finds both ends
    while low < high:
        half = (low + high) // 2
        low, high = (low, half) if inside(half) else (half + 1, high)
    first = low
    low, high = middle, total
    while low < high:
        half = (low + high + 1) // 2
        low, high = (half, high) if inside(half) else (low, half - 1)
    return first, low


def _log_beta(parameters: Sequence[float]) -> float:
    return math.fsum(map(math.lgamma, parameters)) - math.lgamma(math.fsum(parameters))
