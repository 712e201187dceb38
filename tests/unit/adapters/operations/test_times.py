"""format_time: epoch times, RFC 3339 timestamps and dates."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown_adapters.errors import OperationError, Refusal
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from tests.kit.adapters import REFUSED, both, refusal


def time(source: str, target: str, **options: Any) -> Any:
    return {"format_time": {"path": "/t", "from": source, "to": target, **options}}


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        (time("s", "rfc3339"), 1769860800, "2026-01-31T12:00:00Z"),
        (time("s", "rfc3339", offset="+05:30"), 1769860800, "2026-01-31T17:30:00+05:30"),
        (time("s", "rfc3339", offset="-12:30"), 1769860800, "2026-01-30T23:30:00-12:30"),
        (time("s", "rfc3339"), 1769860800.25, "2026-01-31T12:00:00.250Z"),
        (time("s", "rfc3339", digits=1), 1769860800.5, "2026-01-31T12:00:00.5Z"),
        (time("s", "rfc3339", digits=0), 1769860800.5, REFUSED),
        (time("s", "rfc3339", digits=0, on_finer="cut"), 1769860800.5, "2026-01-31T12:00:00Z"),
        (time("s", "rfc3339", digits=9), 0, "1970-01-01T00:00:00.000000000Z"),
        (time("s", "rfc3339"), -1, "1969-12-31T23:59:59Z"),
        (time("s", "rfc3339"), 253402300799, "9999-12-31T23:59:59Z"),
        (time("s", "rfc3339"), 253402300800, REFUSED),
        (time("s", "rfc3339"), -62135596801, REFUSED),
        (time("s", "rfc3339"), 1e300, REFUSED),
        (time("s", "rfc3339"), "0", REFUSED),
        (time("s", "rfc3339"), True, REFUSED),
        (time("ms", "rfc3339"), 1769860800123, "2026-01-31T12:00:00.123Z"),
        (time("us", "rfc3339"), 1769860800123456, "2026-01-31T12:00:00.123456Z"),
        (time("ns", "rfc3339"), 1769860800123456789, "2026-01-31T12:00:00.123456789Z"),
        (time("rfc3339", "s"), "2026-01-31T12:00:00Z", 1769860800),
        (time("rfc3339", "s"), "2026-01-31T17:30:00+05:30", 1769860800),
        (time("rfc3339", "s"), "2026-01-31 12:00:00z", 1769860800),
        (time("rfc3339", "s"), "2026-01-31T12:00:00.000Z", 1769860800),
        (time("rfc3339", "s"), "2026-01-31T12:00:00.250Z", REFUSED),
        (time("rfc3339", "s", on_finer="cut"), "2026-01-31T12:00:00.999Z", 1769860800),
        (time("rfc3339", "s", digits=3), "2026-01-31T12:00:00.250Z", 1769860800.25),
        (time("rfc3339", "ms"), "2026-01-31T12:00:00.1234Z", REFUSED),
        (time("rfc3339", "ns"), "2026-01-31T12:00:00.123456789Z", 1769860800123456789),
        (time("rfc3339", "ns"), "9999-12-31T23:59:59Z", REFUSED),
        (time("rfc3339", "us"), "2026-01-31T12:00:00.1234567890Z", REFUSED),
        (time("rfc3339", "ns"), "2026-01-31T12:00:00.1234567891Z", REFUSED),
        (time("rfc3339", "s"), "2026-01-31T12:00:00", REFUSED),
        (time("rfc3339", "s", assume="Z"), "2026-01-31T12:00:00", 1769860800),
        (time("rfc3339", "s", assume="+05:30"), "2026-01-31T12:00:00Z", 1769860800),
        (time("rfc3339", "s"), "2016-12-31T23:59:60Z", REFUSED),
        (time("rfc3339", "s"), "2026-02-29T12:00:00Z", REFUSED),
        (time("rfc3339", "s"), "2026-01-31T24:00:00Z", REFUSED),
        (time("rfc3339", "s"), "2026-01-31T12:00:00+24:00", REFUSED),
        (time("rfc3339", "s"), "20260131T120000Z", REFUSED),
        (time("rfc3339", "s"), "\u0662026-01-31T12:00:00Z", REFUSED),
        (time("rfc3339", "rfc3339", offset="Z", digits=3), "2026-01-31T17:30:00+05:30", "2026-01-31T12:00:00.000Z"),
        (time("date", "s"), "1970-01-02", 86400),
        (time("date", "s", offset="+01:00"), "1970-01-02", 82800),
        (time("date", "s"), "1970-1-2", REFUSED),
        (time("date", "s"), "1970-W01-1", REFUSED),
        (time("s", "date"), 86400, "1970-01-02"),
        (time("s", "date"), 86401, REFUSED),
        (time("s", "date", on_finer="cut"), 172799, "1970-01-02"),
        (time("s", "date", on_finer="cut", offset="+01:00"), 172799, "1970-01-03"),
        (time("ms", "s", on_finer="cut"), -1, -1),
        (time("s", "ms"), 1.5, 1500),
        (time("s", "ns"), 1e-10, REFUSED),
    ],
    ids=str,
)
def test_a_time_is_written_in_another_form_or_refused(operation: Any, value: Any, expected: Any) -> None:
    assert both([operation], {"t": value}) == (REFUSED if expected is REFUSED else {"t": expected})


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)), st.integers(-14 * 60, 14 * 60))
def test_times_are_those_of_the_standard_library(moment: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    try:
        written = moment.astimezone(zone).isoformat(timespec="microseconds")
    except OverflowError:
        with pytest.raises(Refusal, match="years 1 to 9999"):
            run(parse([time("us", "rfc3339", offset=offset)]), {"t": microseconds})
        return
    assert run(parse([time("us", "rfc3339", offset=offset, digits=6)]), {"t": microseconds}) == {"t": written}
    assert run(parse([time("rfc3339", "us")]), {"t": written}) == {"t": microseconds}


def test_the_sentence_says_what_cannot_be_expressed() -> None:
    assert "on_finer: cut takes that away" in refusal([time("ms", "s")], b'{"t":1}').sentence
    assert "assume may give one" in refusal([time("rfc3339", "s")], b'{"t":"2026-01-31T12:00:00"}').sentence
    assert "leap second" in refusal([time("rfc3339", "s")], b'{"t":"2016-12-31T23:59:60Z"}').sentence


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (time("s", "s"), "from and to are the same"),
        (time("s", "rfc3339", offset="+2"), "an offset such as"),
        (time("s", "rfc3339", digits=10), "from 0 to 9"),
        (time("s", "ms", digits=3), "only rfc3339 and s have a fraction"),
        (time("ms", "s", digits=7), "at most 6 digits"),
        (time("rfc3339", "s", offset="Z"), "only timestamps that are written"),
        (time("s", "rfc3339", assume="Z"), "only timestamps that are read"),
        (time("s", "rfc3339", on_finer="round"), "one of fail, cut"),
        (time("sec", "rfc3339"), "one of s, ms, us, ns, rfc3339, date"),
        ({"format_time": "/t"}, "needs from"),
    ],
    ids=str,
)
def test_a_mistake_is_named(operation: Any, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        parse([operation])
