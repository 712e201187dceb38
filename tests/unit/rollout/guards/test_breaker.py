"""The breaker: an outage of the candidate, and what is none."""

from __future__ import annotations

import msgspec

from stepdown.decide.rollout_spec import Breaker
from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.breaker import BreakerState, Flush, broken, update

GUARD = Breaker()


def flush(asked: int, failed: int, stable: int = 100, stable_failed: int = 0) -> Flush:
    return Flush(requests=Arms(candidate=asked, stable=stable), failures=Arms(candidate=failed, stable=stable_failed))


def after(*flushes: Flush) -> BreakerState:
    state = BreakerState()
    for one in flushes:
        state = update(state, GUARD, one)
    return state


def test_half_of_fifty_requests_break_it_and_one_less_does_not() -> None:
    assert broken(after(flush(50, 25)), GUARD)
    assert not broken(after(flush(50, 24)), GUARD)
    assert not broken(after(flush(49, 49)), GUARD)
    assert broken(after(flush(49, 49), flush(1, 1)), GUARD)


def test_where_stable_fails_too_the_candidate_is_not_to_blame() -> None:
    assert broken(after(flush(50, 50, 100, 10)), GUARD)
    assert not broken(after(flush(50, 50, 100, 11)), GUARD)


def test_at_100_per_cent_where_stable_gets_nothing_it_still_breaks() -> None:
    assert broken(after(flush(50, 50, stable=0)), GUARD)


def test_an_outage_after_many_good_answers_is_found_as_soon() -> None:
    assert broken(after(*[flush(20, 0)] * 1000, *[flush(1, 1)] * 50), GUARD)
    assert not broken(after(*[flush(20, 0)] * 1000, *[flush(1, 1)] * 20), GUARD)


def test_flushes_in_which_the_candidate_got_nothing_take_no_room() -> None:
    state = after(*[flush(0, 0)] * 1000, flush(1, 1))
    assert len(state.flushes) == 1
    assert state.flushes[0].requests == Arms(candidate=1, stable=100_100)
    assert len(after(*[flush(1, 0)] * 1000).flushes) == 50


def test_it_says_what_failed() -> None:
    assert broken(after(flush(60, 45, 1000, 3)), GUARD) == (
        "breaker: 45 of the candidate's last 60 requests failed (limit 50 % of at least 50), and 3 of stable's 1,000"
    )


def test_its_state_can_be_kept_as_json() -> None:
    state = after(flush(20, 1), flush(0, 0))
    assert msgspec.json.decode(msgspec.json.encode(state), type=BreakerState) == state


def test_one_that_is_off_keeps_nothing_and_breaks_for_nothing() -> None:
    off = Breaker(off=True)
    assert update(BreakerState(), off, flush(100, 100)) == BreakerState()
    assert broken(after(flush(100, 100)), off) is None
