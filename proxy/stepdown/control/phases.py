"""The way of a switch as a table: where it stands, what happens there, and where that leads.

| phase | what is going on | what happens | then |
|---|---|---|---|
| asked | the colour is checked | it is ready, or the caller forces it | ready |
| | | it is not, or the caller leaves | refused |
| ready | nothing yet | a warm-up is wanted: its shadow is in force | warming |
| | | none is: all workers serve with the colour | switched |
| | | the caller left, the file was changed, a worker cannot | refused |
| warming | the colour gets copies | enough were answered well, or the caller forces it | warm |
| | | too few were, or too many failed | refused |
| | | it is interrupted | refused |
| warm | the colour is checked again | all workers serve with it, and the shadow is gone | switched |
| | | it is not ready any more, or as above | refused |

A refused switch has changed nothing; what was put in force for its warm-up is taken out before the caller hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Phase(StrEnum):
    """Where a switch stands."""

    ASKED = "asked"
    READY = "ready"
    WARMING = "warming"
    WARM = "warm"
    SWITCHED = "switched"
    REFUSED = "refused"


class Event(StrEnum):
    """What happens to a switch."""

    PASSED = "passed"
    """The colour is ready, or the caller forces it."""
    BEGAN = "began"
    """Copies are on their way."""
    WARMED = "warmed"
    """Enough were answered well, or the caller forces it."""
    IN_FORCE = "in force"
    STOPPED = "stopped"
    """It may not go on, for whatever reason."""


NEXT: Mapping[Phase, Mapping[Event, Phase]] = {
    Phase.ASKED: {Event.PASSED: Phase.READY, Event.STOPPED: Phase.REFUSED},
    Phase.READY: {Event.BEGAN: Phase.WARMING, Event.IN_FORCE: Phase.SWITCHED, Event.STOPPED: Phase.REFUSED},
    Phase.WARMING: {Event.WARMED: Phase.WARM, Event.STOPPED: Phase.REFUSED},
    Phase.WARM: {Event.PASSED: Phase.WARM, Event.IN_FORCE: Phase.SWITCHED, Event.STOPPED: Phase.REFUSED},
    Phase.SWITCHED: {},
    Phase.REFUSED: {},
}
"""What can happen where; anything else is a mistake of the code (`KeyError`)."""

INTERRUPTIBLE = frozenset({Phase.WARMING})
"""Where another switch of the same place ends this one; elsewhere the other one is refused."""


def after(phase: Phase, event: Event) -> Phase:
    """Where `event` leads."""
    return NEXT[phase][event]
