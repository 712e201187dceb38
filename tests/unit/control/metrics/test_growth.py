"""What is new in counts that are read whole each time: nothing is lost, and nothing is counted twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepdown.control.metrics.asking import Inconclusive
from stepdown.control.metrics.growth import growth
from stepdown.rollout.counts import Arms, Counted


def counted(events: int, trials: int, others: int = 0) -> Counted:
    return Counted(events=Arms(candidate=events), trials=Arms(candidate=trials, stable=others))


def plus(one: Counted, other: Counted) -> Counted:
    assert one.trials is not None
    assert other.trials is not None
    return Counted(events=one.events.plus(other.events), trials=one.trials.plus(other.trials))


def test_only_what_came_since_is_new() -> None:
    assert growth(counted(3, 100), counted(5, 150, others=7)) == counted(2, 50, others=7)


def test_an_estimate_that_wavers_brings_nothing_and_loses_nothing() -> None:
    seen = counted(3, 100)
    for now in (counted(3, 99), counted(4, 100), counted(5, 104)):
        new = growth(seen, now)
        assert isinstance(new, Counted)
        assert new.trials is not None
        assert new.events.candidate <= new.trials.candidate
        seen = plus(seen, new)
    assert seen == counted(5, 104)


def test_an_estimate_of_few_may_waver_by_two_and_not_by_more() -> None:
    assert growth(counted(0, 2), counted(0, 0)) == counted(0, 0)
    assert growth(counted(0, 3), counted(0, 0)) == Inconclusive("trials of candidate fell from 3 to 0: data was lost")


def test_a_server_that_lost_its_data_is_inconclusive() -> None:
    found = growth(counted(3, 100, 1000), counted(3, 100, 200))
    assert found == Inconclusive("trials of stable fell from 1000 to 200: data was lost")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(-1, 1))))
def test_what_was_given_never_exceeds_what_came_by_more_than_the_estimate_wavers(
    steps: list[tuple[int, int, int]],
) -> None:
    seen, events, trials = counted(0, 0), 0, 0
    for more, beside, waver in steps:
        events, trials = events + more, trials + more + beside
        new = growth(seen, counted(max(0, events + waver), max(0, trials + waver)))
        if not isinstance(new, Inconclusive):
            seen = plus(seen, new)
    final = growth(seen, counted(events, trials))
    if not isinstance(final, Inconclusive):
        seen = plus(seen, final)
        assert seen.trials is not None
        assert abs(seen.trials.candidate - trials) <= 1
        assert seen.events.candidate <= seen.trials.candidate
