"""Conditions of rules and segments: anything about a request, put together with `all`, `any` and `not`."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from stepdown.config.file.flags import FlagConditions
from stepdown.config.file.match import HeadSection
from stepdown.config.file.operators import BodyFieldCondition, FieldCondition, IdFile, Networks, Semver
from stepdown.config.file.section import Section, as_list, refused
from stepdown.config.file.values import CookieName, HeaderName, Name, Pointer, Share, matching_text, written

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9]) ?- ?([01][0-9]|2[0-4]):([0-5][0-9])")
_DAY_MINUTES = 24 * 60


def _read_days(value: Any) -> Any:
    """Days as numbers, of a list in which `mon-fri` stands for several."""
    days: list[int] = []
    for one in as_list(value):
        first, dash, last = one.partition("-") if isinstance(one, str) else ("", "", "")
        if first not in DAYS or (dash and last not in DAYS):
            raise refused("days such as mon, tue or mon-fri")
        begin = DAYS.index(first)
        end = DAYS.index(last) if dash else begin
        days += [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
    return sorted(set(days))


def _read_hours(value: Any) -> Any:
    """Minutes of the day: first, and first one after."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    minutes = [60 * int(found[1]) + int(found[2]), 60 * int(found[3]) + int(found[4])] if found else []
    if not minutes or max(minutes) > _DAY_MINUTES or minutes[0] in {minutes[1], _DAY_MINUTES}:
        raise refused("hours such as 09:00-17:30, or 22:00-06:00 for a window over midnight")
    return tuple(minutes)


def _read_moment(value: Any) -> Any:
    try:
        datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise refused("a date such as 2026-12-01, or a time such as 2026-12-01T09:00:00 or ...T09:00:00Z") from None
    return value


Days = Annotated[list[int], BeforeValidator(_read_days), written("days such as `mon-fri`", "string", "array")]
Hours = Annotated[tuple[int, int], BeforeValidator(_read_hours), written("hours such as `09:00-17:30`", "string")]
Moment = Annotated[str, BeforeValidator(_read_moment), written("date or time", "string")]


class TimeSection(Section):
    """A window of time; all that is given must hold."""

    since: Moment | None = Field(
        default=None, alias="from", description="From this time on; without a zone of its own, on the clocks of `zone`."
    )
    until: Moment | None = Field(default=None, description="Before this time.")
    zone: str = Field(default="UTC", max_length=100, description="A zone of the tz database, such as `Europe/Berlin`.")
    weekdays: Days | None = Field(
        default=None, min_length=1, description="On these days of the zone's calendar: `mon-fri`, or a list."
    )
    hours: Hours | None = Field(
        default=None,
        description="At these hours of the zone's clocks. One over midnight belongs to the day on which it begins.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(value is None for value in (self.since, self.until, self.weekdays, self.hours)):
            raise refused("at least one of from, until, weekdays, hours", problem="found no condition")
        return self


class PinSection(Section):
    """A condition on the version that the client pins; a plain range is short for `{semver: RANGE}`."""

    semver: Semver | None = Field(
        default=None,
        description="It is in this range. Of several that the client would take the newest counts; who pins nothing "
        "has the default version.",
    )
    exists: bool | None = Field(
        default=None, description="The request, or an entry of `clients`, says a version (`true`), or not (`false`)."
    )

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = sum(value is not None for value in (self.semver, self.exists))
        if given != 1:
            raise refused("exactly one of semver, exists", problem=f"found {given} conditions")
        return self


class PercentSection(Section):
    """A share of all keys; a plain percentage is short for `{share: PERCENTAGE}`."""

    share: Share = Field(description="How many of the keys, such as `5%`. Who is in keeps being in when it grows.")
    salt: str | None = Field(
        default=None,
        max_length=200,
        description="Seed of who is in. If not given, `segment/NAME` in a segment and `ROUTE/RULE/when` in a rule.",
    )


def _from_range(value: Any) -> Any:
    return value if isinstance(value, dict) else {"semver": value}


def _from_share(value: Any) -> Any:
    return value if isinstance(value, dict) else {"share": value}


PathPart = Annotated[str, matching_text(re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "the name of a {name} in the path")]


class WhenSection(HeadSection):
    """A condition on requests. All that is given must hold."""

    header: dict[HeaderName, FieldCondition] = Field(default={}, description="Headers by name.")
    query: dict[str, FieldCondition] = Field(default={}, description="Parameters of the query by name.")
    cookie: dict[CookieName, FieldCondition] = Field(default={}, description="Cookies by name.")
    param: dict[PathPart, FieldCondition] = Field(
        default={}, description="Parts of the path by the names that the route's path gives them."
    )
    body: dict[Pointer, BodyFieldCondition] = Field(
        default={},
        alias="json",
        description="Fields of the JSON body by JSON Pointer. The body is read before a version is chosen; one of more "
        "than 64 KiB, or that is no JSON, has no fields.",
    )
    client: Networks | None = Field(
        default=None,
        min_length=1,
        description="Addresses and networks of which one has the client's address; needs `trusted_hops`.",
    )
    time: TimeSection | None = Field(default=None, description="When.")
    pin: Annotated[PinSection, BeforeValidator(_from_range, json_schema_input_type=Semver | PinSection)] | None = Field(
        default=None, description="The version that the client pins."
    )
    percent: (
        Annotated[PercentSection, BeforeValidator(_from_share, json_schema_input_type=Share | PercentSection)] | None
    ) = Field(default=None, description="The route's key is in a share of all keys; who has no key is not.")
    key_in: IdFile | None = Field(
        default=None,
        description="The route's key is one of the ids in this file, relative to this one: UTF-8, one id a line, `#` "
        "begins a comment at the beginning of a line.",
    )
    flag: FlagConditions | None = Field(
        default=None,
        description="Feature flags: `NAME` is on (its value is true), or `{NAME: VARIANT}`. Where a flag is off or in "
        "error it is neither.",
    )
    segment: Name | None = Field(default=None, description="Name of one of `segments`.")
    all_of: list[WhenSection] | None = Field(default=None, alias="all", min_length=1, description="All of these hold.")
    any_of: list[WhenSection] | None = Field(
        default=None, alias="any", min_length=1, description="At least one of these holds."
    )
    none_of: WhenSection | None = Field(default=None, alias="not", description="This does not hold.")

    @property
    def is_empty(self) -> bool:
        """Whether it holds for every request."""
        return not any(getattr(self, name) for name in type(self).model_fields)
