from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from stepdown.config.file.values import (
    read_address,
    read_date,
    read_duration,
    read_network,
    read_range,
    read_share,
    read_size,
    read_url,
    read_version,
)

RIGHT = [
    (read_duration, "2s", 2.0),
    (read_duration, "500ms", 0.5),
    (read_duration, "1.5 m", 90.0),
    (read_duration, "1h", 3600.0),
    (read_duration, 0, 0.0),
    (read_duration, 0.25, 0.25),
    (read_size, "8MiB", 8 * 1024 * 1024),
    (read_size, "64 kB", 64_000),
    (read_size, 5, 5),
    (read_share, "20%", 0.2),
    (read_share, "12.5 %", 0.125),
    (read_share, 0.3, 0.3),
    (read_share, 1, 1.0),
    (read_address, "0.0.0.0:8080", ("0.0.0.0", 8080)),
    (read_address, "[::1]:80", ("::1", 80)),
    (read_address, ":80", ("0.0.0.0", 80)),
    (read_address, "localhost:0", ("localhost", 0)),
    (read_url, "http://churn-v1:8080", "http://churn-v1:8080"),
    (read_url, "https://Churn.Example.com/", "https://churn.example.com"),
    (read_url, "http://[::1]:80", "http://[::1]:80"),
    (read_version, "v1.1.0", "v1.1.0"),
    (read_version, "2.0.0-rc.1+b5", "2.0.0-rc.1+b5"),
    (read_range, "^1.0", "^1.0"),
    (read_range, "1", "1"),
    (read_range, "latest", "latest"),
    (read_date, "2026-12-01", 1796083200),
    (read_date, "2026-12-01T01:00:00+01:00", 1796083200),
    (read_date, "2026-12-01T00:00:00Z", 1796083200),
    (read_network, "10.1.2.3/8", "10.0.0.0/8"),
    (read_network, "127.0.0.1", "127.0.0.1/32"),
    (read_network, "fe80::/10", "fe80::/10"),
]

WRONG = [
    (read_duration, ["2 sec", "-1s", -1, "1d", "31 h" * 20, True, None, [], "721h", "1e3s", ""]),
    (read_size, ["8 MB!", "1.5MiB", -1, 1.0, True, None, "2000000GiB", "MiB"]),
    (read_share, ["120%", 1.5, -0.1, True, "20", None, "%"]),
    (read_address, ["8080", 8080, "a:b", "a:80800", "::1:80", "[::1]", "a b:80", "", "é:80", "[a]:80"]),
    (read_address, [None, "a:\uff18"]),
    (
        read_url,
        [
            "churn:80", "ftp://a", "http://", "http://a:99999", "http://a:0", "http://a/v2", "http://a?b", "http://a#",
            "http://u:p@a", "http://a b", "http://*.a", "http://[::1", 5, None, "http://" + "a" * 600, "http://é",
        ],
    ),
    (read_version, ["1.0", "1", "latest", "^1.0.0", 1.1, 1, True, None, [], "01.0.0"]),
    (read_range, ["newest", "", 1.1, None, True, "1..2", [1]]),
    (read_date, ["2026-13-01", "2026-12-01T00:00:00", "tomorrow", 20261201, None, "1960-01-01", "20261201"]),
    (read_network, ["10.0.0.0/33", "home", 10, None, True, b"\x7f\x00\x00\x01"]),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value", "result"), RIGHT)
def test_a_value_is_converted(read, value, result) -> None:
    assert read(value) == result
    assert type(read(value)) is type(result)


@pytest.mark.parametrize(("read", "value"), [(read, value) for read, values in WRONG for value in values])
def test_a_wrong_value_is_refused_with_what_is_allowed(read, value) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        read(value)
    assert refusal.value.context["allowed"]


def test_a_number_for_a_version_is_met_with_the_quoted_version_that_was_meant() -> None:
    for number, meant in ((1.1, '"1.1.0"'), (2, '"2.0.0"'), (1e30, '"1.1.0"')):
        with pytest.raises(PydanticCustomError, match=f"quote it: {meant}"):
            read_version(number)


def test_credentials_in_a_url_are_refused_without_being_shown() -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        read_url("http://user:hunter2@a")
    assert "hunter2" not in str(refusal.value.context)
    assert refusal.value.context["problem"] == "found a URL with credentials in it"
