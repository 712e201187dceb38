"""Rollouts simulated to their end, many of them: each window by the shipped simulator, with dice that are passed in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

import msgspec

from stepdown.rollout import events
from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.judge import Evidence
from stepdown.rollout.peers import Checked
from stepdown.rollout.phases import Phase
from stepdown.rollout.position import Position
from stepdown.rollout.simulate import Traffic, started, window
from stepdown.rollout.walk import Walk


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


def _at(walk: Walk, step: int) -> Position:
    """A rollout that stands at a step, as if it had walked there."""
    return msgspec.structs.replace(
        started(walk), step=step, weight=walk.rollout.steps[step].weight, evidence=(Evidence(),) * (step + 1)
    )
