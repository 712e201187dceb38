"""Whether a candidate has more, or fewer, of some event than its share of the units: the event-share e-process.

Only events are looked at: clicks, errors, slow answers, answers that break their contract. If candidate and stable are
alike, an event belongs to the candidate with probability pi, its share of the assignment, whatever the rate of events
is and however it changes over time. If the candidate's rate is r times stable's, it belongs to it with probability

    q(r, pi) = pi r / (pi r + 1 - pi)

Events are counted by the share pi that held *when their unit was assigned*; counts of different shares are never put
together (Simpson's paradox), their evidence is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from stepdown.statistics.evidence import log_mean

FALLING = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Ratios of rates that are looked for where a rate must not fall (clicks)."""
RISING = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""The same where a rate must not rise (errors, slow answers, broken contracts)."""


class Events(NamedTuple):
    """Events of all units that were assigned with one share."""

    candidate: int
    """Events of the candidate,"""
    total: int
    """of both together."""
    share: float
    """pi, the candidate's share of the assignment, between 0 and 1 (exclusive)."""


def candidate_share(ratio: float, share: float) -> float:
    """Probability that an event is the candidate's: q(r, pi) = pi r / (pi r + 1 - pi)."""
    return share * ratio / (share * ratio + 1 - share)


def log_factors(events: Events, ratios: Sequence[float], boundary: float = 1.0) -> list[float]:
    """Logarithm of the likelihood ratio of each r_j against r_0 = `boundary`.

    log F_j = k log(q_j / q_0) + (n - k) log((1 - q_j) / (1 - q_0))
    """
    stable = events.total - events.candidate
    return [events.candidate * hit + stable * miss for hit, miss in _gains(tuple(ratios), events.share, boundary)]


@lru_cache(maxsize=256)
def _gains(ratios: tuple[float, ...], share: float, boundary: float) -> tuple[tuple[float, float], ...]:
    """What one event of the candidate, and one of stable, adds for each ratio; a rollout has few shares."""
    null = candidate_share(boundary, share)
    gains = []
    for ratio in ratios:
        q = candidate_share(ratio, share)
        gains.append((math.log(q / null), math.log((1 - q) / (1 - null))))
    return tuple(gains)


def event_share_evidence(counted: Iterable[Events], ratios: Sequence[float], boundary: float = 1.0) -> float:
    """Logarithm of E against "the candidate's rate is at most (or at least) r_0 times stable's": mean over j of F_j.

    With all ratios above `boundary` the null hypothesis is "at most", with all below it "at least" (Turner, Ly and
    Gruenwald 2024; Lindon and Malek 2022). The factors of different shares are multiplied.
    """
    sums = [0.0] * len(ratios)
    for events in counted:
        sums = [known + more for known, more in zip(sums, log_factors(events, ratios, boundary), strict=True)]
    return log_mean(sums)
