"""`flags`: where feature flags come from, what a condition asks of one, and a rule whose version one of them gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import CookieName, HeaderName, VersionText
from stepdown.decide.flag_context import RESERVED

FlagName = Annotated[str, Field(min_length=1, max_length=200)]


class FactSection(Section):
    """Where a fact of the evaluation context comes from; exactly one is given."""

    header: HeaderName | None = Field(default=None, description="The value of this header.")
    query: str | None = Field(default=None, min_length=1, description="This parameter of the query.")
    cookie: CookieName | None = Field(default=None, description="The value of this cookie.")
    param: str | None = Field(default=None, min_length=1, description="The part of the path with this name.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = sum(value is not None for value in (self.header, self.query, self.cookie, self.param))
        if given != 1:
            raise refused("exactly one of header, query, cookie, param", problem=f"found {given} sources")
        return self


def _check_fact(name: str) -> str:
    if name in RESERVED or "." in name:
        raise refused(f"another name, without a dot: {', '.join(sorted(RESERVED))} have a meaning already")
    return name


FactName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_fact)]


class FlagsSection(Section):
    """Feature flags in flagd's format (docs/flags.md)."""

    file: str = Field(
        min_length=1, description="The flag file, JSON, relative to this one; it is read again when it changes."
    )
    fractional: Literal[1, 2, 3] = Field(
        default=2, description="Generation of `fractional`: how it hashes, which no file says itself."
    )
    context: dict[FactName, FactSection] = Field(
        default={},
        description="Facts by the names that the file's targeting has for them, e.g. `{email: {header: x-email}}`; "
        "without that they are `header.NAME` and so on.",
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
