"""`rollouts`: who is brought in for whom, in which steps, and which guards watch it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.guards import USUAL, Breaker, BreakerSection, Guard, GuardSection
from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import Duration, Name, Percent, Share, VersionText

LEAST_WEIGHT = 0.01
"""One slot (`decide.slots`), in per cent."""


class StepSection(Section):
    """One step of the ladder; a weight alone is short for `{weight: WEIGHT}`."""

    weight: Percent = Field(
        description="Per cent of the rule's units that the candidate gets; 0 is a warm-up by a shadow of the candidate."
    )
    segment: Name | None = Field(
        default=None,
        description="Only units of this segment take part. In later steps they keep what they had, and count as "
        "evidence again when everybody has as much.",
    )
    lasts: Duration | None = Field(
        default=None, gt=0, alias="for", description="Least time that it lasts; the rollout's `for` if not given."
    )
    min_requests: int | None = Field(
        default=None,
        ge=1,
        description="Of the candidate, before anything is judged: requests, or sticky users; else the rollout's.",
    )
    deadline: Duration | None = Field(
        default=None, description="Time after which it is held and a person asked; the rollout's if not given."
    )
    manual: bool = Field(default=False, description="A person lets it on.")

    @model_validator(mode="after")
    def _for_somebody(self) -> Self:
        if 0 < self.weight < LEAST_WEIGHT:
            problem = f"found {self.weight:g} %, which is less than one of 10,000 slots"
            raise refused(f"at least {LEAST_WEIGHT:g}, or 0 for a warm-up", problem=problem)
        if self.segment is not None and not self.weight:
            problem = f"found the segment {self.segment} with a weight of 0, so that nobody takes part"
            raise refused("a weight above 0, or a warm-up without segment", problem=problem)
        return self


def _from_weight(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"weight": value}
    raise refused("a weight in per cent such as 5, or a mapping such as {weight: 5, for: 10m}")


Step = Annotated[StepSection, BeforeValidator(_from_weight, json_schema_input_type=float | StepSection)]


def _ascending(value: list[StepSection]) -> list[StepSection]:
    reached: dict[str | None, float] = {}
    for step in value:
        before = [reached[one] for one in (step.segment, None) if one in reached]
        if before and step.weight <= max(before):
            found = ", ".join(f"{f'{one.segment} ' if one.segment else ''}{one.weight:g}" for one in value)
            allowed = "weights that rise with each step"
            if any(one.segment for one in value):
                allowed += ", of each segment and of everybody, and those of segments above everybody's before"
            raise refused(allowed, problem=f"found the weights {found}")
        reached[step.segment] = step.weight
    if value and value[-1].segment is not None:
        raise refused("a last step for everybody", problem=f"found a last step for {value[-1].segment} only")
    return value


class RolloutSection(Section):
    """A walk of one rule's split from a stable version to a candidate, with guards that may take it back."""

    stable: VersionText = Field(description="The version that has all requests before, and that takes them back.")
    candidate: VersionText = Field(description="The version that is brought in.")
    steps: Annotated[list[Step], Field(min_length=1, max_length=50), AfterValidator(_ascending)] = Field(
        description="Weights of the candidate, in rising order: `[5, 25, {weight: 50, for: 1h, manual: true}, 100]`; "
        "those of a segment, `{segment: beta, weight: 50}`, rise by themselves."
    )
    guards: list[Guard] | None = Field(
        default=None,
        max_length=50,
        description="What watches it. Not given: errors, adapter_failures, latency, and contract_violations where the "
        "model has contracts.",
    )
    lasts: Duration = Field(
        default=600.0, gt=0, alias="for", description="Least time of each step that does not have its own."
    )
    min_requests: int = Field(
        default=1000, ge=1, description="Least requests of the candidate at each step that does not have its own."
    )
    deadline: Duration = Field(
        default=0.0, description="Of each step that does not have its own; 0: it may wait for ever."
    )
    alpha: Share = Field(
        default=0.05, gt=0, le=0.5, description="Chance that a candidate that is no worse is taken back, in all."
    )
    window: Duration = Field(default=60.0, ge=1, description="Time between two looks at what was counted.")
    sustained: int = Field(
        default=3, ge=1, le=1000, description="Windows that a regression has to last before it is acted on."
    )
    promotion: Literal["automatic", "manual"] = Field(
        default="automatic", description="Whether a person lets the last step end."
    )
    on_rollback: Literal["keep", "refuse"] = Field(
        default="keep",
        description="After a rollback, for pins that stable cannot reach: the candidate still answers them, or 503.",
    )
    cool_down: Duration = Field(default=0.0, description="Time after a rollback in which it is not started again.")
    min_ready: int = Field(
        default=1, ge=1, description="Endpoints of stable that must be ready before the candidate gets more than 50 %."
    )

    breaker: Breaker = Field(
        default_factory=BreakerSection, description="What takes back at once a candidate that fails outright."
    )

    @model_validator(mode="after")
    def _deadlines(self) -> Self:
        for number, step in enumerate(self.steps, 1):
            lasts = self.lasts if step.lasts is None else step.lasts
            deadline = self.deadline if step.deadline is None else step.deadline
            if 0 < deadline < lasts:
                problem = f"found a deadline of {deadline:g} s for step {number}, which lasts at least {lasts:g} s"
                raise refused("a deadline after `for`, or 0 for none", problem=problem)
        return self

    @property
    def watching(self) -> tuple[GuardSection, ...]:
        """Its guards, the usual ones if it names none."""
        return USUAL if self.guards is None else tuple(self.guards)
