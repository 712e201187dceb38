"""The conversion `format_time`: epoch times in seconds to nanoseconds, RFC 3339 timestamps, and dates.

Everything goes through whole nanoseconds since 1970-01-01T00:00:00Z, so that nothing is rounded on the way; the
decimal text of a floating-point number counts, not its binary value. What the target cannot express, such as the
milliseconds of a timestamp as whole seconds, is refused unless `on_finer: cut` says that it may go; it goes downwards.

Not expressible and refused are leap seconds (`:60`), which have no epoch time, years outside of 1 to 9999, timestamps
without an offset (unless `assume` gives one), and fractions under a nanosecond.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.errors import Refusal
from stepdown_adapters.operations.base import Loss
from stepdown_adapters.operations.convert import Row, Scalar
from stepdown_adapters.operations.options import Options, is_count
from stepdown_adapters.operations.scalars import in_range, number
from stepdown_adapters.operations.texts import text

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds."""
_FORMS = (*UNITS, "rfc3339", "date")
_SECOND = UNITS["s"]
_DAY = 86_400 * _SECOND
_EPOCH = date(1970, 1, 1).toordinal()
_OFFSET = re.compile(r"Z|[+-]([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True, slots=True)
class Form:
    """The options of one conversion."""

    source: str
    target: str
    offset: int
    """Seconds east of UTC in which timestamps are written, and in which dates begin."""
    shown: str
    """The same as text."""
    assumed: int | None
    digits: int | None
    """Digits of a fraction of seconds; `None` for none in a number, and in a text for as many as needed, in threes."""
    cuts: bool


def _format_time(options: Options) -> Scalar:
    source, target = options.choice("from", _FORMS), options.choice("to", _FORMS)
    if options.has("from") and source == target and not options.has("offset") and not options.has("digits"):
        options.problem("to", "from and to are the same")
    shown = options.get("offset", "Z or an offset such as +02:00", _is_offset, "Z")
    assumed = options.get("assume", "Z or an offset such as +02:00", _is_offset, None)
    digits = options.get("digits", "a whole number from 0 to 9", lambda v: is_count(v) and v <= 9, None)
    cuts = options.choice("on_finer", ("fail", "cut"), "fail") == "cut"
    if digits is not None and target not in ("rfc3339", "s"):
        options.problem("digits", "only rfc3339 and s have a fraction")
    if digits is not None and target == "s" and digits > 6:
        options.problem("digits", "a number holds at most 6 digits of a second")
    if options.has("offset") and target != "rfc3339" and "date" not in (source, target):
        options.problem("offset", "only timestamps that are written, and dates, have an offset")
    if options.has("assume") and source != "rfc3339":
        options.problem("assume", "only timestamps that are read may lack an offset")
    form = Form(source, target, _seconds(shown), shown, None if assumed is None else _seconds(assumed), digits, cuts)
    return Scalar(lambda value: _written(_read(value, form), form), effect=lambda _: _effect(form))


def _is_offset(value: Any) -> bool:
    return isinstance(value, str) and _OFFSET.fullmatch(value) is not None


def _seconds(offset: str) -> int:
    """Seconds east of UTC."""
    found = _OFFSET.fullmatch("Z" if offset == "z" else offset)
    if found is None:
        raise Refusal(f"{offset} is no offset from UTC")
    if found[1] is None:
        return 0
    return (-1 if offset[0] == "-" else 1) * (int(found[1]) * 3600 + int(found[2]) * 60)


def _read(value: Any, form: Form) -> int:
    """Nanoseconds since the epoch."""
    if form.source == "rfc3339":
        return _timestamp(text(value), form.assumed)
    if form.source == "date":
        return _midnight(text(value)) - form.offset * _SECOND
    scaled = Decimal(repr(number(value))) * UNITS[form.source]
    if abs(scaled) > 10**21:
        raise Refusal("the time is outside of the years 1 to 9999")
    if scaled != int(scaled):
        raise Refusal("the time is finer than a nanosecond")
    return int(scaled)


def _midnight(day: str) -> int:
    try:
        if not _DATE.fullmatch(day):  # `fromisoformat` also reads weeks
            raise ValueError
        return (date.fromisoformat(day).toordinal() - _EPOCH) * _DAY
    except ValueError:
        raise Refusal(f"{day[:40]!r} is no date such as 2026-01-31") from None


def _timestamp(written: str, assumed: int | None) -> int:
    found = _TIMESTAMP.fullmatch(written)
    if found is None:
        raise Refusal(f"{written[:40]!r} is no timestamp such as 2026-01-31T12:00:00Z")
    day, hour, minute, second, fraction, offset = found.groups()
    if second == "60":
        raise Refusal("a leap second has no epoch time")
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise Refusal(f"{written!r} is no time of a day")
    if offset is None and assumed is None:
        raise Refusal(f"{written!r} has no offset from UTC; assume may give one")
    digits = (fraction or "").rstrip("0")
    if len(digits) > 9:
        raise Refusal("the time is finer than a nanosecond")
    east = assumed if offset is None else _seconds(offset)
    assert east is not None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second) - east
    return _midnight(day) + seconds * _SECOND + int(digits.ljust(9, "0"))


def _written(instant: int, form: Form) -> Any:
    if form.target in UNITS and not form.digits:
        return in_range(_whole(instant, UNITS[form.target], form))
    if form.target == "s":
        assert form.digits is not None
        step = 10 ** (9 - form.digits)
        return float(Decimal(_whole(instant, step, form)) * step / _SECOND)
    local = instant + form.offset * _SECOND
    if form.target == "date":
        return _day(_whole(local, _DAY, form))
    days, rest = divmod(local, _DAY)
    return f"{_day(days)}T{_clock(rest, form)}{form.shown}"


def _whole(value: int, unit: int, form: Form) -> int:
    """How many units; what is left over is refused or cut."""
    count, rest = divmod(value, unit)
    if rest and not form.cuts:
        raise Refusal(f"the time is finer than {form.target} can say; on_finer: cut takes that away")
    return count


def _day(days: int) -> str:
    try:
        return date.fromordinal(days + _EPOCH).isoformat()
    except (ValueError, OverflowError):
        raise Refusal("the time is outside of the years 1 to 9999") from None


def _clock(nanoseconds: int, form: Form) -> str:
    """The time of day, with its fraction."""
    digits = form.digits
    if digits is None:
        digits = next(count for count in (0, 3, 6, 9) if nanoseconds % 10 ** (9 - count) == 0)
    parts = _whole(nanoseconds, 10 ** (9 - digits), form)
    seconds, fraction = divmod(parts, 10**digits)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}.{fraction:0{digits}}" if digits else clock


def _effect(form: Form) -> Schema:
    if form.target in UNITS:
        return {"type": "number" if form.digits else "integer"}
    return {"type": "string", "format": "date-time" if form.target == "rfc3339" else "date"}


ROWS = (Row("format_time", _format_time, Loss.LOSSY, "the offset of a timestamp is lost, and what on_finer cuts"),)
