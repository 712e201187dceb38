"""Lines of recordings: what is one, and what is done where it would be too long."""

from __future__ import annotations

import pytest

from stepdown.recordings import entry as entries
from tests.kit.recordings import an_entry


def test_members_that_are_not_known_are_passed_over() -> None:
    line = entries.write(an_entry())
    assert entries.read(line.replace(b'"id"', b'"more":{"a":[1]},"id"')) == entries.read(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "array"),
        (b'{"recording":1}', "missing required field `id`"),
        (b'{"recording":2,"other":1}', "has the format 2, and this version reads 1"),
        (entries.write(an_entry()).replace(b'"recording":1', b'"recording":3'), "has the format 3"),
        (b'{"event":"decision"}', "missing required field `recording`"),
        (b"[" * 100_000, "array"),
    ],
)
def test_a_line_that_is_no_exchange_is_refused(line: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        entries.read(line)


def test_a_line_that_would_be_too_long_loses_its_longest_body(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = an_entry(b"a" * 1000, b'"' + b"b" * 2000 + b'"')
    whole = len(entries.write(entry))
    for longest, lost in [(whole, ()), (whole - 1, ("response",)), (whole - 2050, ("request", "response"))]:
        monkeypatch.setattr(entries, "LONGEST", longest)
        line = entries.write(entry)
        assert len(line) <= longest
        found = entries.read(line)
        assert {name for name in ("request", "response") if getattr(found, name).missing == "too-large"} == set(lost)
        assert found.response is not None
        assert (found.request.size, found.response.size) == (1000, 2002)


def test_a_head_that_is_too_long_for_a_line_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "LONGEST", 100)
    with pytest.raises(ValueError, match="too long"):
        entries.write(an_entry())
