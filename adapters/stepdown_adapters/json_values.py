"""What the library asks of plain JSON values: their kind in words, equality, and whether they are JSON at all."""

from __future__ import annotations

from math import isfinite
from typing import Any

from msgspec import Raw

from stepdown_adapters.errors import Refusal

MAX_DEPTH = 200
"""Deeper documents are refused: a recursive client would fall over them (CVE-2025-67221 and its kin)."""

_KINDS_BY_FIRST_BYTE = {
    b"{": "an object",
    b"[": "an array",
    b'"': "a string",
    b"t": "a boolean",
    b"f": "a boolean",
    b"n": "null",
}


def kind(value: Any) -> str:
    """A value's kind for a sentence: `a string`, `an array`, ..."""
    if isinstance(value, Raw):
        return _KINDS_BY_FIRST_BYTE.get(bytes(value)[:1], "a number")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for types, name in ((str, "a string"), ((int, float), "a number"), (list, "an array"), (dict, "an object")):
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}"


def equal(one: Any, other: Any) -> bool:
    """JSON equality: numbers by value, `1` is not `true`, members in any order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def flaw(value: Any, depth: int = 0) -> str | None:
    """Why a Python value has no JSON text, or `None` when it has one."""
    if value is None or isinstance(value, bool | str):
        return _surrogates(value) if isinstance(value, str) else None
    if isinstance(value, int):
        return None
    if isinstance(value, float):
        return None if isfinite(value) else "NaN and infinities have no JSON form"
    if depth >= MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} levels"
    if isinstance(value, list | tuple):
        return next(filter(None, (flaw(item, depth + 1) for item in value)), None)
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                return f"the name of a member is a string, not {kind(name)}"
            found = _surrogates(name) or flaw(member, depth + 1)
            if found:
                return found
        return None
    return f"a Python {type(value).__name__} has no JSON form"


def require_array(value: Any) -> list[Any]:
    """The value itself, or a refusal."""
    if isinstance(value, list):
        return value
    raise Refusal(f"{kind(value)} is not an array")


def require_object(value: Any) -> dict[str, Any]:
    """The value itself, or a refusal."""
    if isinstance(value, dict):
        return value
    raise Refusal(f"{kind(value)} is not an object")


def _surrogates(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "a lone surrogate has no UTF-8 form"
    return None
