"""How far apart two distributions of numbers are: PSI, Jensen-Shannon and Kolmogorov-Smirnov, on shares or on counts.

All of them are reported and decide nothing: how far is too far depends on the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

LEAST = 1000
"""Numbers of each side below which a stability index would mostly show chance."""
BINS = 10
"""Bins that a stability index of counts uses: deciles of the first distribution."""
_HALF = 0.5


def stability(first: Sequence[float], second: Sequence[float]) -> float:
    """Population stability index of two lists of shares: sum over bins of (q - p) ln(q / p).

    The symmetrised Kullback-Leibler divergence, in nats. Bins in which both shares are 0 add nothing; one in which only
    one is 0 makes it infinite.
    """
    total = 0.0
    for p, q in zip(first, second, strict=True):
        if p == q:
            continue
        if not p or not q:
            return math.inf
        total += (q - p) * math.log(q / p)
    return total


def jensen_shannon(first: Sequence[float], second: Sequence[float]) -> float:
    """Jensen-Shannon divergence of two lists of shares, to base 2: between 0 (equal) and 1 (nothing in common).

    (1/2) sum p log2(p/m) + (1/2) sum q log2(q/m) with m = (p + q)/2 (Lin 1991).
    """
    total = 0.0
    for p, q in zip(first, second, strict=True):
        m = (p + q) / 2
        total += sum(share * math.log2(share / m) for share in (p, q) if share)
    return total / 2


def kolmogorov_smirnov(first: Mapping[float, int], second: Mapping[float, int]) -> float:
    """Greatest distance between two distribution functions, given as counts by value: sup |F(x) - G(x)|.

    Exact where the values are; of a sketch's bins it is exact but for what falls into one bin. 0 where a side is empty.
    """
    n, m = sum(first.values()), sum(second.values())
    if not n or not m:
        return 0.0
    below = above = 0
    widest = 0.0
    for value in sorted(first.keys() | second.keys()):
        below += first.get(value, 0)
        above += second.get(value, 0)
        widest = max(widest, abs(below / n - above / m))
    return widest


def stability_of_counts(first: Mapping[float, int], second: Mapping[float, int]) -> float | None:
    """Stability index of two distributions given as counts by value, less what chance alone gives; never below 0.

    Bins are deciles of the first, and each count is taken half an observation higher so that no bin is empty. Two
    samples of one distribution have an index of about (B - 1)(1/n + 1/m), which is subtracted (Yurdakul 2018,
    "Statistical properties of the population stability index"). `None` where either side has fewer than 1,000 numbers.
    """
    n, m = sum(first.values()), sum(second.values())
    if n < LEAST or m < LEAST:
        return None
    edges = _quantiles(first, n)
    counted = [_binned(counts, edges) for counts in (first, second)]
    bins = len(edges) + 1
    shares = [
        [(count + _HALF) / (total + bins * _HALF) for count in counts]
        for counts, total in zip(counted, (n, m), strict=True)
    ]
    return max(0.0, stability(shares[0], shares[1]) - (bins - 1) * (1 / n + 1 / m))


def _quantiles(counts: Mapping[float, int], total: int) -> list[float]:
    """Upper ends of all bins but the last; where a value has more than a tenth, one more just below the first."""
    edges: list[float] = []
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        while len(edges) < BINS - 1 and seen * BINS >= total * (len(edges) + 1):
            edges.append(value)
    distinct = list(dict.fromkeys(edges))
    if len(distinct) < BINS - 1:  # one value is many, and what is below it would fall into its bin
        distinct.insert(0, math.nextafter(distinct[0], -math.inf))
    return distinct


def _binned(counts: Mapping[float, int], edges: Sequence[float]) -> list[int]:
    result = [0] * (len(edges) + 1)
    at = 0
    for value in sorted(counts):
        while at < len(edges) and value > edges[at]:
            at += 1
        result[at] += counts[value]
    return result
