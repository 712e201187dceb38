"""The event-share e-process by windows of time: acts on what lasts, and still on what begins late.

Two things are changed of `event_share`, and neither makes a false alarm likelier:

- *Sustained*: the factor of one window is at most (m/alpha)^(1/s), for m metrics that are averaged and s windows, so
  that a single bad one, however bad, cannot be enough. (Clipped from above, an e-value stays one.)
- *Held back*: not all capital is staked at first. Window k gets w_1 = 1/2 and then w_k = 1/(2 (k-1) k), which sums up
  to 1, so that a change after many good windows does not have to win back what they lost:

      M_j <- (M_j + w_k / J) F_kj          E = sum over j of M_j + what is not staked yet

  Capital that is held back makes the earliest possible crossing one or two windows later than s.

Processes start anew at each stage of a rollout. What is counted in a window is evaluated at its end only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from stepdown.statistics.event_share import Events, log_factors
from stepdown.statistics.evidence import ALPHA

SUSTAINED = 3
"""Windows that a regression has to last before it can be acted on."""


class Staked(NamedTuple):
    """The state of the process."""

    windows: int
    """Windows that were evaluated."""
    capital: tuple[float, ...]
    """Logarithm of M_j by ratio."""

    @property
    def log_e(self) -> float:
        """Logarithm of E."""
        highest = max(self.capital)
        unspent = 1.0 - _spent(self.windows)
        if highest < 0:
            return math.log(math.fsum(map(math.exp, self.capital)) + unspent)
        return highest + math.log(
            math.fsum(math.exp(value - highest) for value in self.capital) + unspent * math.exp(-highest)
        )


def begin(ratios: Sequence[float]) -> Staked:
    """Before the first window: E = 1."""
    return Staked(0, (-math.inf,) * len(ratios))


def highest_factor(alpha: float = ALPHA, sustained: int = SUSTAINED, metrics: int = 1) -> float:
    """Logarithm of the most that one window may multiply: (1/s) ln(m / alpha)."""
    return math.log(metrics / alpha) / sustained


def after(staked: Staked, window: Events, ratios: Sequence[float], highest: float, boundary: float = 1.0) -> Staked:
    """The state when another window has ended; `highest` is `highest_factor` of the whole rollout."""
    return staked_on(staked, log_factors(window, ratios, boundary), highest)


def staked_on(staked: Staked, factors: Sequence[float], highest: float) -> Staked:
    """The same for factors of any kind, given as logarithms: each is an e-value of what the window brought."""
    number = staked.windows + 1
    stake = math.log((_spent(number) - _spent(number - 1)) / len(factors))
    capital = tuple(
        _log_sum(known, stake) + min(factor, highest) for known, factor in zip(staked.capital, factors, strict=True)
    )
    return Staked(number, capital)


def _spent(windows: int) -> float:
    """Capital that is staked by the end of that many windows: 1/2 + sum over k of 1/(2 (k-1) k) = 1 - 1/(2 n)."""
    return 1.0 - 0.5 / windows if windows else 0.0


def _log_sum(first: float, second: float) -> float:
    low, high = (first, second) if first < second else (second, first)
    return high + math.log1p(math.exp(low - high))
