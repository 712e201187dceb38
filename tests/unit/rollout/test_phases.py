"""The table of phases, and the diagram that is drawn from it."""

from __future__ import annotations

import pytest

from stepdown.rollout import phases
from stepdown.rollout.phases import ENDED, JUDGED, RUNNING, TABLE, diagram


def test_the_diagram_in_the_module_is_the_table() -> None:
    indented = "\n".join(f"    {line}" for line in diagram().splitlines())
    assert phases.__doc__ is not None
    assert indented in phases.__doc__


def test_what_has_ended_begins_only_by_a_start_and_a_promotion_can_be_undone() -> None:
    for (phase, happening), change in TABLE.items():
        if phase in ENDED and change.to != phase:
            assert happening == "start" or (phase, happening, change.to) == ("promoted", "undo", "aborted")


@pytest.mark.parametrize("phase", RUNNING)
def test_from_every_phase_that_runs_the_breaker_and_a_person_give_stable_everything(phase: phases.Phase) -> None:
    broken, aborted = TABLE[phase, "breaker"], TABLE[phase, "abort"]
    assert (broken.to, broken.weight, broken.quarantine) == ("rolled back", "none", True)
    assert (aborted.to, aborted.weight, aborted.quarantine) == ("aborted", "none", False)


def test_whatever_holds_a_rollout_it_is_still_taken_back_when_it_is_worse() -> None:
    assert all(TABLE[phase, "worse"].to == "rolled back" for phase in JUDGED)
    assert ("frozen", "worse") not in TABLE
    assert ("blind", "worse") not in TABLE


def test_every_phase_can_be_reached_and_left() -> None:
    reached = {change.to for change in TABLE.values()} | {"pending"}
    assert set(phases.Phase.__args__) <= reached  # type: ignore[attr-defined]
    assert {phase for phase, _ in TABLE} == set(phases.Phase.__args__)  # type: ignore[attr-defined]
