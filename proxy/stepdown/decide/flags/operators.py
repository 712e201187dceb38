"""JSONLogic's plain operators: functions of arguments that are evaluated already.

Arguments that an operator does not take are evaluated and ignored, as flagd's engine does; missing ones are null.
Results are bounded, since an accumulator of `reduce` could otherwise double at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepdown.decide.flags.values import NOT_A_NUMBER, equal, is_nan, number, ordered, text, truthy
from stepdown.decide.flags.versions import sem_ver

LONGEST_TEXT = 64 * 1024
"""Characters that `cat` may make."""

LONGEST_LIST = 10_000
"""Items that `merge` may make."""

LONGEST_NUMBER = 4096
"""Bits of the largest whole number that arithmetic may make."""


class TooLargeError(Exception):
    """An operator's result is over its bound."""


def _bounded(value: Any) -> Any:
    if type(value) is int and value.bit_length() > LONGEST_NUMBER:
        raise TooLargeError(f"a number of more than {LONGEST_NUMBER} bits")
    return value


def _not_equal(left: Any = None, right: Any = None, *_: Any) -> bool:
    return not equal(left, right)


def _equal(left: Any = None, right: Any = None, *_: Any) -> bool:
    return equal(left, right)


def _same(left: Any = None, right: Any = None, *_: Any) -> bool:
    return bool(left == right)


def _not_same(left: Any = None, right: Any = None, *_: Any) -> bool:
    return bool(left != right)


def _less(left: Any, right: Any) -> bool:
    left, right = ordered(left, right)
    return bool(left < right)


def _less_or_equal(left: Any, right: Any) -> bool:
    left, right = ordered(left, right)
    return bool(left <= right)


def _chained(holds: Callable[[Any, Any], bool], swapped: bool) -> Callable[..., bool]:
    """A comparison of two values, or of three as in `1 < x < 5`; `swapped` makes less into greater."""

    def compare(first: Any = None, second: Any = None, third: Any = None, *_: Any) -> bool:
        if not (holds(second, first) if swapped else holds(first, second)):
            return False
        return third is None or (holds(third, second) if swapped else holds(second, third))

    return compare


def _not(value: Any = None, *_: Any) -> bool:
    return not truthy(value)


def _truthy(value: Any = None, *_: Any) -> bool:
    return truthy(value)


def _add(*values: Any) -> Any:
    total: Any = 0
    for value in values:
        total += number(value)
    return _bounded(total)


def _multiply(*values: Any) -> Any:
    product: Any = 1
    for value in values:
        product = _bounded(product * _bounded(number(value)))
    return product


def _subtract(left: Any = None, right: Any = None, *_: Any) -> Any:
    if right is None:
        return -number(left)
    return _bounded(number(left) - number(right))


def _divide(left: Any = None, right: Any = None, *_: Any) -> Any:
    return number(left) / number(right)


def _modulo(left: Any = None, right: Any = None, *_: Any) -> Any:
    return number(left) % number(right)


def _least(*values: Any) -> Any:
    return min([number(value) for value in values]) if values else NOT_A_NUMBER


def _greatest(*values: Any) -> Any:
    return max([number(value) for value in values]) if values else NOT_A_NUMBER


def _concatenate(*values: Any) -> str:
    joined = "".join([text(value) for value in values])
    if len(joined) > LONGEST_TEXT:
        raise TooLargeError(f"a text of more than {LONGEST_TEXT} characters")
    return joined


def _contained(needle: Any = None, haystack: Any = None, *_: Any) -> bool:
    if isinstance(haystack, list):
        return needle in haystack
    return isinstance(haystack, str) and text(needle) in haystack


def _merge(*values: Any) -> list[Any]:
    items: list[Any] = []
    for value in values:
        if isinstance(value, list):
            items.extend(value)
        else:
            items.append(value)
    if len(items) > LONGEST_LIST:
        raise TooLargeError(f"a list of more than {LONGEST_LIST} items")
    return items


def _substring(source: Any = None, start: Any = None, length: Any = None, *_: Any) -> str:
    """From `start` (negative: counted from the end), `length` characters (negative: without so many at the end)."""
    whole, start = text(source), number(start)
    size = len(whole)
    if is_nan(start):
        first = 0
    elif start < 0:
        first = size - int(-start) if -start < size else 0
    else:
        first = min(int(start), size)
    if length is None:
        return whole[first:]
    length = number(length)
    if is_nan(length):
        return ""
    length = int(length)
    return whole[first : first + length] if length >= 0 else whole[first : max(size + length, first)]


def _starts_with(*values: Any) -> bool | None:
    subject, prefix = values if len(values) == 2 else (None, None)
    return subject.startswith(prefix) if isinstance(subject, str) and isinstance(prefix, str) else None


def _ends_with(*values: Any) -> bool | None:
    subject, suffix = values if len(values) == 2 else (None, None)
    return subject.endswith(suffix) if isinstance(subject, str) and isinstance(suffix, str) else None


def _log(value: Any = None, *_: Any) -> Any:
    """Its argument; nothing is written anywhere."""
    return value


OPERATORS: dict[str, Callable[..., Any]] = {
    "==": _equal,
    "!=": _not_equal,
    "===": _same,
    "!==": _not_same,
    "<": _chained(_less, False),
    ">": _chained(_less, True),
    "<=": _chained(_less_or_equal, False),
    ">=": _chained(_less_or_equal, True),
    "!": _not,
    "!!": _truthy,
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "min": _least,
    "max": _greatest,
    "cat": _concatenate,
    "substr": _substring,
    "in": _contained,
    "merge": _merge,
    "log": _log,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "sem_ver": sem_ver,
}
