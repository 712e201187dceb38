"""The ceiling guard: whether the candidate's own rate of an event is beyond a limit, whatever stable's is.

The only evidence that there is at 100 %, where nobody is left to compare with. Taking back works as with event shares
(clipped by window, with capital held back); going on, with `prove`, takes evidence that the rate is below the limit.
"""

from __future__ import annotations

import msgspec

from stepdown.decide.rollout_spec import Ceiling
from stepdown.decide.spec_base import Spec
from stepdown.rollout import sentences
from stepdown.rollout.counts import Read, Window
from stepdown.rollout.guards.gathered import Gathered
from stepdown.rollout.guards.reading import Reading, Terms, Verdict
from stepdown.statistics.ceiling import ABOVE, ceiling_evidence, ceiling_factors
from stepdown.statistics.proportion import interval
from stepdown.statistics.windows import Staked, begin, staked_on


class CeilingState(Spec, frozen=True, tag="ceiling"):
    """What one guard knows at one stage, of the candidate alone."""

    windows: int = 0
    capital: tuple[float, ...] = ()
    events: int = 0
    trials: int = 0
    unread: str = "no window yet"
    read: Read | None = None
    """Of counts that are read elsewhere."""


def update(state: CeilingState, guard: Ceiling, terms: Terms, window: Window) -> CeilingState:
    """The state with one more window."""
    counted, read = window.read(guard.kind), window.reached(guard.kind, state.read)
    if isinstance(counted, str):
        return msgspec.structs.replace(state, unread=counted, read=read)
    events, trials = counted.events.candidate, (counted.trials or window.units).candidate
    if events > trials:
        return msgspec.structs.replace(state, unread=f"{events} events among {trials} trials")
    staked = staked_on(_staked(state, guard), ceiling_factors(events, trials, guard.limit, parts(guard)), terms.highest)
    return CeilingState(
        windows=staked.windows,
        capital=staked.capital,
        events=state.events + events,
        trials=state.trials + trials,
        unread="",
        read=read,
    )


def parts(guard: Ceiling) -> tuple[float, ...]:
    """Rates that are looked for, as multiples of the limit: all below 1, and one half-way where a limit leaves none."""
    return tuple(part for part in ABOVE if part * guard.limit < 1) or ((1 + 1 / guard.limit) / 2,)


def log_e(state: CeilingState, guard: Ceiling) -> float:
    """Logarithm of E against "the rate is at most the limit"."""
    return _staked(state, guard).log_e if state.capital else 0.0


def verdict(state: CeilingState, guard: Ceiling, terms: Terms) -> Verdict:
    """Where the guard stands by itself."""
    return _gathered(state, guard).verdict(terms)


def reading(state: CeilingState, guard: Ceiling, terms: Terms) -> Reading:
    """With its numbers."""
    known = _gathered(state, guard)
    low, high = interval(state.events, state.trials, terms.alpha / terms.stages)
    return Reading(
        guard=guard.name,
        verdict=known.verdict(terms),
        sentence=known.sentence(guard.name, terms, "it is within its limit", counted(state, guard)),
        log_e=known.log_e,
        level=terms.level,
        low=low,
        high=high,
        missing=known.missing(terms, state.trials),
    )


def counted(state: CeilingState, guard: Ceiling) -> str:
    """`12 of 400 answers of the candidate (3 %, limit 1 %)`."""
    share = f"{sentences.percent(state.events / state.trials)}, " if state.trials else ""
    return (
        f"{sentences.number(state.events)} {sentences.kind(guard.kind)} in {sentences.number(state.trials)} trials"
        f" of the candidate ({share}limit {sentences.percent(guard.limit)})"
    )


def _gathered(state: CeilingState, guard: Ceiling) -> Gathered:
    proof = ceiling_evidence(state.events, state.trials, guard.limit) if guard.prove else None
    return Gathered(state.unread, log_e(state, guard), proof)


def _staked(state: CeilingState, guard: Ceiling) -> Staked:
    return Staked(state.windows, state.capital) if state.capital else begin(parts(guard))
