"""A rollout rehearsed before it is driven: our guards and the rules of peers on the same windows, each to its own end.

A person who lets a step on is taken to do so at once. Where ours has ended, windows go on at its last step until peers
have decided too, or until a ladder that nobody stops would be over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stepdown.decide.rollout_spec import Rollout, Threshold
from stepdown.rollout import events
from stepdown.rollout.peers import Checked
from stepdown.rollout.phases import Phase
from stepdown.rollout.simulate import Traffic, started, window
from stepdown.rollout.walk import Walk

if TYPE_CHECKING:
    from random import Random

_PATIENCE = 10
"""A rollout that takes so many times as long as its steps at least do is as good as held."""
_FEWEST, _MOST = 200, 20_000
"""Windows within which that is."""


class Ended(NamedTuple):
    """How one rehearsal ended; times are in windows."""

    phase: Phase
    step: int
    """At which ours ended, from 0."""
    windows: int
    sentence: str
    threshold: int | None
    """When failed checks would have rolled back; `None` where they would not,"""
    consecutive: int | None
    """and failed checks in a row."""


class Outcome(NamedTuple):
    """How often one way of deciding rolled back, and after how many windows."""

    runs: int
    rolled_back: int
    promoted: int
    delays: tuple[int, ...]
    """Windows from the start to a rollback, in rising order."""

    @property
    def held(self) -> int:
        """Neither: a person would have to decide."""
        return self.runs - self.rolled_back - self.promoted

    def within(self, share: float) -> float:
        """Windows within which this share of all runs was rolled back; infinite where fewer ever were."""
        wanted = max(math.ceil(share * self.runs), 1)
        return self.delays[wanted - 1] if wanted <= len(self.delays) else math.inf


class Rehearsed(NamedTuple):
    """All rehearsals together."""

    ours: Outcome
    threshold: Outcome
    consecutive: Outcome
    steps: tuple[int, ...]
    """Rollbacks by step."""
    durations: tuple[int, ...]
    """Windows until the promotion, in rising order."""
    example: str
    """What was said of the first rollback; empty where there was none."""


def unattended(rollout: Rollout) -> Rollout:
    """As if a person let everything on at once, and without threshold guards: traffic says nothing of what they ask."""
    steps = tuple(msgspec.structs.replace(step, gate=False) for step in rollout.steps)
    guards = tuple(guard for guard in rollout.guards if not isinstance(guard, Threshold))
    return msgspec.structs.replace(rollout, steps=steps, guards=guards, promotion="automatic")


def shortest(rollout: Rollout, per_window: int) -> int:
    """Windows that the ladder takes where nothing holds it up."""
    return sum(
        math.ceil(
            max(
                step.least_duration / rollout.window,
                step.least_units / (per_window * step.weight / 100) if step.weight else 0.0,
                1.0,
            )
        )
        for step in rollout.steps
    )


def rehearse(walk: Walk, traffic: Traffic, dice: Random) -> Ended:
    """One rollout of `unattended` rules; what is drawn hangs on the dice alone."""
    ladder = shortest(walk.rollout, traffic.per_window)
    most = min(max(_PATIENCE * ladder, _FEWEST), _MOST)
    position, ended, sentence = started(walk), 0, ""
    checked, threshold, consecutive = Checked(), None, None
    for number in range(1, most + 1):
        seen = window(position, walk, traffic, dice, number - 1)
        if seen.share and (threshold is None or consecutive is None):
            checked = checked.after(traffic.checks, seen)
            threshold = number if checked.threshold and threshold is None else threshold
            consecutive = number if checked.consecutive and consecutive is None else consecutive
        if not ended:
            moved = walk.after(position, events.WindowEnded(now=number * walk.rollout.window, window=seen))
            position, sentence = moved.position, moved.sentence or sentence
            ended = number if position.phase != "stepping" else 0
        decided = threshold is not None and consecutive is not None
        if ended and (position.phase == "promoted" or decided or number >= ladder or not traffic.checks):
            break
    return Ended(position.phase, position.step, ended or most, sentence, threshold, consecutive)


def rehearse_all(
    rollout: Rollout, traffic: Traffic, numbers: Iterable[int], dice: Callable[[int], Random]
) -> list[Ended]:
    """One for each number, each with dice of its own, so that it does not matter who rehearses which."""
    walk = Walk(unattended(rollout))
    return [rehearse(walk, traffic, dice(number)) for number in numbers]


def together(ended: Sequence[Ended], steps: int) -> Rehearsed:
    """All of them, of a rollout with so many steps; raises `ValueError` where there are none."""
    if not ended:
        raise ValueError("no rehearsal")
    taken_back = [one for one in ended if one.phase == "rolled back"]
    promoted = sorted(one.windows for one in ended if one.phase == "promoted")
    ours = Outcome(len(ended), len(taken_back), len(promoted), tuple(sorted(one.windows for one in taken_back)))
    return Rehearsed(
        ours,
        _of_peers([one.threshold for one in ended]),
        _of_peers([one.consecutive for one in ended]),
        tuple(sum(one.step == step for one in taken_back) for step in range(steps)),
        tuple(promoted),
        taken_back[0].sentence if taken_back else "",
    )


def _of_peers(found: Sequence[int | None]) -> Outcome:
    delays = sorted(one for one in found if one is not None)
    return Outcome(len(found), len(delays), len(found) - len(delays), tuple(delays))
