"""Each kind of guard with its functions, as a table, so that the judge treats all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from stepdown.decide.rollout_spec import Ceiling, Guard, Share, Threshold
from stepdown.rollout.counts import Window
from stepdown.rollout.guards import ceiling, shares, threshold
from stepdown.rollout.guards.ceiling import CeilingState
from stepdown.rollout.guards.reading import Reading, Terms, Verdict
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.guards.threshold import ThresholdState

State = ShareState | CeilingState | ThresholdState


class Kind(NamedTuple):
    """What is done with the state of one kind of guard; a state always is of its guard's kind."""

    begin: Callable[[], State]
    update: Callable[[Any, Any, Terms, Window], State]
    verdict: Callable[[Any, Any, Terms], Verdict]
    reading: Callable[[Any, Any, Terms], Reading]
    log_e: Callable[[Any, Any], float] | None = None
    """What goes into the average; none where there is no evidence but a status."""
    counted: Callable[[Any, Any], str] | None = None


_KINDS: Mapping[type[Guard], Kind] = {
    Share: Kind(ShareState, shares.update, shares.verdict, shares.reading, shares.log_e, shares.counted),
    Ceiling: Kind(CeilingState, ceiling.update, ceiling.verdict, ceiling.reading, ceiling.log_e, ceiling.counted),
    Threshold: Kind(
        ThresholdState,
        lambda state, guard, _, window: threshold.update(state, guard, window),
        lambda state, guard, _: threshold.verdict(state, guard),
        lambda state, guard, _: threshold.reading(state, guard),
    ),
}


def kind(guard: Guard) -> Kind:
    """The functions of a guard's kind."""
    return _KINDS[type(guard)]
