"""The rule of repetition as its truth table, and the budget that keeps it from making an overload worse."""

from __future__ import annotations

from itertools import product

import pytest

from stepdown.plane.retry import MAX_ATTEMPTS, RetryBudget, may_retry


@pytest.mark.parametrize(("connected", "sent", "repeatable", "begun", "kept"), [*product([False, True], repeat=5)])
def test_a_request_is_repeated_only_if_it_cannot_have_been_processed_or_may_be_twice(
    connected, sent, repeatable, begun, kept
):
    expected = not begun and kept and (not connected or not sent or repeatable)
    assert expected == may_retry(
        attempts=1, connected=connected, fully_sent=sent, repeatable=repeatable, answer_begun=begun, kept=kept
    )


def test_attempts_are_bounded_whatever_else_holds():
    rule = {"connected": False, "fully_sent": False, "repeatable": True, "answer_begun": False, "kept": True}
    assert [may_retry(attempts=attempts, **rule) for attempts in range(1, 5)] == [True, True, False, False]
    assert MAX_ATTEMPTS == 3


def test_the_budget_is_a_share_of_the_active_requests_and_never_less_than_its_minimum():
    budget = RetryBudget(0.2, 3)
    assert [budget.take(1) for _ in range(5)] == [True, True, True, False, False]
    assert not budget.take(15)
    assert budget.take(20)
    assert budget.active == 4


def test_what_is_given_back_can_be_taken_again():
    budget = RetryBudget(0.0, 1)
    assert budget.take(100)
    assert not budget.take(100)
    budget.give()
    assert budget.take(100)


def test_no_budget_means_no_retry():
    assert not RetryBudget(0.0, 0).take(1000)
