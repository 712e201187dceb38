"""Numbers as servers of metrics write them, and what counts as one."""

from __future__ import annotations

import math
import re

from stepdown.control.metrics.asking import Inconclusive

MOST_COUNT = 2.0**53
"""Beyond it a float skips whole numbers."""

_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE | re.ASCII
).fullmatch


def is_number(text: str) -> bool:
    """Whether this is a number in Prometheus' text format: `0.97`, `1e-05`, `NaN`, `+Inf`."""
    return len(text) <= 400 and _NUMBER(text) is not None


def finite(text: str) -> float | Inconclusive:
    """A number that something can be said about."""
    number = float(text) if is_number(text) else math.nan
    return number if math.isfinite(number) else Inconclusive(f"the value is {text[:40]}")


def count(text: str) -> int | Inconclusive:
    """A number of events, rounded: what comes of Prometheus' `increase` is an estimate."""
    number = finite(text)
    if isinstance(number, Inconclusive):
        return number
    if not 0 <= number < MOST_COUNT:
        return Inconclusive(f"the value is {text[:40]}, which is no count")
    return round(number)
