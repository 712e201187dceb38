"""`colours`, `active`, `switch`: two sets of servers of which one at a time takes requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import Duration, Name, VersionText

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


def check_active(active: str | None, names: list[str], what: str) -> None:
    """`active` stands where there are colours, and nowhere else; raises what a validator raises."""
    if names and active is None:
        raise refused(f"active: {' or '.join(names)}", problem=f"found {what} without active")
    if not names and active is not None:
        raise refused("active only where there are colours", problem="found active without colours")
    if names and active not in names:
        raise refused(f"{' or '.join(names)} in active", problem=f'found active: "{active}"')
