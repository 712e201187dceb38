"""Canonical CBOR, by the examples of RFC 8949, appendix A."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown.decide.flags.cbor import NotEncodableError, canonical


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (100, "1864"),
        (1000, "1903e8"),
        (1000000, "1a000f4240"),
        (1000000000000, "1b000000e8d4a51000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (18446744073709551616, "c249010000000000000000"),
        (-18446744073709551616, "3bffffffffffffffff"),
        (-18446744073709551617, "c349010000000000000000"),
        (-1, "20"),
        (-100, "3863"),
        (1.1, "fb3ff199999999999a"),
        (1.5, "f93e00"),
        (3.4028234663852886e38, "fa7f7fffff"),
        (1.0e300, "fb7e37e43c8800759c"),
        (5.960464477539063e-8, "f90001"),
        (0.00006103515625, "f90400"),
        (-4.1, "fbc010666666666666"),
        (float("inf"), "f97c00"),
        (float("nan"), "f97e00"),
        (False, "f4"),
        (True, "f5"),
        (None, "f6"),
        ("", "60"),
        ("IETF", "6449455446"),
        ("\u00fc", "62c3bc"),
        ([], "80"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({}, "a0"),
        ({"bb": 1, "a": [2, 3]}, "a26161820203626262" + "01"),
        # Whole numbers written as fractions are whole numbers, as flagd has it.
        (1.0, "01"),
        (-4.0, "23"),
        (-0.0, "00"),
    ],
)
def test_a_value_has_one_encoding(value: Any, encoded: str) -> None:
    assert canonical(value).hex() == encoded


def test_what_is_no_json_value_has_none() -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    for value in (object(), b"x", deep):
        with pytest.raises(NotEncodableError):
            canonical(value)
