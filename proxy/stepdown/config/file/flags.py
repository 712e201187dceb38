"""`flags`: where feature flags come from, what a condition asks of one, and a rule whose version one of them gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from stepdown.config.file.section import Section
from stepdown.config.file.values import VersionText

FlagName = Annotated[str, Field(min_length=1, max_length=200)]


class FlagsSection(Section):
    """Feature flags in flagd's format (docs/flags.md)."""

    file: str = Field(
        min_length=1, description="The flag file, JSON, relative to this one; it is read again when it changes."
    )
    fractional: Literal[1, 2, 3] = Field(
        default=2, description="Generation of `fractional`: how it hashes, which no file says itself."
    )


class FlagVersionsSection(Section):
    """The version that a rule gives, by the variant of a flag."""

    name: FlagName = Field(description="Name of the flag.")
    versions: dict[FlagName, VersionText] = Field(
        min_length=1, description='Versions by variant, e.g. `{old: "1.1.0", new: "2.0.0"}`.'
    )
    default: VersionText = Field(
        description="The version where the flag gives none of these: a variant that is not listed, the flag is off, "
        "or an error."
    )


def _from_name(value: Any) -> Any:
    return {value: True} if isinstance(value, str) else value


FlagConditions = Annotated[
    dict[FlagName, Literal[True] | FlagName],
    Field(min_length=1),
    BeforeValidator(_from_name, json_schema_input_type=FlagName | dict[FlagName, Literal[True] | FlagName]),
]
