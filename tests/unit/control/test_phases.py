"""Where a switch may stand, and what leads where."""

from __future__ import annotations

import pytest

from stepdown.control.phases import INTERRUPTIBLE, NEXT, Event, Phase, after

ENDS = {Phase.SWITCHED, Phase.REFUSED}


def way(*events: Event) -> Phase:
    phase = Phase.ASKED
    for event in events:
        phase = after(phase, event)
    return phase


def test_the_ways_of_a_switch() -> None:
    assert way(Event.PASSED, Event.IN_FORCE) is Phase.SWITCHED
    warm = (Event.PASSED, Event.BEGAN, Event.WARMED)
    assert way(*warm) is Phase.WARM
    assert way(*warm, Event.PASSED, Event.IN_FORCE) is Phase.SWITCHED


def test_whatever_is_not_over_can_be_stopped_and_what_is_over_stays_so() -> None:
    assert all(after(phase, Event.STOPPED) is Phase.REFUSED for phase in Phase if phase not in ENDS)
    assert all(not NEXT[phase] for phase in ENDS)
    assert set(NEXT) == set(Phase)


def test_nothing_is_in_force_that_was_not_checked() -> None:
    for event in (Event.IN_FORCE, Event.BEGAN, Event.WARMED):
        with pytest.raises(KeyError):
            way(event)
    with pytest.raises(KeyError):
        way(Event.PASSED, Event.BEGAN, Event.IN_FORCE)


def test_only_a_warm_up_can_be_ended_by_another_switch() -> None:
    assert {Phase.WARMING} == INTERRUPTIBLE
