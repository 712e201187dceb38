"""How long a rollout will take, and how many requests it needs to find, or to rule out, what one wants to know.

Each is the guard's own process without its dice. An effect is found after about as many requests as the median of many
rollouts (windows are what they are on average, each clipped as it would be). Proof that there is none takes about a
quarter less than what is said here, because luck can only shorten it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from stepdown.decide.rollout_spec import Rollout, Share
from stepdown.rollout.guards.reading import Terms
from stepdown.rollout.guards.shares import proving, ratios
from stepdown.rollout.judge import Panel, panels
from stepdown.statistics.event_share import Events, candidate_share, log_factors
from stepdown.statistics.evidence import log_mean
from stepdown.statistics.windows import begin, staked_on

_PARTS = 21
_FEW = 3.0
_LARGE = 500.0
"""From here on a count is as good as normally distributed."""
_MOST_WINDOWS = 20_000
_MOST_REQUESTS = 1 << 40


class Rates(NamedTuple):
    """Events a request: of stable, and of a candidate that one wants to find."""

    stable: float
    candidate: float


class Found(NamedTuple):
    """What one guard can know at one step."""

    guard: str
    worse: int | None
    """Requests of both arms until the effect is found; `None` where it takes too many to count."""
    well: int | None
    """Requests until it is shown that a candidate that is as good as stable is not worse by the margin."""


class StepPlan(NamedTuple):
    """One step."""

    weight: float
    requests: int | None
    """Of both arms, that pass if all goes well, or until its deadline; `None` where it never ends."""
    seconds: float
    found: tuple[Found, ...]
    segment: str | None = None


def plan(rollout: Rollout, per_second: float, rates: Mapping[str, Rates]) -> list[StepPlan]:
    """Each step at a rate of requests (above 0); `rates` are by name of a share's guard."""
    return [_step(panel, per_second, rollout.window, rates) for panel in panels(rollout)]


def until_worse(guard: Share, rates: Rates, share: float, terms: Terms, per_window: float) -> int | None:
    """Requests of both arms until an effect is found, by whole windows of so many."""
    worse = rates.candidate > rates.stable if guard.must_not == "rise" else rates.candidate < rates.stable
    if not worse:
        return None
    factors = _expected(guard, rates, share, per_window, terms.highest)
    staked = begin(ratios(guard))
    for number in range(1, _MOST_WINDOWS + 1):
        staked = staked_on(staked, factors, terms.highest)
        if staked.log_e >= terms.alone:
            return math.ceil(number * per_window)
    return None


def until_well(guard: Share, stable: float, share: float, terms: Terms) -> int | None:
    """Requests of both arms until a candidate that is as good as stable is shown not to be worse by the margin."""
    if guard.margin is None:
        return 0
    boundary, better = proving(guard.must_not, guard.margin)
    growth = _growth(share, better, boundary)

    def shown(requests: int) -> bool:
        return log_mean([requests * stable * each for each in growth]) >= terms.level

    high = 1
    while not shown(high):
        high *= 2
        if high > _MOST_REQUESTS:
            return None
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def skips_steps(history: Sequence[str], target: str, revisions: int) -> bool:
    """Whether going back to `target` needs no steps: it is among the latest revisions, the current one included.

    `history` is in the order of promotion. With 3 of 1, 2, 3, 4 and 5, going back to 4 or 3 needs none.
    """
    return bool(revisions) and target in history[-revisions:]


def _step(panel: Panel, per_second: float, window: float, rates: Mapping[str, Rates]) -> StepPlan:
    step, share = panel.step, panel.step.weight / 100
    found = []
    for guard in panel.guards:
        if isinstance(guard, Share) and guard.name in rates:
            asked = rates[guard.name]
            worse = until_worse(guard, asked, share, panel.terms, per_second * window)
            found.append(Found(guard.name, worse, until_well(guard, asked.stable, share, panel.terms)))
    needed = [step.least_duration * per_second, step.least_units / share if share else 0.0]
    needed.extend(math.inf if one.well is None else one.well for one in found)
    seconds = min(max(needed) / per_second, step.deadline or math.inf)
    if math.isinf(seconds):
        return StepPlan(step.weight, None, seconds, tuple(found), step.segment)
    seconds = math.ceil(seconds / window) * window
    return StepPlan(step.weight, math.ceil(seconds * per_second), seconds, tuple(found), step.segment)


def _expected(guard: Share, rates: Rates, share: float, requests: float, highest: float) -> list[float]:
    """Factor of each ratio as one window gives it on average, clipped: over likely counts of both arms."""
    stables = _likely(requests * (1 - share) * rates.stable)
    sums = [0.0] * len(ratios(guard))
    for mine, first in _likely(requests * share * rates.candidate):
        for theirs, second in stables:
            factors = log_factors(Events(mine, mine + theirs, share), ratios(guard))
            weight = first * second
            sums = [known + weight * min(factor, highest) for known, factor in zip(sums, factors, strict=True)]
    return sums


def _likely(mean: float) -> list[tuple[int, float]]:
    """Counts of a Poisson distribution with their weights: all that matter of a few, else equally likely quantiles."""
    if mean < _FEW:
        return [(count, math.exp(-mean) * mean**count / math.factorial(count)) for count in range(_PARTS)]
    wanted = [(2 * part + 1) / (2 * _PARTS) for part in range(_PARTS)]
    if mean > _LARGE:
        normal = NormalDist(mean, math.sqrt(mean))
        return [(max(0, round(normal.inv_cdf(each))), 1 / _PARTS) for each in wanted]
    found: list[tuple[int, float]] = []
    count, chance = 0, math.exp(-mean)
    below = chance
    for each in wanted:
        while below < each:
            count += 1
            chance *= mean / count
            below += chance
        found.append((count, 1 / _PARTS))
    return found


def _growth(share: float, better: Sequence[float], boundary: float) -> list[float]:
    """What one event adds on average for each ratio where both arms are alike."""
    mine = candidate_share(1.0, share)
    of_candidate = log_factors(Events(1, 1, share), better, boundary)
    of_stable = log_factors(Events(0, 1, share), better, boundary)
    return [mine * hit + (1 - mine) * miss for hit, miss in zip(of_candidate, of_stable, strict=True)]
