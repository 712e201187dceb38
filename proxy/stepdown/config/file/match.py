"""Conditions on a request: what a route, a rule's `when` and a row of `clients` may ask for."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from stepdown.config.file.section import Section, refused
from stepdown.config.file.values import HeaderName, Host, Method, UrlPath, matching_text

_PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}(:[A-Za-z][A-Za-z0-9_]*)?")
"""A `{name}` as a whole segment, or with a verb behind it."""

Digest = Annotated[str, matching_text(re.compile(r"[0-9a-fA-F]{64}"), "a SHA-256 as 64 hexadecimal digits")]


def template_names(path: str) -> tuple[str, ...]:
    """Names of the `{name}` segments of a path, in order."""
    return tuple(found[1] for segment in path.split("/") if (found := _PART.fullmatch(segment)))


def _read_template(value: Any) -> Any:
    """A path whose braces, if any, are whole segments with different names, but for a verb behind them."""
    if isinstance(value, str):
        segments = value.split("/")
        if any(("{" in segment or "}" in segment) and not _PART.fullmatch(segment) for segment in segments):
            raise refused(
                "{name} for one whole segment, as in /v2/models/churn/versions/{version}/infer, or with a verb behind "
                "it, as in /v1/models/{model}:predict"
            )
        parts = template_names(value)
        if len(set(parts)) < len(parts):
            raise refused("each {name} once in a path")
    return value


PathTemplate = Annotated[UrlPath, BeforeValidator(_read_template)]


class HeaderSection(Section):
    """A condition on one header; a plain text is short for `equals`."""

    equals: str | None = Field(default=None, description="The value is exactly this.")
    sha256: Digest | None = Field(
        default=None, description="The SHA-256 of the value, for API keys: the file shows no key."
    )
    any_of: list[str] | None = Field(default=None, alias="in", min_length=1, description="The value is one of these.")
    prefix: str | None = Field(default=None, description="The value begins with this.")
    exists: bool | None = Field(default=None, description="The header is there (`true`), or is not (`false`).")

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [
            value for value in (self.equals, self.sha256, self.any_of, self.prefix, self.exists) if value is not None
        ]
        if len(given) != 1:
            raise refused("exactly one of equals, sha256, in, prefix, exists", problem=f"found {len(given)} conditions")
        return self


def _from_text(value: Any) -> Any:
    if isinstance(value, int | float | bool):
        raise refused(f'a text; quote it: "{str(value).lower() if isinstance(value, bool) else value}"')
    return {"equals": value} if isinstance(value, str) else value


HeaderCondition = Annotated[HeaderSection, BeforeValidator(_from_text, json_schema_input_type=str | HeaderSection)]


class HeadSection(Section):
    """What may be asked of the first lines of a request."""

    path: PathTemplate | None = Field(
        default=None,
        description="The whole path; `{name}` stands for one segment, in `{name}:predict` for what is before the verb, "
        "and `{version}` pins a version.",
    )
    path_prefix: PathTemplate | None = Field(
        default=None, description="Whole segments at the path's beginning: `/v2` matches `/v2` and `/v2/x`, not `/v2x`."
    )
    host: Host | None = Field(
        default=None, description="One host, without port; `*.example.com` matches every host below."
    )
    hosts: list[Host] = Field(default=[], description="Several hosts, of which one must match.")
    methods: list[Method] = Field(default=[], description="Methods, of which one must match; none given: all.")

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.path is not None and self.path_prefix is not None:
            raise refused("one of the two", problem="found path and path_prefix")
        return self


class MatchSection(HeadSection):
    """All that is given must hold."""

    header: dict[HeaderName, HeaderCondition] = Field(default={}, description="Conditions on headers by name.")

    @property
    def is_empty(self) -> bool:
        """Whether it holds for every request."""
        return not (self.path or self.path_prefix or self.host or self.hosts or self.methods or self.header)
