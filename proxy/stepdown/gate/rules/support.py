"""Rules of the policy: how long a version lives, and how early its end is announced."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from stepdown.gate.facts import Line, ModelFacts, VersionFacts, line_name, line_of
from stepdown.gate.rules.case import Case, Observation, counted
from stepdown_adapters.versions import Version


def notice_too_short(case: Case) -> Iterator[Observation]:
    """A sunset that comes too soon after `deprecated`, or was announced too late."""
    days = case.policy.notice
    if days is None:
        return
    notice = datetime.timedelta(days)
    for model, one in case.releases():
        if one.sunset is None:
            continue
        before = case.base.find(model.name, one.id)
        if one.deprecated is None:
            sentence = f"{one.id} has a sunset ({one.sunset}), and no `deprecated` that announces it {days} days before"
            yield Observation(one.place, sentence, model.name, one.id)
        elif one.sunset - one.deprecated < notice:
            given = (one.sunset - one.deprecated).days
            sentence = (
                f"{one.id} is deprecated {counted(given, 'day')} before its sunset ({one.sunset}): {days} are agreed"
            )
            earliest = f"a sunset from {one.deprecated + notice} on"
            yield Observation(one.place, sentence, model.name, one.id, fix=earliest)
        elif (
            before is None or before.sunset is None or one.sunset < before.sunset
        ) and one.sunset - case.today < notice:
            given = max(0, (one.sunset - case.today).days)
            sentence = (
                f"the sunset of {one.id} ({one.sunset}) is announced {counted(given, 'day')} ahead: {days} are agreed"
            )
            yield Observation(one.place, sentence, model.name, one.id, fix=f"a sunset from {case.today + notice} on")


def support_too_short(case: Case) -> Iterator[Observation]:
    """A MAJOR whose last release ends while the policy still has it supported."""
    majors, at_least = case.policy.majors, case.policy.at_least
    if majors is None and at_least is None:
        return
    for name in {**case.base.models, **case.head.models}:
        lines = _lines(case, name)
        for rank, (line, one) in enumerate(lines):
            newer = lines[rank - 1][0] if rank else None
            yield from _within(case, name, line, one, rank)
            yield from _long_enough(case, name, line, one, newer)


def _lines(case: Case, name: str) -> list[tuple[Line, VersionFacts]]:
    """The lines of a model with the newest release of each, the newest line first; what the base had counts."""
    newest: dict[Line, VersionFacts] = {}
    for facts in (case.base, case.head):
        model = facts.models.get(name)
        for one in model.versions.values() if model else ():
            known = newest.get(line_of(one.version))
            if one.is_release and (known is None or known.version <= one.version):
                newest[line_of(one.version)] = one
    return sorted(newest.items(), reverse=True)


def _within(case: Case, name: str, line: Line, one: VersionFacts, rank: int) -> Iterator[Observation]:
    majors = case.policy.majors
    if majors is None or rank >= majors:
        return
    agreed = f"the newest {counted(majors, 'MAJOR')} are supported" if majors > 1 else "the newest MAJOR is supported"
    gone = _gone(case, name, one)
    if gone:
        yield _said(case, name, one, f"{one.id}, the last of {line_name(line)}, {gone}, and {agreed}")
    elif one.sunset is not None and one.sunset <= case.today and case.head.find(name, one.id):
        yield _said(case, name, one, f"the sunset of {one.id} ({one.sunset}) is over, and {agreed}")
    elif one.sunset is not None:
        sentence = (
            f"{line_name(line)} ends with {one.id} on {one.sunset}, and {agreed}: another MAJOR has to come before"
        )
        yield _said(case, name, one, sentence, warning=True)


def _long_enough(case: Case, name: str, line: Line, one: VersionFacts, newer: Line | None) -> Iterator[Observation]:
    days = case.policy.at_least
    if days is None or newer is None:
        return
    published = _published(case, name, newer)
    if published is None:
        return
    end = published + datetime.timedelta(days)
    since = f"{line_name(newer)} was published on {published}, so that {line_name(line)} is supported until {end}"
    gone = _gone(case, name, one)
    if gone and case.today < end:
        yield _said(case, name, one, f"{since}, and {one.id}, its last, {gone}")
    elif not gone and one.sunset is not None and one.sunset < end and not one.retired:
        yield _said(case, name, one, f"{since}, and the sunset of {one.id}, its last, is {one.sunset}")


def _gone(case: Case, name: str, one: VersionFacts) -> str:
    """How a version that the base still had goes with this change, as the end of a sentence."""
    before, now = case.base.find(name, one.id), case.head.find(name, one.id)
    if before is None or before.retired:
        return ""
    if now is None:
        return "is no longer declared"
    return "is retired" if now.retired else ""


def _published(case: Case, name: str, line: Line) -> datetime.date | None:
    """When the first release of a line was published; one that the base does not have is published today."""
    entries = case.lock.entries if case.lock else {}
    dates = [
        entry.published
        for (model, version), entry in entries.items()
        if model == name and line_of(parsed := Version.parse(version)) == line and not parsed.prerelease
    ]
    if dates:
        return min(dates)
    return None if _has_line(case.base.models.get(name), line) else case.today


def _has_line(model: ModelFacts | None, line: Line) -> bool:
    return model is not None and any(one.is_release and line_of(one.version) == line for one in model.versions.values())


def _said(case: Case, name: str, one: VersionFacts, sentence: str, *, warning: bool = False) -> Observation:
    now, model = case.head.find(name, one.id), case.head.models.get(name)
    place = now.place if now else (model.place if model else case.head.place)
    return Observation(place, sentence, name, one.id, "warning" if warning else "error")
