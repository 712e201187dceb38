"""What is new in counts that are read whole each time."""

from __future__ import annotations

from stepdown.control.metrics.asking import Inconclusive
from stepdown.rollout.counts import Arms, Counted

_LOST = 0.9
"""Counts that fall below this share of what they were are no jitter of an estimate: data was lost."""
_JITTER = 2
"""Counts by which an estimate may waver however few there are."""


def growth(seen: Counted, now: Counted) -> Counted | Inconclusive:
    """What `now` has more than what guards have `seen` of this stage, added up.

    Estimates waver by a count or two, so what seems to fall is nothing new, and events that seem to go ahead of their
    trials are left for the next time. Nothing is lost or counted twice, as long as what is given here is added to
    `seen`.
    """
    before, after = seen.trials or Arms(), now.trials or Arms()
    for arm, had, has in (
        ("candidate", before.candidate, after.candidate),
        ("stable", before.stable, after.stable),
    ):
        if has < had * _LOST - _JITTER:
            return Inconclusive(f"trials of {arm} fell from {had} to {has}: data was lost")
    trials = Arms(
        candidate=max(0, after.candidate - before.candidate),
        stable=max(0, after.stable - before.stable),
    )
    events = Arms(
        candidate=min(trials.candidate, max(0, now.events.candidate - seen.events.candidate)),
        stable=min(trials.stable, max(0, now.events.stable - seen.events.stable)),
    )
    return Counted(events=events, trials=trials)
