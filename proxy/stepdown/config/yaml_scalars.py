"""What a plain YAML scalar stands for: the core schema of YAML 1.2, where `no`, `on` and `2026-12-01` are text.

Numbers that JSON cannot carry to every reader (integers over 64 bits, infinities, not-a-number) stay text, and are
refused as such wherever a number is wanted.
"""

from __future__ import annotations

import math
import re

Value = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST = 64
"""Characters of the longest number; more is text."""
_LARGEST = 2**64
_SMALLEST = -(2**63)


def resolve(text: str) -> Value:
    """The value of an unquoted scalar."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if len(text) > _LONGEST:
        return text
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        whole = int(text, base)
        return whole if _SMALLEST <= whole < _LARGEST else text
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
