"""`feedback`: who may tell what came of answers, and how answers say what they were."""

from __future__ import annotations

from pydantic import Field

from stepdown.config.file.model import Secret, Secrets
from stepdown.config.file.section import Section
from stepdown.config.file.values import Duration, Name

LONGEST = 90 * 86400


class FeedbackKeySection(Section):
    """Who may post feedback."""

    name: Name = Field(description="For people, such as the application's name.")
    key: Secret = Field(description="Sent as `Authorization: Bearer KEY`; `{env: NAME}` or `{file: PATH}`.")


class FeedbackSection(Section):
    """Answers of rollouts carry `X-Stepdown-Token`, which is posted back with what came of them."""

    secrets: Secrets = Field(
        min_length=1,
        max_length=8,
        description="What tokens are signed with, `{env: NAME}` or `{file: PATH}`, or several of them: the first "
        "signs, all verify, so that one can be replaced. All replicas have the same ones.",
    )
    keys: list[FeedbackKeySection] = Field(
        min_length=1, max_length=100, description="Who may post to `/-/stepdown/feedback`, where clients connect."
    )
    max_age: Duration = Field(
        default=86400.0, gt=0, le=LONGEST, description="How long after its answer a token counts; at most 90 days."
    )
