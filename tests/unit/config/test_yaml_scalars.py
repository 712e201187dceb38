from __future__ import annotations

import pytest

from stepdown.config.yaml_scalars import resolve


@pytest.mark.parametrize(
    "text", ["no", "yes", "on", "off", "y", "NO", "2026-12-01", "12:30", "0b1", "1_000", "<<", "1.1.0"]
)
def test_what_only_yaml_1_1_reads_as_something_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False),
        ("12", 12), ("-3", -3), ("+4", 4), ("0o17", 15), ("0xff", 255), ("010", 10),
        ("1.0", 1.0), ("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
    ],
)  # fmt: skip
def test_the_core_schema_decides_the_type(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text", ["18446744073709551616", "-9223372036854775809", "1e999", "-1e999", ".inf", ".nan", "9" * 5000]
)
def test_numbers_that_json_cannot_carry_stay_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63)])
def test_the_largest_numbers_are_still_numbers(number: int) -> None:
    assert resolve(str(number)) == number
