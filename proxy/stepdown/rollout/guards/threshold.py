"""The threshold guard: measurements that fail or succeed one by one, with Argo Rollouts' limits on how many may.

It knows no chance: a candidate that is equal to stable fails sooner or later where its metric varies at all. It is here
for those who want it, and to the letter, so that what an AnalysisTemplate says means the same.

One measurement: with neither condition it is successful; with `success` alone it fails where that does not hold, with
`failure` alone it is successful where that does not hold; with both, `failure` goes first, and where neither holds it
is inconclusive. A condition that has no answer for a value is an error.

The metric, by counters; of the first three the *later* one counts, and all are "more than", not "at least":

    failed > failure_limit                                  failed
    inconclusive > inconclusive_limit                       inconclusive
    errors in a row > consecutive_error_limit               error
    successful ones in a row = consecutive_success_limit    successful
    count is reached                                        successful; inconclusive where a row was asked for
    it is told to end                                       successful
    otherwise                                               running
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from stepdown.decide.rollout_spec import Threshold
from stepdown.decide.spec_base import Spec
from stepdown.rollout.counts import Measurement, Window
from stepdown.rollout.guards.conditions import ConditionError, Value, condition
from stepdown.rollout.guards.reading import Reading, Verdict

Outcome = Literal["successful", "inconclusive", "error", "failed"]
"""Of one measurement or metric, from best to worst."""
Status = Outcome | Literal["running"]

RETRY = 10.0
"""Seconds after an error until it is measured again, whatever the interval is."""
_WORSE: tuple[Outcome, ...] = ("successful", "inconclusive", "error", "failed")
_VERDICTS: dict[Status, Verdict] = {
    "failed": "rollback",
    "error": "rollback",
    "inconclusive": "inconclusive",
    "successful": "ok",
}


class ThresholdState(Spec, frozen=True, tag="threshold"):
    """What was counted of a guard's measurements."""

    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    errors: int = 0
    errors_in_row: int = 0
    successful_in_row: int = 0
    last: Outcome | None = None
    at: float = 0.0
    """When the last one was taken."""
    ended: Status = "running"
    """What has ended stays as it ended."""
    reason: str = ""
    """Of the last error."""

    @property
    def count(self) -> int:
        """Measurements without errors."""
        return self.successful + self.failed + self.inconclusive


def update(state: ThresholdState, guard: Threshold, window: Window) -> ThresholdState:
    """The state with what was measured in one more window."""
    for measurement in window.measured.get(guard.name, ()):
        if state.ended == "running":
            state = measured(state, guard, measurement)
    return state


def measured(state: ThresholdState, guard: Threshold, measurement: Measurement) -> ThresholdState:
    """The state with one more measurement."""
    outcome, reason = judged(guard, measurement)
    counted = "errors" if outcome == "error" else outcome
    state = msgspec.structs.replace(
        state,
        **{counted: getattr(state, counted) + 1},
        errors_in_row=state.errors_in_row + 1 if outcome == "error" else 0,
        successful_in_row=state.successful_in_row + 1 if outcome == "successful" else 0,
        last=outcome,
        at=measurement.at,
        reason=reason,
    )
    return msgspec.structs.replace(state, ended=status(state, guard))


def judged(guard: Threshold, measurement: Measurement) -> tuple[Outcome, str]:
    """What one measurement is, and why it is an error."""
    if measurement.error:
        return "error", measurement.error
    try:
        value = _value(measurement.value)
        failed = bool(guard.failure) and condition(guard.failure)(value)
        successful = bool(guard.success) and condition(guard.success)(value)
    except ConditionError as error:
        return "error", str(error)
    if not guard.success:
        successful = not failed
    elif not guard.failure:
        failed = not successful
    if failed:
        return "failed", ""
    return ("successful", "") if successful else ("inconclusive", "")


def status(state: ThresholdState, guard: Threshold, ending: bool = False) -> Status:
    """Where the metric stands; `ending`: the step or the rollout ends, and nothing more will be measured."""
    if state.ended != "running":
        return state.ended
    found = _beyond(state, guard)
    if found is not None:
        return found[0]
    row = guard.consecutive_success_limit
    if row and state.successful_in_row >= row:
        return "successful"
    count = effective_count(guard)
    if count and state.count >= count:
        return "inconclusive" if row else "successful"
    return "successful" if ending else "running"


def effective_count(guard: Threshold) -> int:
    """Measurements to take: one where neither a count nor an interval is given; 0 for no end."""
    return guard.count or (0 if guard.interval else 1)


def executed(guard: Threshold, inside_step: bool) -> bool:
    """Whether it is measured at all: where a step has it, a count of 0 leaves it out."""
    return not inside_step or guard.count != 0


def due(state: ThresholdState, guard: Threshold) -> float | None:
    """When to measure next (0: at once); `None` where nothing is measured any more."""
    if state.ended != "running":
        return None
    if state.last is None:
        return 0.0
    return state.at + (RETRY if state.last == "error" else guard.interval)


def run_status(metrics: Iterable[tuple[Threshold, Status]]) -> Status:
    """Of several together: running while one is; then the worst of those that are no dry run."""
    worst: Outcome = "successful"
    running = False
    for guard, found in metrics:
        if found == "running":
            running = True
        elif not guard.dry_run and _WORSE.index(found) > _WORSE.index(worst):
            worst = found
    return "running" if running else worst


def verdict(state: ThresholdState, guard: Threshold) -> Verdict:
    """Failed and error take the candidate back; one that is to run for ever, and runs well, is no reason to wait."""
    found = status(state, guard)
    if guard.dry_run:
        return "ok"
    if found != "running":
        return _VERDICTS[found]
    endless = not effective_count(guard) and not guard.consecutive_success_limit
    return "ok" if endless and state.last not in (None, "error") else "needs-more"


def reading(state: ThresholdState, guard: Threshold) -> Reading:
    """With its numbers."""
    found = status(state, guard)
    beyond = _beyond(state, guard)
    if beyond is not None:
        said = beyond[1]
    else:
        said = f"{state.successful} successful, {state.failed} failed, {state.inconclusive} inconclusive"
    if state.last == "error":
        said += f"; the last one was an error: {state.reason}"
    dry = " (dry run)" if guard.dry_run else ""
    count = effective_count(guard)
    missing = max(count - state.count, 0) if found == "running" and count else None
    return Reading(
        guard=guard.name,
        verdict=verdict(state, guard),
        sentence=f"{guard.name}{dry}: {found}: {said}" if state.last else f"{guard.name}{dry}: nothing measured yet",
        missing=missing,
    )


def _beyond(state: ThresholdState, guard: Threshold) -> tuple[Outcome, str] | None:
    """The limit that is exceeded; the later one where there are several."""
    found: tuple[Outcome, str] | None = None
    if 0 <= guard.failure_limit < state.failed:
        found = "failed", f"failed ({state.failed}) > failureLimit ({guard.failure_limit})"
    if state.inconclusive > guard.inconclusive_limit:
        found = (
            "inconclusive",
            f"inconclusive ({state.inconclusive}) > inconclusiveLimit ({guard.inconclusive_limit})",
        )
    if state.errors_in_row > guard.consecutive_error_limit:
        limit = guard.consecutive_error_limit
        found = "error", f"consecutiveErrors ({state.errors_in_row}) > consecutiveErrorLimit ({limit})"
    return found


def _value(value: str | tuple[str, ...] | None) -> Value:
    """Numbers out of Prometheus' text."""
    try:
        if isinstance(value, tuple):
            return tuple(map(float, value))
        return None if value is None else float(value)
    except ValueError:
        raise ConditionError(f"{value!r} is no number") from None
