"""A rollout against synthetic traffic, many times: the real guards, judge and phases, with dice that are passed in.

Each window has as many requests as the rate says, each given to the candidate with the stage's share; events are drawn
for both arms with their rates. So what is found out here about false alarms, delays and durations holds for what runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Window
from stepdown.rollout.peers import Check
from stepdown.rollout.position import Candidate, Position, begin
from stepdown.rollout.walk import Walk

if TYPE_CHECKING:
    from random import Random

_SMALL = 100.0


class Traffic(NamedTuple):
    """What comes in; rates are events a request."""

    per_window: int
    """Requests of both arms together."""
    stable: Mapping[str, float]
    """By kind."""
    candidate: Mapping[str, float]
    """Kinds in which the candidate is another than stable."""

    checks: tuple[Check, ...] = ()
    """What peers would check, whose rules watch the same windows."""


def started(walk: Walk) -> Position:
    """A rollout at its first step, with all of stable's endpoints ready."""
    rollout = walk.rollout
    position = begin(rollout, Candidate(version=rollout.candidate, endpoints="simulated"))
    position = msgspec.structs.replace(position, ready=rollout.min_ready)
    return walk.after(position, events.Started(now=0.0, who="simulation")).position


def window(position: Position, walk: Walk, traffic: Traffic, dice: Random, number: int) -> Window:
    """What one window brings at the step where the rollout stands."""
    length = walk.rollout.window
    share = walk.rollout.steps[position.step].weight / 100
    of_candidate = binomial(dice, traffic.per_window, share)
    units = Arms(candidate=of_candidate, stable=traffic.per_window - of_candidate)
    kinds = {}
    for kind, rate in traffic.stable.items():
        candidate = binomial(dice, units.candidate, traffic.candidate.get(kind, rate))
        kinds[kind] = Counted(events=Arms(candidate=candidate, stable=binomial(dice, units.stable, rate)))
    return Window(
        stage=position.step,
        share=share,
        begin=number * length,
        end=(number + 1) * length,
        run=position.run,
        units=units,
        kinds=kinds,
    )


def binomial(dice: Random, trials: int, share: float) -> int:
    """How many of `trials` happen, each with probability `share`; exact.

    Few are counted up along the distribution; where many are expected, the trials are halved first: the middle one of n
    uniform numbers is Beta-distributed and says on which side of it `share` falls (Devroye 1986, "Non-Uniform Random
    Variate Generation", X.4.3).
    """
    if share > 0.5:
        return trials - binomial(dice, trials, 1 - share)
    hits = 0
    while trials * share > _SMALL and share < 1:
        middle = trials // 2 + 1
        value = dice.betavariate(middle, trials + 1 - middle)
        if value <= share:
            hits += middle
            trials -= middle
            share = (share - value) / (1 - value)
        else:
            trials = middle - 1
            share /= value
    return hits + _counted_up(dice, trials, share)


def _counted_up(dice: Random, trials: int, share: float) -> int:
    if share > 0.5:
        return trials - _counted_up(dice, trials, 1 - share)
    odds = share / (1 - share)
    left = dice.random()
    chance = (1 - share) ** trials
    hits = 0
    while left > chance and hits < trials:
        left -= chance
        chance *= odds * (trials - hits) / (hits + 1)
        hits += 1
    return hits
