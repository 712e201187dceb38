"""`colours`, `active`, `switch`: two sets of servers of which one at a time takes requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import Duration, Name, Percent, Share, VersionText
from stepdown.decide.warming import LONGEST

LONGEST_WAIT = 45.0
"""Seconds: an answer of the admin API has to be there before its connection ends (`control.serving`)."""

_RESERVED = "back"


def two_colours(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse all but two names, and the one that means something else."""
    if len(value) != 2:
        raise refused("two colours, such as blue and green", problem=f"found {len(value)}")
    if _RESERVED in value:
        raise refused("another name for a colour: `back` is what switches back", problem='found "back"')
    return value


ColourVersions = Annotated[dict[Name, VersionText], AfterValidator(two_colours)]


class WarmUpSection(Section):
    """Copies of requests that the colour gets, and has to answer well, before it takes requests; `{}` is enough."""

    percent: Percent = Field(
        default=20.0, gt=0, description="Of the requests that the active colour serves: those that are copied."
    )
    duration: Duration = Field(default=60.0, gt=0, le=LONGEST, description="How long it takes at least.")
    timeout: Duration = Field(
        default=300.0,
        gt=0,
        le=LONGEST,
        description="Time in which `min_copies` have to have come, where that is longer than `duration`.",
    )
    min_copies: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="Copies that have to have been answered, or have failed; with fewer the switch is refused.",
    )
    max_errors: Share = Field(
        default=0.01,
        description="Largest share of these that may have failed: 5xx, no connection, no whole answer, no answer in "
        "time.",
    )
    deadline: Duration = Field(default=10.0, gt=0, le=LONGEST, description="Time that a copy has for its answer.")


class SwitchSection(Section):
    """What the colour that is switched to has to show before it takes requests."""

    ready: int = Field(
        default=3,
        ge=1,
        le=100,
        description="Successes in a row of the probes of each of its endpoints. Where `health` has no probes, "
        "connections that are accepted.",
    )
    timeout: Duration = Field(
        default=30.0, gt=0, le=LONGEST_WAIT, description="Time for that, after which the switch is refused."
    )
    warm_up: WarmUpSection | None = Field(
        default=None,
        description="Copies that the colour gets first; none without it. `stepdown switch` may ask for other ones, or "
        "for none.",
    )


def check_active(active: str | None, names: list[str], what: str) -> None:
    """`active` stands where there are colours, and nowhere else; raises what a validator raises."""
    if names and active is None:
        raise refused(f"active: {' or '.join(names)}", problem=f"found {what} without active")
    if not names and active is not None:
        raise refused("active only where there are colours", problem="found active without colours")
    if names and active not in names:
        raise refused(f"{' or '.join(names)} in active", problem=f'found active: "{active}"')
