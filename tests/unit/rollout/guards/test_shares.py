"""The event-share guard: published values, what cannot be read, proof of a margin, and its sentences."""

from __future__ import annotations

import math
from random import Random

import msgspec
import pytest

from stepdown.decide.rollout_spec import Counters, MetricServer, PerArm, Share
from stepdown.rollout.counts import Arms, Counted, Read, Window
from stepdown.rollout.guards.reading import Terms
from stepdown.rollout.guards.shares import ShareState, between, counted, log_e, proving, reading, update, verdict
from stepdown.rollout.simulate import binomial
from stepdown.statistics.event_share import Events, event_share_evidence
from tests.kit.rollouts import CLICKS, ERRORS, window
from tests.kit.statistics import PRECISION, vectors

TERMS = Terms(0.05, 3, 1, 3)


def watched(guard: Share, windows: list[Window], terms: Terms = TERMS) -> ShareState:
    state = ShareState()
    for one in windows:
        state = update(state, guard, terms, one)
    return state


def test_the_published_values_of_windows_are_reproduced() -> None:
    for case in vectors("windowed_cap_restart"):
        terms = Terms(case["alpha"], 1, 1, case["sustain_windows"])
        guard = Share(name="errors", kind="errors", ratios=tuple(case["grid"]))
        state = ShareState()
        for (candidate, total, share), expected in zip(case["windows"], case["logE"], strict=True):
            state = update(state, guard, terms, window(share=share, errors=(candidate, total - candidate)))
            assert log_e(state, guard) == pytest.approx(expected, abs=PRECISION)


def test_before_the_first_window_it_is_inconclusive() -> None:
    assert verdict(ShareState(), ERRORS, TERMS) == "inconclusive"
    assert log_e(ShareState(), ERRORS) == 0.0
    assert (
        reading(ShareState(), ERRORS, TERMS).sentence
        == "errors cannot be read: no window yet; until then no errors yet"
    )


def test_equal_rates_are_well_and_more_errors_in_several_windows_are_not() -> None:
    assert verdict(watched(ERRORS, [window(errors=(1, 19))] * 10), ERRORS, TERMS) == "ok"
    assert verdict(watched(ERRORS, [window(errors=(20, 20))]), ERRORS, TERMS) == "ok"
    assert verdict(watched(ERRORS, [window(errors=(20, 20))] * 6), ERRORS, TERMS) == "rollback"


def test_a_rate_that_must_not_fall_may_rise() -> None:
    assert verdict(watched(CLICKS, [window(clicks=(30, 95))] * 20), CLICKS, TERMS) == "ok"
    assert verdict(watched(CLICKS, [window(share=0.5, clicks=(40, 95))] * 20), CLICKS, TERMS) == "rollback"


def test_several_guards_take_several_times_the_evidence_of_one() -> None:
    state = watched(ERRORS, [window(errors=(20, 20))] * 6)
    assert verdict(state, ERRORS, TERMS._replace(guards=10_000)) == "ok"


def test_a_window_that_cannot_be_read_changes_nothing_but_the_verdict() -> None:
    known = watched(ERRORS, [window(errors=(1, 19))] * 3)
    state = update(known, ERRORS, TERMS, window())
    assert verdict(state, ERRORS, TERMS) == "inconclusive"
    assert log_e(state, ERRORS) == log_e(known, ERRORS)
    assert reading(state, ERRORS, TERMS).sentence.startswith(
        "errors cannot be read: no data; until then 3 of 60 errors"
    )
    assert verdict(update(state, ERRORS, TERMS, window(errors=(1, 19))), ERRORS, TERMS) == "ok"


def test_where_one_arm_has_everything_there_is_nothing_to_compare() -> None:
    for share in (0.0, 1.0):
        assert verdict(watched(ERRORS, [window(share=share, errors=(1, 1))]), ERRORS, TERMS) == "inconclusive"
    said = reading(watched(ERRORS, [window(share=1.0, errors=(1, 0))]), ERRORS, TERMS).sentence
    assert "with a share of 100 % there is nothing to compare" in said


def test_with_a_margin_it_is_well_only_when_that_is_shown() -> None:
    guard = msgspec.structs.replace(ERRORS, margin=1.0)
    few, many = (watched(guard, [window(share=0.5, errors=(10, 10))] * count) for count in (2, 9))
    assert verdict(few, guard, TERMS) == "needs-more"
    assert verdict(many, guard, TERMS) == "ok"
    assert verdict(update(ShareState(), guard, TERMS, window()), guard, TERMS) == "inconclusive"
    found = reading(few, guard, TERMS)
    assert found.missing is not None
    assert 10 <= found.missing <= 160
    assert "that it is not worse by 100 % is not shown yet" in found.sentence


def test_proof_is_not_shared_with_other_guards() -> None:
    guard = msgspec.structs.replace(ERRORS, margin=1.0)
    state = watched(guard, [window(share=0.5, errors=(10, 10))] * 9)
    assert verdict(state, guard, TERMS._replace(guards=10_000)) == "ok"


def test_proof_that_has_not_begun_to_grow_says_nothing_of_how_much_is_missing() -> None:
    guard = msgspec.structs.replace(ERRORS, margin=1.0)
    assert reading(watched(guard, [window(errors=(5, 5))]), guard, TERMS).missing is None
    assert reading(watched(guard, [window(errors=(0, 0))]), guard, TERMS).missing is None


def test_the_proof_is_the_published_one() -> None:
    guard = msgspec.structs.replace(ERRORS, margin=1.0)
    assert proving("rise", 1.0) == (2.0, (0.5, 1.0, 1.4))
    assert proving("fall", 0.1) == (0.9, (0.95, 1.0, 1.05))
    state = watched(guard, [window(errors=(1, 30))] * 4)
    expected = event_share_evidence([Events(4, 124, 0.05)], (0.5, 1.0, 1.4), 2.0)
    assert math.log(sum(map(math.exp, state.proof)) / 3) == pytest.approx(expected)


def test_the_sentence_has_the_numbers() -> None:
    state = watched(ERRORS, [window(errors=(7, 2))] * 6)
    assert counted(state, ERRORS) == "42 of 54 errors came from the candidate, which had 5 % of the assignment"
    sentence = reading(state, ERRORS, TERMS._replace(guards=4)).sentence
    assert sentence.endswith(f">= 240 (alpha 0.05/3/4): {counted(state, ERRORS)}")
    fine = watched(ERRORS, [window(errors=(1, 19))])
    assert reading(fine, ERRORS, TERMS).sentence.startswith("errors: E = 0.")
    assert reading(fine, ERRORS, TERMS).sentence.endswith(
        "1 of 20 errors came from the candidate, which had 5 % of the assignment"
    )


def test_the_ratio_of_both_rates_is_inside_its_interval_and_open_where_stable_has_none() -> None:
    low, high = between(watched(ERRORS, [window(errors=(10, 95))]), TERMS)
    assert low < 2 < high
    only = watched(ERRORS, [window(errors=(10, 0))])
    assert between(only, TERMS)[1] == math.inf
    assert reading(only, ERRORS, TERMS).high is None
    assert between(ShareState(), TERMS) == (0.0, math.inf)


def test_a_state_can_be_kept_as_json_at_any_time() -> None:
    for state in (ShareState(), watched(ERRORS, [window(errors=(20, 20))] * 6)):
        assert msgspec.json.decode(msgspec.json.encode(state), type=ShareState) == state


SOURCE = Counters(
    servers=(MetricServer(url="http://p:9090"),), events=PerArm(candidate="e"), trials=PerArm(candidate="t")
)
CTR = Share(name="ctr", kind="metric:ctr", must_not="fall", source=SOURCE)


def read(events: tuple[int, int], trials: tuple[int, int], *, share: float = 0.05, whole: Read | None = None) -> Window:
    """A window in which somebody else counted these (of candidate and stable)."""
    counted = Counted(events=Arms(candidate=events[0], stable=events[1]), read=whole)
    counted = msgspec.structs.replace(counted, trials=Arms(candidate=trials[0], stable=trials[1]))
    return msgspec.structs.replace(window(share=share), kinds={"metric:ctr": counted})


def test_what_is_counted_elsewhere_is_compared_by_its_trials_and_not_by_what_was_assigned() -> None:
    # A quarter was assigned, yet what was scraped still has the step before in it, where it was a twentieth.
    alike = [read((2, 38), (50, 950), share=0.25)] * 30
    assert verdict(watched(CTR, alike), CTR, TERMS) == "ok"
    own = Share(name="ctr", kind="metric:ctr", must_not="fall")
    assert verdict(watched(own, alike), own, TERMS) == "rollback"
    fallen = [read((5, 40), (500, 500), share=0.25)] * 12
    assert verdict(watched(CTR, fallen), CTR, TERMS) == "rollback"
    assert reading(watched(CTR, [*alike[:10], *fallen[:10]]), CTR, TERMS).sentence.endswith(
        ": 70 of 850 ctr came from the candidate, which had 27.5 % of the trials"
    )


def test_trials_of_one_arm_alone_are_nothing_to_compare_with() -> None:
    for trials, said in (((0, 100), "0 %"), ((100, 0), "100 %")):
        state = watched(CTR, [read((0, 0), trials)])
        assert state.unread == f"with a share of {said} there is nothing to compare"
        assert (state.windows, state.trials) == (0, Arms())


def test_how_far_it_was_read_is_kept_with_the_evidence_also_by_a_look_that_only_found_where_to_begin() -> None:
    first, second = Read(since=10.0, trials=Arms(candidate=5)), Read(since=10.0, trials=Arms(candidate=9, stable=9))
    looked = msgspec.structs.replace(read((0, 0), (0, 0), whole=first), unread={"metric:ctr": "the first look"})
    state = update(ShareState(), CTR, TERMS, looked)
    assert (state.read, state.windows, state.unread) == (first, 0, "the first look")
    state = update(state, CTR, TERMS, read((1, 1), (4, 9), whole=second))
    assert (state.read, state.windows, state.unread) == (second, 1, "")
    lost = msgspec.structs.replace(window(), unread={"metric:ctr": "no connection"})
    assert update(state, CTR, TERMS, lost).read == second
    assert msgspec.json.decode(msgspec.json.encode(state), type=ShareState) == state


def rolled_back(dice: Random, guard: Share, runs: int) -> int:
    """Of so many equal candidates: a step to 25 % whose first minutes were counted when they had 5 %."""
    found = 0
    for _ in range(runs):
        state = ShareState()
        for number in range(30):
            given = 0.05 if number < 4 else 0.25  # what is scraped and assigned lags behind the step
            trials = binomial(dice, 4000, given)
            shown = (trials, 4000 - trials)
            clicks = (binomial(dice, shown[0], 0.04), binomial(dice, shown[1], 0.04))
            state = update(state, guard, TERMS, read(clicks, shown, share=0.25))
            if verdict(state, guard, TERMS) == "rollback":
                found += 1
                break
    return found


def test_equal_candidates_are_not_taken_back_because_counters_lag_behind_the_step() -> None:
    runs = 100
    assert rolled_back(Random(1), CTR, runs) <= 5
    by_assignment = msgspec.structs.replace(CTR, source=None)
    assert rolled_back(Random(1), by_assignment, runs) >= 50
