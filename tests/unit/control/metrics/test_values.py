"""Numbers in Prometheus' text, and counts among them."""

from __future__ import annotations

import pytest

from stepdown.control.metrics.asking import Inconclusive
from stepdown.control.metrics.values import count, finite, is_number


@pytest.mark.parametrize("text", ["0", "0.97", "-3", "+3", "1e-05", "1.5E+10", ".5", "5.", "NaN", "+Inf", "-Inf"])
def test_what_prometheus_writes_is_a_number(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "x", "1_000", "0x10", "1,5", " 1", "1\n", "٣", "1e", "--1", "1" * 401])
def test_nothing_else_is(text: str) -> None:
    assert not is_number(text)
    assert isinstance(finite(text), Inconclusive)


@pytest.mark.parametrize(("text", "events"), [("0", 0), ("12", 12), ("11.6", 12), ("0.2", 0), ("-0", 0), ("1e3", 1000)])
def test_a_count_is_rounded(text: str, events: int) -> None:
    assert count(text) == events


@pytest.mark.parametrize("text", ["-0.5", "-1", "NaN", "+Inf", "1e300", "1e999", "x"])
def test_what_is_no_count_is_inconclusive(text: str) -> None:
    assert isinstance(count(text), Inconclusive)
