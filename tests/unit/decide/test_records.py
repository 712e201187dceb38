"""Records: one line, as long as it may be, and no value of a secret."""

from __future__ import annotations

import json

import msgspec
import pytest

from stepdown.decide.records import EVENT, Decided, Hidden, Record, is_hidden_in, is_secret, read, shown_query, write

NOBODY: frozenset[str] = frozenset()


def record(**changes: object) -> Record:
    values: dict[str, object] = {
        "event": "decision",
        "time": "2027-01-15T08:00:00.500Z",
        "config": "0123456789abcdef",
        "sample": 0.01,
        "method": "POST",
        "host": "a",
        "path": "/infer",
        "headers": {"x-user-id": "7", "x-plan": None},
        "decided": Decided(route="r", model="m", assigned="1.0.0", slot=5),
    }
    return Record(**(values | changes))  # type: ignore[arg-type]


def test_a_record_is_one_line_of_json_that_says_first_what_it_is() -> None:
    line = write(record(path="/a\nb\u2028\xff"), 4096)
    assert line.startswith(EVENT)
    assert line.count(b"\n") == 1
    assert json.loads(line)["path"] == "/a\nb\u2028\xff"
    assert read(line) == record(path="/a\nb\u2028\xff")


def test_its_time_can_be_counted_with() -> None:
    assert record().seconds == 1_800_000_000.5
    with pytest.raises(ValueError, match="Invalid isoformat"):
        _ = record(time="yesterday").seconds


@pytest.mark.parametrize("line", [b"", b"{}", b"null", b'{"event":"other"}', b'{"event":"decision"}', b"\xff"])
def test_another_line_is_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(line)


def test_a_line_cut_at_any_place_is_none() -> None:
    line = write(record(), 4096)
    for end in range(len(line) - 1):
        with pytest.raises(ValueError, match=r"."):
            read(line[:end])


# --- what is too long ----------


def test_the_longest_value_goes_first_and_is_named() -> None:
    long = record(headers={"x-a": "a" * 500, "x-b": "b" * 5000}, query="q" * 600)
    line = write(long, 2048)
    assert len(line) <= 2048
    assert read(line).cut == ("header x-b",)
    assert read(line).headers == {"x-a": "a" * 500}
    shorter = read(write(long, 700))
    assert shorter.cut == ("header x-b", "query", "header x-a")
    assert shorter.query == ""


def test_names_of_what_is_absent_go_before_any_value() -> None:
    many = record(headers={"x-user-id": "7", **{f"x-{number}": None for number in range(400)}})
    short = read(write(many, 4096))
    assert short.cut == ("what is absent",)
    assert short.headers == {"x-user-id": "7"}


def test_cookies_members_and_the_path_are_cut_too() -> None:
    long = record(
        cookies={"uid": "c" * 900}, body={"/user": msgspec.Raw(b'"' + b"j" * 800 + b'"')}, path="/" + "p" * 1000
    )
    short = read(write(long, 800))
    assert short.cut == ("cookie uid", "body /user", "path")
    assert len(short.path) == 256


def test_what_cannot_be_short_enough_is_no_line() -> None:
    assert write(record(), 100) == b""


# --- secrets ----------


@pytest.mark.parametrize(
    "name", ["authorization", "x-api-key", "Cookie", "x-auth", "session", "csrf_token", "password", "x-SECRET-id"]
)
def test_names_that_speak_of_a_secret_are_recognised(name: str) -> None:
    assert is_secret(name, NOBODY)


def test_other_names_are_hidden_where_the_configuration_says_so() -> None:
    assert not is_secret("x-user-id", NOBODY)
    assert is_secret("X-User-Id", frozenset({"x-user-id"}))


def test_a_query_shows_no_secret_however_its_name_is_written() -> None:
    query = "plan=beta&api_key=abc&%61pi_key=abc&token&flag=&x=1"
    assert shown_query(query, NOBODY) == "plan=beta&api_key=***&%61pi_key=***&token&flag=&x=1"
    assert shown_query("", NOBODY) == ""
    assert is_hidden_in("a=1&api%5Fkey=***", "api_key")
    assert not is_hidden_in("a=***", "api_key")


def test_a_hidden_value_is_told_from_a_text() -> None:
    hidden = record(headers={"x-api-key": Hidden("ab"), "x-user-id": "sha256:ab"})
    assert read(write(hidden, 4096)).headers == {"x-api-key": Hidden("ab"), "x-user-id": "sha256:ab"}
