"""Sticky keys: where they come from, and that reading one never fails."""

from __future__ import annotations

import pytest

from stepdown.decide.keys import BODY_BYTES, json_value, label_of, reader_of
from stepdown.decide.spec import KeySource
from tests.kit.request import Request, request


def read(source: KeySource, asked: Request, body: bytes | None = None, client: str = "") -> bytes | None:
    return reader_of(source)(asked, body, client)


@pytest.mark.parametrize(
    ("source", "label"),
    [
        (KeySource(header="x-user-id"), "header:x-user-id"),
        (KeySource(cookie="uid"), "cookie:uid"),
        (KeySource(json="/user/id"), "json:/user/id"),
        (KeySource(client_ip=True), "client_ip"),
    ],
)
def test_a_source_has_a_label(source: KeySource, label: str) -> None:
    assert label_of(source) == label


def test_a_header_and_the_address_are_keys_as_they_are() -> None:
    assert read(KeySource(header="x-user-id"), request(x_user_id="7")) == b"7"
    assert read(KeySource(header="x-user-id"), request()) is None
    assert read(KeySource(client_ip=True), request(), client="10.0.0.1") == b"10.0.0.1"


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        ("uid=7", b"7"),
        ("a=1; uid=7; b=2", b"7"),
        ("a=1;uid=7 ;b=2", b"7"),
        ("a=1;\tuid=7", b"7"),
        ("xuid=8; uid=7", b"7"),
        ("uid=7; uid=8", b"7"),
        ('uid="7"', b'"7"'),
        ("uid=a=b", b"a=b"),
        ("uid=", b""),
        ("UID=7", None),
        ("a=uid=7", None),
        ("uid", None),
        ("", None),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(cookies: str, value: bytes | None) -> None:
    assert read(KeySource(cookie="uid"), request(cookie=cookies)) == value


def test_a_cookies_name_is_taken_literally() -> None:
    assert read(KeySource(cookie="u.d"), request(cookie="uid=7")) is None
    assert read(KeySource(cookie="uid"), request()) is None


@pytest.mark.parametrize(
    ("body", "pointer", "value"),
    [
        (b'{"user": {"id": "7"}}', "/user/id", b"7"),
        (b'{"user": {"id": 7}}', "/user/id", b"7"),
        (b'{"user": {"id": 7.50}}', "/user/id", b"7.50"),
        (b'{"user": {"id": true}}', "/user/id", b"true"),
        (b' {"user" : [ {"id" : "7"} , 8 ] } ', "/user/0/id", b"7"),
        (b' [1, [2, "x"]]', "/1/1", b"x"),
        (b'{"a/b": {"m~n": "7"}}', "/a~1b/m~0n", b"7"),
        (b'{"": "7"}', "/", b"7"),
        (b'{"id": "caf\\u00e9"}', "/id", "café".encode()),
        ('{"id": "café"}'.encode(), "/id", "café".encode()),
        (b'"7"', "", b"7"),
        (b'{"id": "7", "id": "8"}', "/id", b"8"),
        (b'{"user": {"id": null}}', "/user/id", None),
        (b'{"user": {"id": {}}}', "/user/id", None),
        (b'{"user": {"id": []}}', "/user/id", None),
        (b'{"user": {"name": "7"}}', "/user/id", None),
        (b'{"user": "7"}', "/user/id", None),
        (b"[1]", "/1", None),
        (b"[1]", "/01", None),
        (b"[1]", "/-", None),
        (b"[1]", "/-1", None),
        (b'{"id": "\\ud800"}', "/id", None),
        (b'{"id": "7"', "/id", None),
        (b"no json", "/id", None),
        (b"no json", "", None),
        (b"7 8", "", None),
        (b"", "/id", None),
        (b"", "", None),
        (b"\xff\xfe", "/id", None),
        (b'{"id":' * 30_000, "/id/id", None),
        (b"[" * 60_000 + b"]" * 60_000, "/0", None),
    ],
)
def test_a_pointer_finds_a_scalar_or_nothing(body: bytes, pointer: str, value: bytes | None) -> None:
    assert read(KeySource(json=pointer), request(), body) == value


def test_a_long_body_is_not_searched() -> None:
    fits = b'{"id":"7"}' + b" " * (BODY_BYTES - 10)
    assert json_value(fits, ("id",)) == b"7"
    assert json_value(fits + b" ", ("id",)) is None
    assert json_value(None, ("id",)) is None
