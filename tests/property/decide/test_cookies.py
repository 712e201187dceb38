"""Whatever stands in a cookie: it counts only as it was signed, and nothing in it fails a request."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.decide import spec
from stepdown.decide.cookies import KeyCookie, Visitor
from tests.kit.request import Request

NOW = 1_800_000_000
COOKIE = KeyCookie("sd_uid", spec.SetCookie(secrets=("a-secret-of-some-length", "and-one-of-its-elders"), ttl=86_400))


def read(value: bytes) -> Visitor:
    visitor = COOKIE.visitor(Request(fields={b"cookie": value}), NOW, lambda: b"\0" * 16)
    assert visitor is not None
    return visitor


def signed(identity: bytes, record: bytes) -> bytes:
    """`sd_uid=VALUE` of a visitor to whom this was given."""
    fresh = COOKIE.visitor(Request(), NOW, lambda: identity)
    assert fresh is not None
    return COOKIE.line(fresh, record, NOW).removeprefix(b"set-cookie: ").partition(b";")[0]


ids = st.binary(min_size=16, max_size=16)
records = st.sampled_from([b"", b"00000000~1.0.0", b"0a1b2c3d~2.0.0-rc.1+build.5"])


@given(st.binary(max_size=200))
def test_no_field_fails_a_request_or_counts_by_chance(value: bytes) -> None:
    assert read(value).is_new
    assert read(b"sd_uid=" + value).is_new


@given(ids, records, st.binary(max_size=20).map(lambda other: other.replace(b";", b"")))
def test_what_was_signed_is_read_back_among_other_cookies(identity: bytes, record: bytes, other: bytes) -> None:
    sent = signed(identity, record)
    visitor = read(b"a=" + other + b"; " + sent + b"; b=" + other)
    assert (visitor.record, visitor.issued, visitor.is_new, visitor.unsaid) == (record, NOW, False, False)
    assert visitor.id == sent.removeprefix(b"sd_uid=").partition(b"~")[0]


@settings(max_examples=300)
@given(ids, records, st.data())
def test_no_other_text_than_the_one_that_was_signed_counts(identity: bytes, record: bytes, data: st.DataObject) -> None:
    name, _, value = signed(identity, record).partition(b"=")
    place = data.draw(st.integers(0, len(value)))
    change = data.draw(st.sampled_from(["replace", "insert", "remove"]))
    byte = bytes([data.draw(st.integers(0x21, 0x7E).filter(lambda one: one not in {0x3B, *value[place : place + 1]}))])
    after = value[place:] if change == "insert" else value[place + 1 :]
    changed = value[:place] + (b"" if change == "remove" else byte) + after
    if changed != value:
        assert read(name + b"=" + changed).is_new
