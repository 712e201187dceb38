"""The threshold guard against published outcomes of Argo Rollouts: limits, counts, rows, conditions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stepdown.decide.rollout_spec import Threshold
from stepdown.rollout.counts import Measurement
from stepdown.rollout.guards.threshold import (
    Outcome,
    Status,
    ThresholdState,
    due,
    effective_count,
    executed,
    judged,
    measured,
    reading,
    run_status,
    status,
    update,
    verdict,
)
from tests.kit.rollouts import window

SUCCESS, FAILURE = "result >= 0.95", "result < 0.5"


def guard(**fields: Any) -> Threshold:
    return Threshold(name="ready", **{"interval": 60.0, **fields})


def state(**fields: Any) -> ThresholdState:
    return ThresholdState(**fields)


def one(guard: Threshold, value: str | tuple[str, ...] | None) -> Outcome:
    return judged(guard, Measurement(at=0.0, value=value))[0]


def after(guard: Threshold, *values: str | None, error: str = "") -> ThresholdState:
    """What is counted after these; `None` stands for one that could not be taken."""
    found = ThresholdState()
    for value in values:
        lost = error or "unreachable" if value is None else ""
        found = measured(found, guard, Measurement(at=found.at + 60, value=value, error=lost))
    return found


@pytest.mark.parametrize(
    ("success", "failure", "outcomes"),
    [
        ("", "", ("successful", "successful", "successful")),
        (SUCCESS, "", ("successful", "failed", "failed")),
        ("", FAILURE, ("successful", "successful", "failed")),
        (SUCCESS, FAILURE, ("successful", "inconclusive", "failed")),
        ("result > 0", "result > 0", ("failed", "failed", "failed")),  # both hold: failure goes first
    ],
)
def test_one_measurement_by_its_conditions(success: str, failure: str, outcomes: tuple[Outcome, ...]) -> None:
    asked = guard(success=success, failure=failure)
    assert tuple(one(asked, value) for value in ("0.99", "0.7", "0.1")) == outcomes


@pytest.mark.parametrize("value", [(), None])
def test_a_condition_that_has_no_answer_is_an_error(value: tuple[str, ...] | None) -> None:
    for conditions in ({"success": "result[0] >= 0.95"}, {"failure": "result < 0.95"}):
        assert one(guard(**conditions), value) == "error"


def test_the_later_of_several_exceeded_limits_counts() -> None:
    asked = guard()
    assert status(state(failed=1, last="failed"), asked) == "failed"
    assert status(state(failed=1, inconclusive=1, last="failed"), asked) == "inconclusive"
    assert status(state(failed=1, inconclusive=1, errors_in_row=5, last="error"), asked) == "error"


def test_a_failure_limit_of_minus_one_is_none() -> None:
    assert status(state(failed=1000, last="failed"), guard(failure_limit=-1)) == "running"


@pytest.mark.parametrize(("limit", "running", "ending"), [(2, "failed", "failed"), (3, "running", "successful")])
def test_failed_more_often_than_the_limit(limit: int, running: Status, ending: Status) -> None:
    asked, counted = guard(failure_limit=limit), state(failed=3, last="failed")
    assert status(counted, asked) == running
    assert status(counted, asked, ending=True) == ending


def test_with_a_failure_limit_of_three_the_fourth_fails() -> None:
    asked = guard(success=SUCCESS, failure_limit=3)
    assert after(asked, *["0.1"] * 3).ended == "running"
    assert after(asked, *["0.1"] * 4).ended == "failed"
    assert reading(after(asked, *["0.1"] * 4), asked).sentence == "ready: failed: failed (4) > failureLimit (3)"


@pytest.mark.parametrize(
    ("limit", "running", "ending"), [(2, "inconclusive", "inconclusive"), (3, "running", "successful")]
)
def test_inconclusive_more_often_than_the_limit(limit: int, running: Status, ending: Status) -> None:
    asked, counted = guard(inconclusive_limit=limit), state(inconclusive=3, last="inconclusive")
    assert status(counted, asked) == running
    assert status(counted, asked, ending=True) == ending


@pytest.mark.parametrize(("errors", "running", "ending"), [(5, "error", "error"), (4, "running", "successful")])
def test_more_errors_in_a_row_than_the_limit(errors: int, running: Status, ending: Status) -> None:
    counted = state(errors=errors, errors_in_row=errors, last="error")
    assert status(counted, guard()) == running
    assert status(counted, guard(), ending=True) == ending


def test_a_success_starts_the_row_of_errors_again() -> None:
    asked = guard(success=SUCCESS)
    assert after(asked, *[None] * 4, "0.99", *[None] * 4).ended == "running"
    assert after(asked, *[None] * 5).ended == "error"


def test_after_an_error_it_is_measured_again_in_ten_seconds_and_not_after_its_interval() -> None:
    asked = guard(success=SUCCESS)
    assert due(ThresholdState(), asked) == 0.0
    assert due(after(asked, "0.99"), asked) == 60 + 60
    assert due(after(asked, None), asked) == 60 + 10
    assert due(after(asked, "0.1"), asked) is None


def test_a_count_that_is_reached_is_a_success_unless_something_was_inconclusive() -> None:
    asked = guard(success=SUCCESS, failure=FAILURE, count=10)
    assert status(state(successful=10, last="successful"), asked) == "successful"
    assert status(state(successful=5, inconclusive=5, last="successful"), asked) == "inconclusive"


def test_without_a_count_it_is_one_measurement_or_as_many_as_there_are_intervals() -> None:
    for count in (None, 0):
        assert effective_count(guard(count=count, interval=0.0)) == 1
        assert effective_count(guard(count=count)) == 0
    assert after(guard(success=SUCCESS, interval=0.0), "0.99").ended == "successful"
    assert after(guard(success=SUCCESS), *["0.99"] * 100).ended == "running"


def test_a_count_of_0_inside_a_step_is_not_executed() -> None:
    assert not executed(guard(count=0), inside_step=True)
    assert executed(guard(count=0), inside_step=False)
    assert executed(guard(), inside_step=True)
    assert executed(guard(count=1), inside_step=True)


@pytest.mark.parametrize(
    ("count", "failed", "row", "counted", "running", "ending"),
    [
        (None, 3, 3, 7, "running", "successful"),
        (None, 5, 0, 9, "failed", "failed"),
        (None, 3, 4, 8, "successful", "successful"),
        (None, 5, 4, 10, "failed", "failed"),
        (10, 4, 3, 10, "inconclusive", "inconclusive"),
        (10, 5, 3, 10, "failed", "failed"),
        (10, 4, 4, 10, "successful", "successful"),
        (10, 5, 4, 10, "failed", "failed"),
        (10, 3, 3, 8, "running", "successful"),
        (10, 5, 3, 8, "failed", "failed"),
        (10, 3, 4, 8, "successful", "successful"),
        (10, 5, 4, 9, "failed", "failed"),
    ],
)
def test_with_a_row_of_successes_asked_for_as_well(
    count: int | None, failed: int, row: int, counted: int, running: Status, ending: Status
) -> None:
    asked = guard(count=count, failure_limit=4, consecutive_success_limit=4)
    seen = state(failed=failed, successful=counted - failed, successful_in_row=row, last="successful")
    assert status(seen, asked) == running
    assert status(seen, asked, ending=True) == ending


def test_several_are_as_good_as_the_worst_that_is_no_dry_run() -> None:
    dry = guard(dry_run=True)
    worst: list[Status] = ["successful", "inconclusive", "error", "failed"]
    for at, found in enumerate(worst):
        assert run_status([(guard(), each) for each in worst[: at + 1]]) == found
        assert run_status([(guard(), each) for each in reversed(worst[: at + 1])]) == found
    assert run_status([(guard(), "failed"), (guard(), "running")]) == "running"
    assert run_status([(guard(), "failed"), (dry, "running")]) == "running"
    assert run_status([(guard(), "inconclusive"), (dry, "failed")]) == "inconclusive"
    assert run_status([(dry, "failed"), (dry, "error")]) == "successful"
    assert run_status([]) == "successful"


def test_what_is_told_to_end_before_any_measurement_is_successful() -> None:
    assert status(ThresholdState(), guard(count=10), ending=True) == "successful"


@pytest.mark.parametrize(
    ("conditions", "value", "outcome"),
    [
        ({"success": "isNaN(result) || result >= 0.95"}, "NaN", "successful"),
        ({"success": "result >= .95", "failure": "result < .95"}, "NaN", "inconclusive"),
        ({"success": "result >= .95"}, "NaN", "failed"),
        ({"success": "result >= .95"}, "+Inf", "successful"),
        ({"failure": "isInf(result)"}, "+Inf", "failed"),
        ({"success": "len(result)==0 || result[0]>=0.95"}, (), "successful"),
        ({"success": "len(result)>0 && result[0]>=0.95"}, (), "failed"),
        ({"success": "default(result,0) < 0.05"}, None, "successful"),
    ],
)
def test_values_that_are_not_numbers(
    conditions: dict[str, str], value: str | tuple[str, ...] | None, outcome: Outcome
) -> None:
    assert one(guard(**conditions), value) == outcome


@pytest.mark.parametrize(
    ("values", "expected"),
    [(("0.1",), "rollback"), ((None,) * 5, "rollback"), (("0.7",), "inconclusive"), (("0.99",), "ok")],
)
def test_failed_and_error_take_back_and_inconclusive_holds(values: tuple[str | None, ...], expected: str) -> None:
    asked = guard(success=SUCCESS, failure=FAILURE)
    assert verdict(after(asked, *values), asked) == expected
    assert verdict(after(asked, *values), guard(success=SUCCESS, failure=FAILURE, dry_run=True)) == "ok"


def test_what_is_still_to_be_measured_is_waited_for() -> None:
    ten = guard(success=SUCCESS, count=10)
    assert verdict(ThresholdState(), guard()) == "needs-more"
    assert verdict(after(ten, *["0.99"] * 9), ten) == "needs-more"
    assert reading(after(ten, *["0.99"] * 9), ten).missing == 1
    assert verdict(after(ten, *["0.99"] * 10), ten) == "ok"
    assert verdict(after(guard(), None), guard()) == "needs-more"
    row = guard(success=SUCCESS, consecutive_success_limit=3)
    assert verdict(after(row, "0.99", "0.99"), row) == "needs-more"
    assert verdict(after(row, *["0.99"] * 3), row) == "ok"


def test_what_has_ended_stays_as_it_ended() -> None:
    asked = guard(success=SUCCESS)
    failed = after(asked, "0.1")
    assert status(failed, asked, ending=True) == "failed"
    more = msgspec.structs.replace(window(), measured={"ready": (Measurement(at=200.0, value="0.99"),)})
    assert update(failed, asked, more) == failed
    assert update(ThresholdState(), asked, more).successful == 1
    assert update(ThresholdState(), asked, window()) == ThresholdState()


def test_its_sentences_carry_the_arithmetic() -> None:
    asked = guard(success=SUCCESS, failure=FAILURE, failure_limit=1, dry_run=True)
    assert reading(ThresholdState(), asked).sentence == "ready (dry run): nothing measured yet"
    assert reading(after(asked, "0.99", "0.1"), asked).sentence == (
        "ready (dry run): running: 1 successful, 1 failed, 0 inconclusive"
    )
    assert reading(after(asked, None), asked).sentence == (
        "ready (dry run): running: 0 successful, 0 failed, 0 inconclusive; the last one was an error: unreachable"
    )
    assert reading(after(asked, *[None] * 5), asked).sentence == (
        "ready (dry run): error: consecutiveErrors (5) > consecutiveErrorLimit (4); the last one was an error:"
        " unreachable"
    )
    text = after(asked, "many")
    assert text.reason == "'many' is no number"
