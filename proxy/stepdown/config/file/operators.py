"""What a condition may ask of one value: a header, a cookie, a parameter, a part of the path, a field of the body."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import Network, matching_text, read_range, written

Digest = Annotated[str, matching_text(re.compile(r"[0-9a-fA-F]{64}"), "a SHA-256 as 64 hexadecimal digits")]


def _read_semver(value: Any) -> str:
    if value == "latest":
        raise refused('a range of versions such as "1.1.0", "1" or ^1.2')
    return read_range(value)


Semver = Annotated[str, BeforeValidator(_read_semver), written("version or range", "string")]


def _read_scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        raise refused("a text, a number, true or false")
    return value


Scalar = Annotated[
    Any,
    BeforeValidator(_read_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"], "x-kind": "text, number, `true` or `false`"}),
]
Networks = Annotated[list[Network], BeforeValidator(as_list, json_schema_input_type=Network | list[Network])]
Digests = Annotated[list[Digest], BeforeValidator(as_list, json_schema_input_type=Digest | list[Digest])]
IdFile = Annotated[str, Field(min_length=1)]

_NAMES = "equals, in, prefix, suffix, regex, semver, cidr, sha256, key_in, exists"
_MEANING = {
    "in": "The value is one of these.",
    "prefix": "The value begins with this.",
    "suffix": "The value ends with this.",
    "regex": "The whole value matches this expression, in RE2's syntax.",
    "semver": "The value is a complete version in this range.",
    "cidr": "The value is an address in one of these networks.",
    "sha256": "The SHA-256 of the value is one of these, for API keys: the file shows no key.",
    "key_in": "The value is one of the ids in this file, relative to this one: UTF-8, one id a line, `#` begins a "
    "comment at the beginning of a line.",
    "exists": "The value is there (`true`), or is not (`false`).",
}


class Operators(Section):
    """The tests that all values have in common."""

    prefix: str | None = Field(default=None, description=_MEANING["prefix"])
    suffix: str | None = Field(default=None, description=_MEANING["suffix"])
    regex: str | None = Field(default=None, max_length=1000, description=_MEANING["regex"])
    semver: Semver | None = Field(default=None, description=_MEANING["semver"])
    cidr: Networks | None = Field(default=None, min_length=1, description=_MEANING["cidr"])
    sha256: Digests | None = Field(default=None, min_length=1, description=_MEANING["sha256"])
    key_in: IdFile | None = Field(default=None, description=_MEANING["key_in"])
    exists: bool | None = Field(default=None, description=_MEANING["exists"])

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise refused(f"exactly one of {_NAMES}", problem=f"found {len(given)} conditions")
        return self


class FieldSection(Operators):
    """A condition on one value; a plain text is short for `equals`. What is absent fails all but `exists: false`."""

    equals: str | None = Field(default=None, description="The value is exactly this.")
    any_of: list[str] | None = Field(default=None, alias="in", min_length=1, description=_MEANING["in"])


class BodyFieldSection(Operators):
    """A condition on one field of a JSON body; a plain value is short for `equals`.

    Text is no number: `equals` and `in` compare with the type, everything else holds for texts only.
    """

    equals: Scalar | None = Field(default=None, description="The value is this: a text, a number, `true` or `false`.")
    any_of: list[Scalar] | None = Field(default=None, alias="in", min_length=1, description=_MEANING["in"])


def _from_text(value: Any) -> Any:
    if isinstance(value, int | float | bool):
        raise refused(f'a text; quote it: "{str(value).lower() if isinstance(value, bool) else value}"')
    return {"equals": value} if isinstance(value, str) else value


def _from_scalar(value: Any) -> Any:
    return {"equals": value} if isinstance(value, str | int | float) else value


FieldCondition = Annotated[FieldSection, BeforeValidator(_from_text, json_schema_input_type=str | FieldSection)]
BodyFieldCondition = Annotated[
    BodyFieldSection, BeforeValidator(_from_scalar, json_schema_input_type=Scalar | BodyFieldSection)
]
