"""The event-share guard: whether the candidate has more, or fewer, of an event than its share of the units.

*Rollback* is the e-process by windows of `statistics.windows`: evidence against "the candidate is no worse", clipped by
window, with capital held back. *Going on*, where the guard has a margin, takes evidence of the other side, against
"the candidate is worse by the margin or more", which is gathered over the whole stage at once, since there is nothing
to be sustained. The first goes into an average over all guards; of the second every guard needs its own, so nothing has
to be split between them.

Where somebody else counts (Prometheus, a webhook), the candidate's part is not what the split gave it but what it had
of the trials that were counted in the same window: a scrape does not end where a step does, and what is counted need
not be what was assigned. Given the trials, events are drawn from them without replacement, which is no likelier to go
far than independent draws are (Hoeffding 1963, theorem 4), so that what holds for the one holds for the other.
"""

from __future__ import annotations

import math

import msgspec

from stepdown.decide.rollout_spec import Share
from stepdown.decide.spec_base import Spec
from stepdown.rollout import sentences
from stepdown.rollout.counts import Arms, Read, Window
from stepdown.rollout.guards.gathered import Gathered
from stepdown.rollout.guards.reading import Reading, Terms, Verdict
from stepdown.statistics.event_share import FALLING, RISING, Events, log_factors
from stepdown.statistics.evidence import log_mean
from stepdown.statistics.proportion import interval
from stepdown.statistics.windows import Staked, after, begin

BETTER = (0.5, 1.0, 1.4)
"""Ratios that speak for a rate that must not rise, by a margin of 1: half as many, as many, 1.4 times."""


class ShareState(Spec, frozen=True, tag="share"):
    """What one guard knows at one stage."""

    windows: int = 0
    capital: tuple[float, ...] = ()
    """Logarithm of what each ratio has won; empty before the first window, when it would be minus infinity."""
    proof: tuple[float, ...] = ()
    """Logarithm of the likelihood ratio of each ratio that speaks for the candidate."""
    candidate: int = 0
    """Events of the candidate,"""
    total: int = 0
    """of both."""
    share: float = 0.0
    """pi of the latest window; of all trials, where they are counted elsewhere."""
    unread: str = "no window yet"
    """Why the latest window said nothing; empty where it did."""
    trials: Arms = Arms()
    """Where they are counted elsewhere."""
    read: Read | None = None


def update(state: ShareState, guard: Share, terms: Terms, window: Window) -> ShareState:
    """The state with one more window."""
    counted, read = window.read(guard.kind), window.reached(guard.kind, state.read)
    if isinstance(counted, str):
        return msgspec.structs.replace(state, unread=counted, read=read)
    new = (guard.source is not None and counted.trials) or Arms()
    share = new.candidate / new.total if new.total else window.share
    if not 0 < share < 1:
        alone = f"with a share of {sentences.percent(share)} there is nothing to compare"
        return msgspec.structs.replace(state, unread=alone)
    events = Events(counted.events.candidate, counted.events.total, share)
    staked = after(_staked(state, guard), events, ratios(guard), terms.highest)
    proof: tuple[float, ...] = ()
    if guard.margin is not None:
        boundary, better = proving(guard.must_not, guard.margin)
        known = state.proof or (0.0,) * len(better)
        proof = tuple(map(sum, zip(known, log_factors(events, better, boundary), strict=True)))
    trials = state.trials.plus(new)
    return ShareState(
        windows=staked.windows,
        capital=staked.capital,
        proof=proof,
        candidate=state.candidate + events.candidate,
        total=state.total + events.total,
        share=trials.candidate / trials.total if trials.total else window.share,
        unread="",
        trials=trials,
        read=read,
    )


def ratios(guard: Share) -> tuple[float, ...]:
    """Those that are looked for."""
    return guard.ratios or (RISING if guard.must_not == "rise" else FALLING)


def proving(must_not: str, margin: float) -> tuple[float, tuple[float, ...]]:
    """The ratio that is too bad, and those that speak for the candidate.

    A rate that must not fall: 1 - margin, and {1 - margin/2, 1, 1 + margin/2}. One that must not rise: 1 + margin, and
    {.5, 1, 1.4} scaled to the margin.
    """
    if must_not == "fall":
        return 1 - margin, (1 - margin / 2, 1.0, 1 + margin / 2)
    return 1 + margin, (BETTER[0], BETTER[1], 1 + (BETTER[2] - 1) * margin)


def log_e(state: ShareState, guard: Share) -> float:
    """Logarithm of E against "the candidate is no worse"."""
    return _staked(state, guard).log_e if state.capital else 0.0


def verdict(state: ShareState, guard: Share, terms: Terms) -> Verdict:
    """Where the guard stands by itself."""
    return _gathered(state, guard).verdict(terms)


def reading(state: ShareState, guard: Share, terms: Terms) -> Reading:
    """With its numbers."""
    known = _gathered(state, guard)
    low, high = between(state, terms)
    wanted = f"it is not worse by {sentences.percent(guard.margin or 0)}"
    return Reading(
        guard=guard.name,
        verdict=known.verdict(terms),
        sentence=known.sentence(guard.name, terms, wanted, counted(state, guard)),
        log_e=known.log_e,
        level=terms.level,
        low=low,
        high=high if math.isfinite(high) else None,
        missing=known.missing(terms, state.total),
    )


def counted(state: ShareState, guard: Share) -> str:
    """`41 of 52 errors came from the candidate, which had 5 % of the assignment`."""
    events = sentences.kind(guard.kind)
    if not state.total:
        return f"no {events} yet"
    return (
        f"{sentences.number(state.candidate)} of {sentences.number(state.total)} {events} came from the candidate,"
        f" which had {sentences.percent(state.share)} of the {'trials' if state.trials.total else 'assignment'}"
    )


def between(state: ShareState, terms: Terms) -> tuple[float, float]:
    """All ratios of both rates that the counts do not speak against, at all times at once (alpha of the stage)."""
    if not state.total:
        return 0.0, math.inf
    odds = (1 - state.share) / state.share
    low, high = interval(state.candidate, state.total, terms.alpha / terms.stages)
    return low / (1 - low) * odds, high / (1 - high) * odds if high < 1 else math.inf


def _gathered(state: ShareState, guard: Share) -> Gathered:
    proof = None
    if guard.margin is not None:
        proof = log_mean(state.proof) if state.proof else 0.0
    return Gathered(state.unread, log_e(state, guard), proof)


def _staked(state: ShareState, guard: Share) -> Staked:
    return Staked(state.windows, state.capital) if state.capital else begin(ratios(guard))
