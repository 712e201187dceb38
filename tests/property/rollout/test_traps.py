"""Mistakes that roll identical candidates back, each beside the way it is done here; seeds are fixed."""

from __future__ import annotations

import math
from random import Random

import msgspec

from stepdown.decide.rollout_spec import Guard, Share
from stepdown.rollout import events
from stepdown.rollout.counts import Arms, Counted, Window
from stepdown.rollout.guards import shares
from stepdown.rollout.guards.reading import Terms
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.judge import Evidence, decide, gathered, mismatched, panels
from stepdown.rollout.position import Candidate, Position, begin
from stepdown.rollout.simulate import binomial
from stepdown.rollout.walk import Walk
from stepdown.statistics.event_share import FALLING, RISING, Events, event_share_evidence, log_factors
from stepdown.statistics.evidence import log_mean, reaches
from tests.kit.longer import LONGER, TIMEOUT
from tests.kit.rollouts import ERRORS, FOUR, rollout, window

pytestmark = TIMEOUT

ALONE = Terms(0.05, 1, 1, 3)
CLICKS_RISE = Share(name="clicks", kind="clicks")
CLICKS_FALL = Share(name="clicks", kind="clicks", must_not="fall")


def counted(share: float, number: int, units: Arms, kind: str, of_candidate: int, of_stable: int) -> Window:
    one = window(share=share, number=number)
    pair = Counted(events=Arms(candidate=of_candidate, stable=of_stable))
    return msgspec.structs.replace(one, units=units, kinds={kind: pair})


def ever(guard: Share, windows: list[Window], terms: Terms = ALONE) -> bool:
    """Whether the guard takes the candidate back at the end of any of them."""
    state = ShareState()
    for one in windows:
        state = shares.update(state, guard, terms, one)
        if shares.verdict(state, guard, terms) == "rollback":
            return True
    return False


# --- sticky users ---------------------------------------------------------------------------------------------------


def clicking(dice: Random, share: float, users: int, length: int) -> tuple[list[Window], list[Window]]:
    """Windows of sticky users, a few of whom click very often: every click, and the first of each user only."""
    every = [[0, 0] for _ in range(length)]
    first = [[0, 0] for _ in range(length)]
    for _ in range(users):
        arm = dice.random() >= share
        clicks = min(int(dice.paretovariate(0.9)), 300) if dice.random() < 0.3 else 0
        times = [int(length * dice.random()) for _ in range(clicks)]
        for at in times:
            every[at][arm] += 1
        if times:
            first[min(times)][arm] += 1
    units = Arms(candidate=round(users * share / length), stable=round(users * (1 - share) / length))
    both = [[counted(share, at, units, "clicks", *pair) for at, pair in enumerate(pairs)] for pairs in (every, first)]
    return both[0], both[1]


def test_heavy_users_take_a_candidate_back_for_nothing_unless_each_counts_once() -> None:
    dice = Random(1)
    runs, by_click, by_user = 150 * LONGER, 0, 0
    for _ in range(runs):
        every, first = clicking(dice, 0.25, 1500, 40)
        by_click += ever(CLICKS_RISE, every) or ever(CLICKS_FALL, every)
        by_user += ever(CLICKS_RISE, first) or ever(CLICKS_FALL, first)
    print(f"seed 1: {by_click} of {runs} by click, {by_user} by user")
    assert by_click / runs >= 0.2
    assert by_user / runs <= 0.03


# --- delayed feedback -----------------------------------------------------------------------------------------------

BEFORE, AFTER = 0.05, 0.25


def delayed(dice: Random, length: int) -> list[dict[int, tuple[int, int]]]:
    """By window: clicks (candidate's, stable's) by the stage of assignment, which come some windows after it."""
    found: list[dict[int, list[int]]] = [{0: [0, 0], 1: [0, 0]} for _ in range(2 * length)]
    for at in range(2 * length):
        stage = int(at >= length)
        clicks = binomial(dice, 1000, 0.04)
        of_candidate = binomial(dice, clicks, (BEFORE, AFTER)[stage])
        for arm, count in enumerate((of_candidate, clicks - of_candidate)):
            for _ in range(count):
                comes = at + int(dice.expovariate(1 / 10))
                if comes < 2 * length:
                    found[comes][stage][arm] += 1
    return [{stage: (pair[0], pair[1]) for stage, pair in one.items()} for one in found]


def walked(feedback: list[dict[int, tuple[int, int]]], length: int, by_token: bool) -> Position:
    """A rollout from 5 to 25 %; without tokens a click counts for the step that runs when it comes."""
    rules = Walk(rollout(5, 25, 50, guards=(CLICKS_FALL,), least_duration=60.0 * length))
    position = begin(rules.rollout, Candidate(version="2.0.0", endpoints="aa"))
    position = rules.after(position, events.Started(now=0.0, who="ann")).position
    for number, clicks in enumerate(feedback):
        stage = position.step
        if stage > 1 or position.phase != "stepping":
            break
        share = (BEFORE, AFTER)[stage]
        now = 60.0 * (number + 1)
        units = Arms(candidate=round(1000 * share), stable=round(1000 * (1 - share)))
        together = tuple(map(sum, zip(*clicks.values(), strict=True)))
        own = clicks[stage] if by_token else together
        if by_token and stage:
            late = counted(BEFORE, number, Arms(), "clicks", *clicks[0])
            position = rules.after(position, events.WindowEnded(now=now, window=late)).position
        one = msgspec.structs.replace(counted(share, number, units, "clicks", *own), stage=stage)
        position = rules.after(position, events.WindowEnded(now=now, window=one)).position
    return position


def test_clicks_that_come_after_a_step_take_a_candidate_back_unless_they_say_when_they_were_assigned() -> None:
    dice = Random(2)
    runs, by_weight, by_token = 80 * LONGER, 0, 0
    for _ in range(runs):
        feedback = delayed(dice, 30)
        by_weight += walked(feedback, 30, by_token=False).phase == "rolled back"
        by_token += walked(feedback, 30, by_token=True).phase == "rolled back"
    print(f"seed 2: {by_weight} of {runs} by the weight when they come, {by_token} by that of their assignment")
    assert by_weight / runs >= 0.5
    assert by_token / runs <= 0.05


# --- stages ---------------------------------------------------------------------------------------------------------


def test_stages_that_are_put_together_take_a_candidate_back_and_each_by_itself_does_not() -> None:
    dice = Random(3)
    runs, pooled, apart = 200, 0, 0
    for _ in range(runs):
        early, late = binomial(dice, 1000, 0.05), binomial(dice, 100, 0.5)  # fewer and fewer click, half get it
        pooled += reaches(event_share_evidence([Events(early + late, 1100, 0.275)], FALLING))
        apart += reaches(event_share_evidence([Events(early, 1000, 0.05), Events(late, 100, 0.5)], FALLING))
    assert pooled / runs >= 0.95
    assert apart / runs <= 0.05


def test_a_rate_that_is_ten_times_as_high_at_noon_is_no_news_for_the_candidate() -> None:
    dice = Random(4)
    runs, alarmed = 100, 0
    panel = panels(rollout(5, 25, 50, guards=(ERRORS,)))[0]
    for _ in range(runs):
        evidence = Evidence()
        for number in range(100):
            rate = 0.001 * 10 ** math.sin(number / 8) * 3
            share, units = 0.05, Arms(candidate=50, stable=950)
            pair = binomial(dice, units.candidate, rate), binomial(dice, units.stable, rate)
            evidence = gathered(evidence, panel, counted(share, number, units, "errors", *pair))
            if decide(evidence, panel, 0.0) == "worse":
                alarmed += 1
                break
    assert alarmed / runs <= 0.03


# --- windows --------------------------------------------------------------------------------------------------------


def outage(dice: Random, bad: range) -> list[Window]:
    """One error in a thousand for both arms, but three in ten of the candidate's requests in some windows."""
    windows = []
    for number in range(100):
        mine = binomial(dice, 50, 0.3 if number in bad else 0.001)
        windows.append(
            counted(0.05, number, Arms(candidate=50, stable=950), "errors", mine, binomial(dice, 950, 0.001))
        )
    return windows


def test_one_bad_window_does_not_take_a_candidate_back_and_six_do() -> None:
    dice = Random(5)
    unbounded = ALONE._replace(sustained=0.001)  # type: ignore[arg-type]
    runs = 100
    once = [outage(dice, range(40, 41)) for _ in range(runs)]
    assert sum(ever(ERRORS, windows) for windows in once) / runs <= 0.05
    assert sum(ever(ERRORS, windows, unbounded) for windows in once) / runs >= 0.9
    assert all(ever(ERRORS, outage(dice, range(40, 46))) for _ in range(20))


def found_after(capital: list[float], regression: int) -> int:
    """Windows after the regression until E is enough; more than there are where it never is."""
    enough = [number for number, log_e in enumerate(capital) if reaches(log_e)]
    return (enough[0] if enough else len(capital)) - regression


def test_a_late_regression_is_found_in_half_the_time_because_capital_is_held_back() -> None:
    dice = Random(6)
    held_back, all_at_once = [], []
    for _ in range(60):
        state, sums = ShareState(), [0.0] * len(RISING)
        ours, theirs = [], []
        for number in range(300):
            pair = binomial(dice, 250, 0.04 if number < 200 else 0.06), binomial(dice, 750, 0.04)
            one = counted(0.25, number, Arms(candidate=250, stable=750), "errors", *pair)
            state = shares.update(state, ERRORS, ALONE, one)
            ours.append(shares.log_e(state, ERRORS))
            factors = log_factors(Events(pair[0], sum(pair), 0.25), RISING)
            sums = [known + min(factor, ALONE.highest) for known, factor in zip(sums, factors, strict=True)]
            theirs.append(log_mean(sums))
        held_back.append(found_after(ours, 200))
        all_at_once.append(found_after(theirs, 200))
    print(f"found {sorted(held_back)[30]} windows later, and {sorted(all_at_once)[30]} with all capital at once")
    assert sorted(held_back)[30] <= 30
    assert sorted(all_at_once)[30] >= 2 * sorted(held_back)[30]


# --- assignment, and what is not known ------------------------------------------------------------------------------


def test_a_right_assignment_is_not_found_wrong_however_often_one_looks_and_would_be_by_chi_square() -> None:
    dice = Random(7)
    runs, ours, chi_square, found = 200, 0, 0, 0
    for _ in range(runs):
        of_candidate = wrong = 0
        first = second = third = False
        for number in range(1, 101):
            of_candidate += binomial(dice, 1000, 0.05)
            wrong += binomial(dice, 1000, 0.06)
            total = 1000 * number
            units = Arms(candidate=of_candidate, stable=total - of_candidate)
            first = first or mismatched(Evidence(units=units, share=0.05))
            apart = of_candidate - 0.05 * total
            second = second or apart * apart / (0.05 * 0.95 * total) > 3.841
            third = third or mismatched(Evidence(units=Arms(candidate=wrong, stable=total - wrong), share=0.05))
        ours, chi_square, found = ours + first, chi_square + second, found + third
    assert ours / runs <= 0.005
    assert chi_square / runs >= 0.3
    assert found / runs >= 0.95


def test_a_candidate_whose_errors_cannot_be_read_never_passes_and_would_if_nothing_were_zero() -> None:
    guards: tuple[Guard, ...] = (ERRORS,)
    panel = panels(rollout(guards=guards, deadline=6000.0))[0]
    unread, as_zero = Evidence(), Evidence()
    for number in range(100):
        unread = gathered(unread, panel, window(number=number))
        as_zero = gathered(as_zero, panel, window(number=number, errors=(0, 0)))
        assert decide(unread, panel, 60.0 * (number + 1)) == ("more" if number < 99 else "inconclusive")
    assert decide(as_zero, panel, 6000.0) == "passed"


# --- several guards -------------------------------------------------------------------------------------------------


def test_four_guards_raise_no_more_alarms_than_one_when_averaged_and_would_by_themselves() -> None:
    dice = Random(8)
    runs, averaged, each = 150, 0, 0
    panel = panels(rollout(5, guards=FOUR))[0]
    rates = {"errors": 0.02, "slow": 0.02, "contract_violations": 0.02, "clicks": 0.04}
    units = Arms(candidate=50, stable=950)
    for _ in range(runs):
        evidence = Evidence()
        together = alone = False
        for number in range(60):
            kinds = {
                kind: Counted(events=Arms(candidate=binomial(dice, 50, rate), stable=binomial(dice, 950, rate)))
                for kind, rate in rates.items()
            }
            one = msgspec.structs.replace(window(number=number), units=units, kinds=kinds)
            evidence = gathered(evidence, panel, one)
            together = together or decide(evidence, panel, 0.0) == "worse"
            states = zip(evidence.guards, FOUR, strict=True)
            logs = [shares.log_e(state, guard) for state, guard in states if isinstance(state, ShareState)]
            alone = alone or any(reaches(log_e, 0.05) for log_e in logs)
        averaged, each = averaged + together, each + alone
    assert averaged / runs <= 0.05
    assert each > averaged
