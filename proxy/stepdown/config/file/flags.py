"""`flags`: where feature flags come from, what a condition asks of one, and a rule whose version one of them gives."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import CookieName, Duration, HeaderName, VersionText, matching_text, written
from stepdown.decide.flag_context import RESERVED
from stepdown.decide.flags import Kind

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


_IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")

ImportPath = Annotated[
    str,
    matching_text(_IMPORT_PATH, "an import path such as mypackage.flags:make_provider"),
    written("import path", "string", pattern=_IMPORT_PATH),
]


class FlagsSection(Section):
    """Feature flags: a file in flagd's format, or an OpenFeature provider (docs/flags.md)."""

    file: str | None = Field(
        default=None,
        min_length=1,
        description="The flag file, JSON, relative to this one; it is read again when it changes.",
    )
    fractional: Literal[1, 2, 3] = Field(
        default=2, description="Generation of `fractional`: how it hashes, which no file says itself."
    )
    provider: ImportPath | None = Field(
        default=None,
        description="Instead of a file, an OpenFeature provider: `module:name` of its class, of a function that "
        "makes one, or of an instance. The controller alone imports it.",
    )
    options: dict[str, Any] = Field(
        default={}, description="Keyword arguments for the class or function; secrets as `${NAME}`."
    )
    declare: dict[FlagName, Kind] = Field(
        default={}, description="The type of each flag that the provider is asked, e.g. `{new-ranker: boolean}`."
    )
    ttl: Duration = Field(
        default=5.0,
        ge=1,
        le=86400,
        description="How long a provider's answer is used before it is asked anew; after that it is used on until "
        "the new one is there, up to twelve times as long.",
    )
    first_wait: Duration = Field(
        default=0.0,
        le=1,
        description="How long a request may wait for an answer that is not known yet; 0: it takes the default at once.",
    )
    timeout: Duration = Field(default=2.0, gt=0, le=60, description="How long the provider may take for one answer.")
    context: dict[FactName, FactSection] = Field(
        default={},
        description="Facts by the names that targeting has for them, e.g. `{email: {header: x-email}}`. A file's "
        "targeting may also read them as `header.NAME` and so on; a provider is told these and the route's key only.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is None) == (self.provider is None):
            found = "neither file nor provider" if self.file is None else "file and provider"
            raise refused("one of them", problem=f"found {found}")
        if self.provider is not None and len(self.context) > _MOST_FACTS:
            raise refused(f"up to {_MOST_FACTS} facts in context", problem=f"found {len(self.context)} facts")
        given = self.model_fields_set & ({"fractional"} if self.file is None else set(_OF_PROVIDERS))
        if given:
            what = "a file" if self.file is None else "a provider"
            raise refused(f"{', '.join(sorted(given))} with {what} only", problem=f"found {', '.join(sorted(given))}")
        return self


_MOST_FACTS = 32
"""That a provider is told with each question."""
_OF_PROVIDERS = ("options", "declare", "ttl", "first_wait", "timeout")


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
