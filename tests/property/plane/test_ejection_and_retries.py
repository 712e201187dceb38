"""Ejection and the retry budget under any sequence of events: bounds hold, and nothing is set aside for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepdown.plane.ejection import Ejection
from stepdown.plane.retry import RetryBudget, may_retry

events = st.lists(st.tuples(st.sampled_from(["failed", "alone", "succeeded"]), st.floats(0, 100)), max_size=60)


@given(events, st.integers(1, 10), st.floats(0.1, 100), st.floats(1, 1000))
def test_an_endpoint_is_set_aside_only_after_its_failures_and_never_longer_than_the_longest(
    events, after, base, longest
):
    ejection = Ejection(after, base, longest)
    now, in_a_row = 0.0, 0
    for kind, pause in events:
        now += pause
        before = ejection.ejected(now)
        if kind == "succeeded":
            ejection.succeeded()
            in_a_row = 0
            continue
        in_a_row += 1
        ejects = ejection.failed(now, alone=kind == "alone")
        assert not (ejects and (kind == "alone" or before or in_a_row < after))
        assert ejection.until - now <= max(longest, 0.0) + 1e-6
        if ejects:
            assert ejection.ejected(now)
            in_a_row = 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=100), st.floats(0, 1), st.integers(0, 5))
def test_retries_never_exceed_their_budget_and_come_back_to_nothing(steps, share, minimum):
    budget = RetryBudget(share, minimum)
    for take, requests in steps:
        if take:
            active = budget.active
            if budget.take(requests):
                assert active < max(minimum, share * requests)
        elif budget.active:
            budget.give()
    while budget.active:
        budget.give()
    assert budget.take(10) == (max(minimum, share * 10) > 0)


@given(st.integers(1, 10), *[st.booleans()] * 5)
def test_an_answer_that_has_begun_or_a_body_that_is_gone_forbids_every_repetition(
    attempts, connected, sent, repeatable, begun, kept
):
    if may_retry(
        attempts=attempts, connected=connected, fully_sent=sent, repeatable=repeatable, answer_begun=begun, kept=kept
    ):
        assert kept
        assert not begun
        assert repeatable or not sent or not connected
