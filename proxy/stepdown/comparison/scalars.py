"""When two values that hold no others are equal, and how far apart they are.

Integers and floats are equal by value, exactly, however long they are. `true` is no number. NaN, which JSON does not
have but Python's documents may, equals itself.
"""

from __future__ import annotations

import math
from typing import Any

from stepdown.decide.shadow_spec import Tolerance

CHUNK = 8192
"""Characters of texts that are compared at once: a similarity takes time by the product of both lengths."""


def kind_of(value: Any) -> str:
    """`null`, `boolean`, `number`, `string`, `array` or `object`."""
    return _KINDS.get(type(value), "object")


_KINDS = {
    type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array",
}  # fmt: skip


def equal(served: Any, candidate: Any, tolerance: Tolerance | None) -> bool:
    """Whether two scalars are equal; numbers are within a tolerance where |a - b| <= absolute + relative |b|.

    `b` is the served number. Infinities are equal to themselves only.
    """
    if isinstance(served, bool) or isinstance(candidate, bool):
        return served is candidate
    if served == candidate:
        return True
    if not (isinstance(served, int | float) and isinstance(candidate, int | float)):
        return False
    if served != served or candidate != candidate:  # noqa: PLR0124 - NaN
        return served != served and candidate != candidate  # noqa: PLR0124
    return tolerance is not None and _within(served, candidate, tolerance)


def _within(served: float, candidate: float, tolerance: Tolerance) -> bool:
    try:
        if not (math.isfinite(served) and math.isfinite(candidate)):
            return False
        return bool(abs(candidate - served) <= tolerance.absolute + tolerance.relative * abs(served))
    except OverflowError:  # an integer beyond all floats
        return False


def magnitude(served: Any, candidate: Any) -> float:
    """How far apart two unequal scalars are: |a - b| / max(|a|, |b|) of finite numbers (0 to 2), else 1."""
    if kind_of(served) != "number" or kind_of(candidate) != "number":
        return 1.0
    try:
        # Halves first, so that the distance of two large floats is no infinity.
        apart = 2 * (abs(served / 2 - candidate / 2) / max(abs(served), abs(candidate)))
        return apart if math.isfinite(apart) else 1.0
    except (OverflowError, ZeroDivisionError):
        return 1.0


def similarity(served: str, candidate: str) -> float:
    """How similar two texts are: 1 - d / (n + m), d being the characters to insert or delete (as difflib's ratio).

    Texts longer than `CHUNK` are compared chunk by chunk between what they begin and end with in common, which can only
    find them less similar than they are; the time is bounded by the longer text, not by the product of both.
    """
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - 6 MiB, for comparers with such a rule only

    total = len(served) + len(candidate)
    if not total:
        return 1.0
    if max(len(served), len(candidate)) > CHUNK:
        served, candidate = _without_common(served, candidate)
    apart = sum(
        Indel.distance(served[start : start + CHUNK], candidate[start : start + CHUNK])
        for start in range(0, max(len(served), len(candidate)), CHUNK)
    )
    return 1.0 - apart / total


def _without_common(served: str, candidate: str) -> tuple[str, str]:
    """Both without what they begin with in common, and then without what they end with."""
    begin = _common(served, candidate)
    served, candidate = served[begin:], candidate[begin:]
    end = _common(served[::-1], candidate[::-1])
    return served[: len(served) - end], candidate[: len(candidate) - end]


def _common(first: str, second: str) -> int:
    """Length of the common beginning, found by halving."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
