"""What holds for all evidence, whatever it was gathered by: levels, averages, and many hypotheses at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

ALPHA = 0.05
"""Chance of a false alarm, at any time, that is accepted unless another is named."""


def log_mean(logs: Sequence[float]) -> float:
    """Logarithm of the mean of e-values given as logarithms: ln((1/n) sum_j exp(l_j)).

    The mean of e-values is an e-value however they depend on each other (Vovk and Wang 2021, "E-values: calibration,
    combination and applications", proposition 3.1). Raises `ValueError` where there are none.
    """
    if not logs:
        raise ValueError("no evidence to average")
    highest = max(logs)
    if math.isinf(highest):
        return highest
    return highest + math.log(math.fsum(math.exp(value - highest) for value in logs) / len(logs))


def reaches(log_e: float, alpha: float = ALPHA) -> bool:
    """Whether evidence is enough to act on: E >= 1/alpha (Ville's inequality). NaN never is."""
    return log_e >= -math.log(alpha)


def rejected(logs: Iterable[float], alpha: float = ALPHA) -> set[int]:
    """Places of the hypotheses that are rejected among m tested together, by the e-BH procedure.

    With evidence in falling order E_(1) >= E_(2) >= ..., the first k go, k being the largest for which
    E_(k) >= m / (k alpha). The expected share of false ones among them is at most alpha, however the evidence of one
    depends on that of another (Wang and Ramdas 2022, "False discovery rate control with e-values", theorem 5.1).
    """
    ranked = sorted(((log_e, place) for place, log_e in enumerate(logs) if not math.isnan(log_e)), reverse=True)
    most = len(ranked)
    enough = 0
    for rank, (log_e, _) in enumerate(ranked, 1):
        if log_e >= math.log(most / (rank * alpha)):
            enough = rank
    return {place for _, place in ranked[:enough]}
