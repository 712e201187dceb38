"""The members of a rollout's view and of its verdict, as machines get them (`view`).

Members may be added. Times are seconds, weights per cent, rates and shares from 0 to 1. Where something is not known,
or has no bound, it is null; E is cut at 1e300, which JSON can still say.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stepdown.rollout.phases import Phase
from stepdown.rollout.verdicts import Outcome, Verdict
from stepdown.rollout.waiting import Store

StepState = Literal["passed", "now", "to come", "taken back", "skipped"]
"""`taken back`: there it was rolled back or aborted; `skipped`: promoted before it came to that."""


class _View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all: every member is always there."""


class ArmsView(_View, frozen=True):
    """A number of each arm."""

    candidate: int
    stable: int | None
    """Null where only the candidate is counted."""


class IntervalView(_View, frozen=True):
    """What the counts do not speak against, at all times at once: it may be looked at as often as one likes."""

    of: Literal["ratio", "rate"]
    """The candidate's rate by stable's, or the candidate's rate."""
    low: float
    high: float | None


class MeasuredView(_View, frozen=True):
    """Measurements of a threshold guard."""

    status: str
    successful: int
    failed: int
    inconclusive: int
    errors: int


class GuardView(_View, frozen=True):
    """What one guard says at the step where the rollout stands."""

    name: str
    type: Literal["share", "ceiling", "threshold"]
    kind: str
    """Which event is counted; empty of a threshold."""
    must_not: str
    """`rise` or `fall`; empty of a threshold."""
    limit: float | None
    margin: float | None
    verdict: str
    sentence: str
    e: float | None
    """Evidence against "the candidate is no worse"; null of a threshold, which has none."""
    level: float | None
    """E of this guard alone with which the mean over all is enough."""
    interval: IntervalView | None
    events: ArmsView | None
    trials: ArmsView | None
    measured: MeasuredView | None
    source: Literal["", "prometheus", "webhook"]
    """Who counts or measures; empty: Stepdown itself."""
    missing: int | None
    """Events, trials or measurements until it is known, if it goes on as it does."""


class StepView(_View, frozen=True):
    """One rung of the ladder."""

    number: int
    """From 1."""
    weight: float
    segment: str | None
    shadow: float
    manual: bool
    state: StepState
    least_seconds: float
    least_units: int
    """Of the candidate."""
    deadline: float | None
    seconds: float | None
    """Since it began; null of all but the present one."""
    units: ArmsView
    e: float | None
    """Mean over the guards."""


class EvidenceView(_View, frozen=True):
    """All guards of the present step together."""

    e: float
    """Mean over the guards that have evidence,"""
    level: float
    """and from where on the candidate is taken back."""
    guards: int


class CandidateView(_View, frozen=True):
    """A version, and what runs it."""

    version: str
    endpoints: str
    """Digest."""


class EstimateView(_View, frozen=True):
    """What it still takes if things go on as they do."""

    requests: int | None
    """Units of both arms until the step has passed,"""
    seconds: float | None
    """and the time at the rate of lately."""
    ladder_seconds: float | None
    """Until the candidate has everything, without the time that people take."""
    rate: float | None
    """Units of both arms a second, lately."""


class StoreView(_View, frozen=True):
    """Where its state is kept."""

    state: Store
    leads: bool
    """This replica decides."""
    holder: str
    """Who does, as far as is known."""


class RolloutView(_View, frozen=True):
    """Everything about one rollout."""

    name: str
    route: str
    rule: str
    stable: str
    good: str
    """The version that was promoted last."""
    candidate: CandidateView
    phase: Phase
    run: int
    step: int
    """From 1; 0 before it was started, or was started again with another candidate."""
    steps: int
    weight: float
    applied: float
    """The weight that this replica's workers have."""
    running: bool
    ended: bool
    said: str
    waits_for: list[str]
    estimate: EstimateView
    evidence: EvidenceView | None
    guards: list[GuardView]
    ladder: list[StepView]
    ready: int
    min_ready: int
    """Endpoints of stable that are ready, and how many have to be before the candidate gets more than half."""
    quarantine: list[CandidateView]
    cool_down: float
    """Seconds that are left."""
    window: float
    verdict: Verdict
    store: StoreView
    differs: list[str]


class VerdictView(_View, frozen=True):
    """What a rollout comes to, with the numbers behind it: the answer to a deployment tool (`verdicts`)."""

    rollout: str
    stable: str
    candidate: CandidateView
    outcome: Outcome
    score: int
    """1, 0 or -1."""
    sentence: str
    of: str
    phase: Phase
    run: int
    step: int
    steps: int
    weight: float
    evidence: EvidenceView | None
    guards: list[GuardView]
    units: ArmsView
    """Of the present step."""
    waits_for: list[str]
