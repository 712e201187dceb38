"""The ceiling guard: its limit, proof, published values, and what stable does makes no difference."""

from __future__ import annotations

import msgspec
import pytest

from stepdown.decide.rollout_spec import Ceiling
from stepdown.rollout.counts import Arms, Counted, Read, Window
from stepdown.rollout.guards.ceiling import CeilingState, log_e, parts, reading, update, verdict
from stepdown.rollout.guards.reading import Terms
from stepdown.statistics.ceiling import ceiling_evidence
from tests.kit.rollouts import window
from tests.kit.statistics import PRECISION, vectors

TERMS = Terms(0.05, 1, 1, 3)
GUARD = Ceiling(name="limit", kind="errors", limit=0.01)
PROVED = msgspec.structs.replace(GUARD, prove=True)


def seen(events: int, trials: int, stable: int = 0) -> Window:
    counted = Counted(events=Arms(candidate=events, stable=stable), trials=Arms(candidate=trials, stable=100))
    return msgspec.structs.replace(window(), kinds={"errors": counted})


def watched(guard: Ceiling, *windows: Window) -> CeilingState:
    state = CeilingState()
    for one in windows:
        state = update(state, guard, TERMS, one)
    return state


def test_a_rate_beyond_the_limit_in_several_windows_takes_back_and_one_within_does_not() -> None:
    assert verdict(watched(GUARD, *[seen(1, 200)] * 20), GUARD, TERMS) == "ok"
    assert verdict(watched(GUARD, seen(40, 200)), GUARD, TERMS) == "ok"
    assert verdict(watched(GUARD, *[seen(10, 200)] * 6), GUARD, TERMS) == "rollback"


def test_several_guards_take_several_times_the_evidence_of_one() -> None:
    state = watched(GUARD, *[seen(10, 200)] * 6)
    assert verdict(state, GUARD, TERMS._replace(guards=10_000)) == "ok"


def test_what_stable_does_makes_no_difference() -> None:
    assert watched(GUARD, *[seen(10, 200)] * 6) == watched(GUARD, *[seen(10, 200, stable=50)] * 6)


def test_with_proof_it_is_well_only_when_that_is_shown_by_published_values() -> None:
    assert verdict(watched(PROVED, seen(0, 200)), PROVED, TERMS) == "needs-more"
    assert verdict(watched(PROVED, seen(0, 600)), PROVED, TERMS) == "ok"
    for case in vectors("ceiling"):
        found = ceiling_evidence(case["k"], case["n"], case["pmax"], case["mult"])
        assert found == pytest.approx(case["logE"], abs=PRECISION)


def test_it_says_how_many_more_would_show_it() -> None:
    missing = reading(watched(PROVED, seen(0, 200)), PROVED, TERMS).missing
    assert missing is not None
    assert 150 <= missing <= 400
    assert verdict(watched(PROVED, seen(0, 200), seen(0, missing)), PROVED, TERMS) == "ok"
    assert reading(watched(PROVED, seen(5, 200)), PROVED, TERMS).missing is None


def test_what_cannot_be_read_or_counted_is_inconclusive() -> None:
    assert verdict(CeilingState(), GUARD, TERMS) == "inconclusive"
    assert verdict(watched(GUARD, seen(1, 200), window()), GUARD, TERMS) == "inconclusive"
    odd = watched(GUARD, seen(3, 2))
    assert verdict(odd, GUARD, TERMS) == "inconclusive"
    assert reading(odd, GUARD, TERMS).sentence == (
        "limit cannot be read: 3 events among 2 trials; until then 0 errors in 0 trials of the candidate (limit 1 %)"
    )
    assert log_e(CeilingState(), GUARD) == 0.0


def test_a_high_limit_can_be_broken_too() -> None:
    high = Ceiling(name="limit", kind="errors", limit=0.9)
    assert parts(high) == pytest.approx((0.95 / 0.9,))
    assert verdict(watched(high, *[seen(200, 200)] * 6), high, TERMS) == "rollback"
    assert all(part * 0.5 < 1 for part in parts(msgspec.structs.replace(high, limit=0.5)))


def test_its_sentences_have_the_numbers() -> None:
    said = reading(watched(GUARD, *[seen(10, 200)] * 6), GUARD, TERMS).sentence
    assert said.startswith("limit: E = ")
    assert said.endswith(">= 20 (alpha 0.05): 60 errors in 1,200 trials of the candidate (5 %, limit 1 %)")
    assert "within its limit is not shown yet, E = " in reading(watched(PROVED, seen(0, 200)), PROVED, TERMS).sentence
    assert reading(watched(GUARD, seen(1, 200)), GUARD, TERMS).sentence.startswith("limit: E = 0.")


def test_how_far_counts_of_somebody_else_were_read_is_kept() -> None:
    whole = Read(since=1.0, events=Arms(candidate=1), trials=Arms(candidate=200))
    counted = msgspec.structs.replace(seen(1, 200).kinds["errors"], read=whole)
    state = watched(GUARD, msgspec.structs.replace(window(), kinds={"errors": counted}))
    assert (state.read, state.trials) == (whole, 200)
    assert update(state, GUARD, TERMS, window()).read == whole
