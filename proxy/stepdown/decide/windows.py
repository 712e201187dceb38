"""Windows of time: from a moment to another, on some days of the week, within some hours of a zone's clocks."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from zoneinfo import ZoneInfo

from stepdown.decide.when import TimeIn

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def window_test(window: TimeIn) -> Callable[[float], bool]:
    """Whether Unix seconds are in the window; raises `LookupError` where the zone is unknown on this machine."""
    since = window.since if window.since is not None else float("-inf")
    until = window.until if window.until is not None else float("inf")
    if not window.weekdays and window.hours is None:
        return lambda now: since <= now < until
    minute_holds = _minute_test(window)
    last = (-1, False)

    def test(now: float) -> bool:
        nonlocal last
        if not since <= now < until:
            return False
        minute = int(now // 60)
        known, holds = last
        if known != minute:
            holds = minute_holds(minute)
            last = (minute, holds)
        return holds

    return test


def _minute_test(window: TimeIn) -> Callable[[int], bool]:
    """Whether the minute that begins at so many minutes of Unix time is on a day and in the hours of the window."""
    zone = datetime.UTC if window.zone == "UTC" else ZoneInfo(window.zone)
    days = frozenset(window.weekdays or range(7))
    begin, end = window.hours or (0, 24 * 60)

    def test(minute: int) -> bool:
        local = datetime.datetime.fromtimestamp(minute * 60, zone)
        day, at = local.weekday(), local.hour * 60 + local.minute
        if begin <= end:
            return begin <= at < end and day in days
        if at < end:
            return (day - 1) % 7 in days
        return at >= begin and day in days

    return test


def window_sentence(window: TimeIn) -> str:
    """`the time is from 2026-12-01T00:00:00Z until ... on mon, tue between 09:00 and 17:00 (Europe/Berlin)`."""
    parts = []
    if window.since is not None:
        parts.append(f"from {_moment(window.since)}")
    if window.until is not None:
        parts.append(f"until {_moment(window.until)}")
    if window.weekdays:
        parts.append(f"on {', '.join(_DAYS[day] for day in window.weekdays)}")
    if window.hours is not None:
        parts.append("between {} and {}".format(*map(_clock, window.hours)))
    zone = f" ({window.zone})" if window.weekdays or window.hours else ""
    return f"the time is {' '.join(parts)}{zone}"


def _moment(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
