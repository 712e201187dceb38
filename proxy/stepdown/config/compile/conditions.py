"""Conditions of rules and segments to those of a snapshot: names checked, files and times resolved."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stepdown.config.compile.checker import Checker
from stepdown.config.file.operators import BodyFieldSection, FieldSection
from stepdown.config.file.when import TimeSection, WhenSection
from stepdown.config.findings import listed
from stepdown.config.idlists import IdList
from stepdown.config.tree import Path
from stepdown.decide import when
from stepdown.decide.texts import regex_test

if TYPE_CHECKING:
    from stepdown.config.compile.flags import AskedFlags

Field = FieldSection | BodyFieldSection


def fields_of(section: WhenSection) -> Iterator[tuple[str, str, Field]]:
    """Every condition on a named part, with its key in the file and its name."""
    sources: Mapping[str, Mapping[str, Field]] = {
        "header": section.header,
        "query": section.query,
        "cookie": section.cookie,
        "param": section.param,
        "json": section.body,
    }
    for key, fields in sources.items():
        for name, field in fields.items():
            yield key, name, field


def inner_of(section: WhenSection, path: Path) -> Iterator[tuple[WhenSection, Path]]:
    """The conditions that one is put together from, with their paths."""
    for key, sections in (("all", section.all_of), ("any", section.any_of)):
        for index, inner in enumerate(sections or ()):
            yield inner, (*path, key, index)
    if section.none_of is not None:
        yield section.none_of, (*path, "not")


def id_files(section: WhenSection, path: Path) -> Iterator[tuple[Path, str]]:
    """Every file of ids that a condition names, with the path of its name."""
    if section.key_in is not None:
        yield (*path, "key_in"), section.key_in
    for key, name, field in fields_of(section):
        if field.key_in is not None:
            yield (*path, key, name, "key_in"), field.key_in
    for inner, at in inner_of(section, path):
        yield from id_files(inner, at)


class WhenCompiler:
    """Compiles the conditions of one file."""

    def __init__(
        self,
        segments: Mapping[str, WhenSection],
        lists: Mapping[Path, IdList],
        flags: AskedFlags,
        checker: Checker,
    ) -> None:
        self.flags = flags
        self._segments = segments
        self._lists = lists
        self._checker = checker

    def compiled(self, section: WhenSection | None, path: Path, salt: str) -> when.When:
        """A condition; `salt` is the seed of its percentages that have none of their own."""
        if section is None or section.is_empty:
            return when.EVERYONE
        tests = tuple(self._tests(section, path, salt))
        return tests[0] if len(tests) == 1 else when.All(tests)

    def _tests(self, section: WhenSection, path: Path, salt: str) -> Iterator[when.When]:
        yield from _head(section)
        for key, name, field in fields_of(section):
            yield self._field(key, name, field, (*path, key, name))
        if section.client:
            yield when.ClientIn(tuple(dict.fromkeys(section.client)))
        if section.time is not None:
            yield self._time(section.time, (*path, "time"))
        if section.pin is not None:
            yield when.PinIs(semver=section.pin.semver, exists=section.pin.exists)
        if section.percent is not None:
            given = section.percent.salt
            yield when.Percent(section.percent.share, given if given is not None else salt)
        if section.key_in is not None:
            yield when.KeyIn(self._list((*path, "key_in"), section.key_in))
        for name, variant in (section.flag or {}).items():
            yield self.flags.condition(name, None if variant is True else variant, (*path, "flag", name))
        if section.segment is not None:
            self._check_segment(section.segment, (*path, "segment"))
            yield when.InSegment(section.segment)
        for operator, inner in (("all", section.all_of), ("any", section.any_of)):
            if inner:
                tests = tuple(self._inner(one, (*path, operator, index), salt) for index, one in enumerate(inner))
                yield when.All(tests) if operator == "all" else when.Any(tests)
        if section.none_of is not None:
            yield when.Not(self._inner(section.none_of, (*path, "not"), salt))

    def _inner(self, section: WhenSection, path: Path, salt: str) -> when.When:
        if section.is_empty and not self._checker.is_damaged(*path):
            self._checker.error(path, "found no condition", "at least one")
        return self.compiled(section, path, salt)

    def _check_segment(self, name: str, path: Path) -> None:
        if name not in self._segments and not self._checker.has_lost_names("segments", name):
            allowed = f"one of segments: {listed(self._segments) or 'there are none'}"
            self._checker.unknown(path, name, self._segments, allowed)

    def _list(self, path: Path, name: str) -> when.KeyList:
        found = self._lists.get(path)
        return when.KeyList(name, found.digest if found is not None else "")

    def _field(self, source: str, name: str, field: Field, path: Path) -> when.FieldIs:
        if field.regex is not None:
            try:
                regex_test(field.regex)
            except ValueError as error:
                problem = f"found an expression that cannot be used: {error}"
                self._checker.error((*path, "regex"), problem, "an expression in RE2's syntax")
        return when.FieldIs(
            source=source,  # type: ignore[arg-type]  # one of the keys of `fields_of`
            name=name.lower() if source == "header" else name,
            equals=field.equals,
            any_of=tuple(field.any_of or ()),
            sha256=tuple(digest.lower() for digest in field.sha256 or ()),
            prefix=field.prefix,
            suffix=field.suffix,
            regex=field.regex,
            semver=field.semver,
            cidr=tuple(field.cidr or ()),
            key_in=self._list((*path, "key_in"), field.key_in) if field.key_in is not None else None,
            exists=field.exists,
        )

    def _time(self, section: TimeSection, path: Path) -> when.TimeIn:
        zone: datetime.tzinfo = datetime.UTC
        if section.zone != "UTC":
            try:
                zone = ZoneInfo(section.zone)
            except (LookupError, ValueError, OSError):
                self._checker.error((*path, "zone"), allowed="a zone of this machine's tz database: Europe/Berlin, UTC")
        since, until = _seconds(section.since, zone), _seconds(section.until, zone)
        if since is not None and until is not None and until <= since:
            self._checker.error((*path, "until"), allowed="a time after `from`")
        return when.TimeIn(
            since=since,
            until=until,
            zone=section.zone if section.weekdays or section.hours else "UTC",
            weekdays=tuple(section.weekdays or ()),
            hours=section.hours,
        )


def _head(section: WhenSection) -> Iterator[when.When]:
    hosts = [*([section.host] if section.host is not None else []), *section.hosts]
    if section.methods:
        yield when.MethodIs(tuple(dict.fromkeys(section.methods)))
    if hosts:
        yield when.HostIs(tuple(dict.fromkeys(host.lower().removesuffix(".") for host in hosts)))
    if section.path is not None:
        yield when.PathIs(section.path)
    if section.path_prefix is not None:
        yield when.PathUnder(section.path_prefix)


def _seconds(text: str | None, zone: datetime.tzinfo) -> int | None:
    """Unix seconds of a moment; on the zone's clocks where it says no zone itself."""
    if text is None:
        return None
    moment = datetime.datetime.fromisoformat(text)
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp())
