"""A rollout against synthetic traffic, many times: the real guards, judge and phases, with dice that are passed in.

Each window has as many requests as the rate says, each given to the candidate with the stage's share; events are drawn
for both arms with their rates. So what is found out here about false alarms, delays and durations holds for what runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Window
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.judge import Evidence
from stepdown.rollout.peers import Check, Checked
from stepdown.rollout.phases import Phase
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


class Run(NamedTuple):
    """How one rollout ended."""

    phase: Phase
    step: int
    """At which it ended."""
    requests: int
    """Until then, of both arms and of all steps."""
    at_step: int
    """Until then, since its last step began."""
    sentence: str
    peers: Checked = Checked()


class Runs(NamedTuple):
    """How many of them ended."""

    runs: int
    rolled_back: int
    promoted: int
    open: int
    """Held for a person, or not at an end when there was no more time."""
    delays: tuple[int, ...]
    """Requests, of the step in which they were rolled back, until they were; in rising order."""
    peers: Mapping[str, int]
    """Rollbacks by rules of peers that saw the same windows."""

    @property
    def rolled_back_share(self) -> float:
        """Of all runs."""
        return self.rolled_back / self.runs

    @property
    def median(self) -> float:
        """Of the requests until a rollback, over all runs: infinite where fewer than half were rolled back."""
        return self.delays[self.runs // 2] if self.rolled_back > self.runs // 2 else math.inf


def run(walk: Walk, traffic: Traffic, dice: Random, first_step: int = 0, most: int = 10_000) -> Run:
    """One rollout, from the step `first_step` on; it is given up after that many windows."""
    position = _at(walk, first_step)
    sentence, requests, entered, peers = "", 0, 0, Checked()
    for number in range(most):
        now = (number + 1) * walk.rollout.window
        seen = window(position, walk, traffic, dice, number)
        peers = peers.after(traffic.checks, seen)
        moved = walk.after(position, events.WindowEnded(now=now, window=seen))
        requests += traffic.per_window
        step, position = position.step, moved.position
        if moved.sentence:
            sentence = moved.sentence
        if position.phase != "stepping":
            break
        if position.step != step:
            entered = requests
    return Run(position.phase, position.step, requests, requests - entered, sentence, peers)


def simulate(walk: Walk, traffic: Traffic, dice: Random, runs: int, first_step: int = 0) -> Runs:
    """Many of them."""
    return total([run(walk, traffic, dice, first_step) for _ in range(runs)])


def total(ended: Sequence[Run]) -> Runs:
    """How they ended, together."""
    delays = sorted(one.at_step for one in ended if one.phase == "rolled back")
    promoted = sum(one.phase == "promoted" for one in ended)
    peers = {rule: sum(getattr(one.peers, rule) for one in ended) for rule in ("threshold", "consecutive")}
    return Runs(len(ended), len(delays), promoted, len(ended) - len(delays) - promoted, tuple(delays), peers)


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


def flushes(dice: Random, share: float, failing: float, stable_failing: float = 0.0) -> Iterator[Flush]:
    """Flushes of one request each, without end, for the breaker."""
    while True:
        candidate = dice.random() < share
        failed = dice.random() < (failing if candidate else stable_failing)
        of_candidate, of_stable = int(candidate), int(not candidate)
        yield Flush(
            requests=Arms(candidate=of_candidate, stable=of_stable),
            failures=Arms(candidate=of_candidate * failed, stable=of_stable * failed),
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


def _at(walk: Walk, step: int) -> Position:
    """A rollout that stands at a step, as if it had walked there."""
    return msgspec.structs.replace(
        started(walk), step=step, weight=walk.rollout.steps[step].weight, evidence=(Evidence(),) * (step + 1)
    )
