"""How JSONLogic reads values: as true or false, as numbers, as text, as equal, as ordered.

The rules are JavaScript's as flagd's engine of the second generation renders them in Python, and where the two differ
the engine's hold, since the same file must give the same answer in both: `True` and `False` are numbers and their text
is `True` and `False`, a float has 15 digits, lists and objects are equal (`==`) only to themselves, and dividing by
zero is an error. A list of what differs from JavaScript is in docs/flags.md.
"""

from __future__ import annotations

from typing import Any

NOT_A_NUMBER = float("nan")

_INFINITIES = frozenset({"inf", "+inf", "-inf"})
"""Texts that Python reads as numbers and JSONLogic does not."""


def is_nan(value: float) -> bool:
    """Whether a number is none; `math.isnan` cannot be asked about large whole numbers."""
    return value != value  # noqa: PLR0124


def truthy(value: Any) -> bool:
    """Null, false, 0, NaN, the empty text and the empty list are false; an object, even an empty one, is true."""
    if value is None:
        return False
    if isinstance(value, float):
        return not is_nan(value) and value != 0.0
    if isinstance(value, str | int | list):
        return bool(value)
    return True


def number(value: Any) -> Any:
    """An int or a float: NaN for what is no number, 0 for null and the empty list. Foreign types raise `TypeError`."""
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if isinstance(value, list):
        if len(value) == 1:
            return number(value[0])
        return NOT_A_NUMBER if value else 0
    if isinstance(value, dict):
        return NOT_A_NUMBER
    if isinstance(value, str) and value.strip().lower() in _INFINITIES:
        return NOT_A_NUMBER
    try:
        return float(value)
    except ValueError:
        return NOT_A_NUMBER


def text(value: Any) -> str:
    """The value as `cat` writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, list):
        return ",".join([text(item) for item in value])
    if isinstance(value, dict):
        return "[object Object]"
    return str(value)


def equal(left: Any, right: Any) -> bool:
    """`==`: of one type by value (lists and objects by identity), else as numbers where one is a number or boolean."""
    kind = type(left)
    if kind is type(right):
        return left is right if kind is list or kind is dict else bool(left == right)
    if isinstance(left, int | float) or isinstance(right, int | float):
        return _equal_as_numbers(left, right)
    if left is None or right is None:
        return False
    if isinstance(left, str) and isinstance(right, list | dict):
        return left == text(right)
    if isinstance(right, str) and isinstance(left, list | dict):
        return text(left) == right
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        return False
    raise TypeError(f"{kind.__name__} and {type(right).__name__} cannot be compared")


def _equal_as_numbers(left: Any, right: Any) -> bool:
    return bool(number(left) == number(right))


def ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides made comparable: as numbers where one is a number, else as texts where one is a text."""
    if type(left) is str and type(right) is str:
        return left, right
    if isinstance(left, int | float) or isinstance(right, int | float):
        return number(left), number(right)
    if isinstance(left, str) or isinstance(right, str):
        return text(left), text(right)
    return number(left), number(right)
