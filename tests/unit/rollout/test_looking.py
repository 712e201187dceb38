"""Differences of totals: windows for every stage that got something, what is known of a kind, and flushes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling, Counters, Guard, PerArm, Share, Threshold
from stepdown.rollout import leading
from stepdown.rollout.batch import Arm, Cell, Counts
from stepdown.rollout.counts import Arms, Counted, Measurement, Window
from stepdown.rollout.document import Document, sorted_cells
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.looking import Elsewhere, Totals, discarded, flushed, windows
from stepdown.rollout.position import Candidate
from tests.kit.rollouts import CLICKS, CONTRACT, ERRORS, SLOW, rollout

TWO = Candidate(version="2.0.0", endpoints="aa")


def at(step: int, judged: Totals | None = None, **fields: Any) -> Document:
    """At a step of the third run, whose window began at 100."""
    document = leading.first(rollout(), TWO)
    position = msgspec.structs.replace(document.position, phase="stepping", run=3, step=step)
    return msgspec.structs.replace(
        document, position=position, judged=sorted_cells(judged or {}), since=100.0, **fields
    )


def both(stage: int, kind: str, candidate: tuple[int, int], stable: tuple[int, int]) -> dict[Cell, Counts]:
    """(Trials, events) of both arms."""
    arms: tuple[tuple[Arm, tuple[int, int]], ...] = (("candidate", candidate), ("stable", stable))
    return {Cell(stage, arm, kind): Counts(*counts) for arm, counts in arms}


def only(document: Document, totals: Totals, *guards: Guard, **options: Any) -> Window:
    (window,), _ = windows(rollout(guards=guards), document, totals, 160.0, **options)
    return window


def test_a_window_has_what_came_since_the_last_one() -> None:
    first = both(0, "units", (50, 0), (950, 0)) | both(0, "errors", (0, 2), (0, 20))
    (one,), judged = windows(rollout(), at(0), first, 160.0)
    assert one == Window(
        stage=0,
        share=0.05,
        begin=100.0,
        end=160.0,
        run=3,
        units=Arms(candidate=50, stable=950),
        kinds={"errors": Counted(events=Arms(candidate=2, stable=20))},
    )
    assert judged == first
    more = both(0, "units", (51, 0), (950, 0)) | both(0, "errors", (0, 2), (0, 23))
    (two,), judged = windows(rollout(), at(0, judged), more, 220.0)
    assert (two.units, two.kinds["errors"].events) == (Arms(candidate=1), Arms(stable=3))
    assert judged == more


def test_where_nothing_came_the_current_stage_has_a_window_in_which_workers_counted_nothing() -> None:
    window = only(at(1), {}, ERRORS)
    assert (window.stage, window.share, window.units) == (1, 0.25, Arms())
    assert window.read("errors") == Counted()


def test_what_comes_late_is_of_the_stage_and_the_share_of_its_assignment_and_comes_first() -> None:
    judged = both(0, "units", (50, 0), (950, 0)) | both(1, "units", (5, 0), (15, 0))
    totals = judged | both(0, "errors", (0, 1), (0, 0)) | both(1, "errors", (0, 2), (0, 3))
    found, _ = windows(rollout(), at(2, judged), totals, 160.0)
    assert [(one.stage, one.share, one.kinds["errors"].events) for one in found] == [
        (0, 0.05, Arms(candidate=1)),
        (1, 0.25, Arms(candidate=2, stable=3)),
        (2, 0.5, Arms()),
    ]


def test_stages_that_were_not_reached_are_no_evidence() -> None:
    totals = both(2, "errors", (0, 5), (0, 5)) | both(-1, "errors", (0, 5), (0, 5))
    found, _ = windows(rollout(), at(1), totals, 160.0)
    assert [one.stage for one in found] == [1]


@pytest.mark.parametrize("judged", [{}, both(0, "requests", (9, 9), (9, 9))])
def test_requests_are_the_breakers_and_end_no_window(judged: Totals) -> None:
    found, after = windows(rollout(), at(1, judged), both(0, "requests", (50, 1), (90, 2)), 160.0)
    assert [one.stage for one in found] == [1]
    assert after == judged


def test_requests_of_all_stages_are_one_flush() -> None:
    judged = both(0, "requests", (10, 1), (90, 0))
    totals = (
        both(0, "requests", (11, 2), (95, 1))
        | both(1, "requests", (20, 20), (20, 0))
        | both(1, "units", (9, 0), (9, 0))
    )
    new, after = flushed(judged, totals)
    assert new == Flush(requests=Arms(candidate=21, stable=25), failures=Arms(candidate=21, stable=1))
    assert flushed(after, totals) == (Flush(), after)
    assert Cell(1, "candidate", "units") not in after


def test_requests_that_a_store_has_lost_are_counted_on_from_what_is_left() -> None:
    judged = both(0, "requests", (100, 0), (900, 0))
    new, after = flushed(judged, {})
    assert new == Flush()
    assert flushed(after, both(0, "requests", (60, 60), (1, 0)))[0].failures.candidate == 60


def test_sightings_that_a_store_has_lost_count_again_only_beyond_what_was_judged() -> None:
    judged = both(0, "units", (50, 0), (950, 0))
    (lost,), after = windows(rollout(), at(0, judged), both(0, "units", (10, 0), (100, 0)), 160.0)
    assert (lost.units, after) == (Arms(), judged)
    (more,), _ = windows(rollout(), at(0, after), both(0, "units", (52, 0), (960, 0)), 220.0)
    assert more.units == Arms(candidate=2, stable=10)
    assert discarded(judged, both(0, "units", (10, 0), (1000, 0))) == both(0, "units", (50, 0), (1000, 0))


def test_what_is_slow_is_unread_until_it_is_known() -> None:
    totals = both(0, "slow", (0, 3), (0, 4))
    assert only(at(0), totals, SLOW).unread == {
        "slow": "what is slow is not known: fewer than 1,000 answers of stable so far"
    }
    assert only(at(0, slow=(0.2,)), totals, SLOW).read("slow") == Counted(events=Arms(candidate=3, stable=4))
    assert only(at(1, slow=(0.2,)), {}, SLOW).unread


def test_contracts_are_unread_until_answers_of_both_arms_were_validated() -> None:
    one_arm = both(0, "contract_violations", (9, 0), (0, 0))
    assert "no answer of both versions" in only(at(0), one_arm, CONTRACT).unread["contract_violations"]
    totals = both(0, "contract_violations", (9, 1), (3, 0))
    counted = Counted(events=Arms(candidate=1), trials=Arms(candidate=9, stable=3))
    assert only(at(0), totals, CONTRACT).read("contract_violations") == counted


@pytest.mark.parametrize(
    "guard", [CONTRACT, Ceiling(name="contract_violations", kind="contract_violations", limit=0.01)]
)
@pytest.mark.parametrize(
    ("units", "tried", "blind"),
    [
        ((99, 900), (0, 9), ""),
        ((100, 900), (0, 90), "candidate"),
        ((100, 900), (1, 90), ""),
        ((9, 900), (1, 0), "stable"),
    ],
    ids=["few units", "the candidate", "one is enough", "stable"],
)
def test_contracts_are_unread_while_units_come_and_nobody_looks_at_their_answers_any_more(
    guard: Guard, units: tuple[int, int], tried: tuple[int, int], blind: str
) -> None:
    judged = both(0, "contract_violations", (50, 1), (50, 0))
    totals = both(0, "units", (units[0], 0), (units[1], 0))
    totals |= both(0, "contract_violations", (50 + tried[0], 1), (50 + tried[1], 0))
    said = only(at(0, judged), totals, guard).unread.get("contract_violations", "")
    if blind == "stable" and isinstance(guard, Ceiling):
        blind = ""  # a limit is about the candidate alone
    came = f"{units[blind == 'stable']:,} units came"
    assert said == (
        f"no answer of {blind} was held against its contract since the last look, and {came}" if blind else ""
    )


def test_a_limit_on_differences_needs_copies_to_the_candidate_only() -> None:
    guard = Ceiling(name="d", kind="shadow_different", limit=0.05)
    assert only(at(0), {}, guard).unread == {"shadow_different": "no copy was compared yet"}
    totals = {Cell(0, "candidate", "shadow_different"): Counts(40, 2)}
    counted = only(at(0), totals, guard).read("shadow_different")
    assert counted == Counted(events=Arms(candidate=2), trials=Arms(candidate=40))


def test_an_event_that_must_not_fall_is_unread_until_one_was_reported_at_all() -> None:
    assert only(at(1), {}, CLICKS).unread == {"clicks": "no clicks was reported yet"}
    earlier = both(0, "clicks", (0, 0), (0, 1))
    assert only(at(1, earlier), earlier, CLICKS).read("clicks") == Counted()


def test_an_event_that_must_not_rise_may_never_come() -> None:
    complaints = Share(name="complaints", kind="complaint")
    assert only(at(0), {}, complaints).read("complaint") == Counted()


def test_without_a_feedback_section_nothing_can_be_reported() -> None:
    window = only(at(0), {}, CLICKS, ERRORS, can_report=False)
    assert window.unread == {"clicks": "nothing can be reported: the file has no feedback section"}
    assert "errors" in window.kinds


def test_what_others_count_is_what_was_measured_at_the_current_stage_only() -> None:
    source = Counters(servers=(), events=PerArm("a"), trials=PerArm("b"))
    guards = (Share(name="a", kind="a", source=source), Share(name="b", kind="b", source=source), Threshold(name="t"))
    measurement = Measurement(at=150.0, value="1")
    counted = Counted(events=Arms(stable=7), trials=Arms(candidate=1, stable=9))
    elsewhere = Elsewhere({"a": counted}, {"b": "unreachable"}, {"t": (measurement,)})
    late = both(0, "units", (1, 0), (1, 0))
    (before, now), _ = windows(rollout(guards=guards), at(1), late, 160.0, elsewhere)
    assert (now.read("a"), now.read("b"), now.measured) == (counted, "unreachable", {"t": (measurement,)})
    assert (before.read("a"), before.read("b"), before.measured) == ("no data", "no data", {})
