"""JSONLogic's `var`: reading a value by a path such as `user.plan` or `tags.0`.

A path goes through objects by member name and through lists and texts by index or `length`. What is not there, and what
is null, is the default.
"""

from __future__ import annotations

from typing import Any

from stepdown.decide.flags.values import is_nan, text


def walk(value: Any, segments: tuple[str, ...] | list[str], default: Any = None) -> Any:
    """The value at the end of the path."""
    for segment in segments:
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list | str):
            if segment == "length":
                # The engine ends here, whatever comes after.
                return len(value)
            # Written as JavaScript writes an index: no sign, no leading zero.
            if not segment.isdecimal() or len(segment) > 9 or segment != str(int(segment)):
                return default
            index = int(segment)
            if index >= len(value):
                return default
            value = value[index]
        else:
            return default
    return default if value is None else value


def read(data: Any, key: Any = None, default: Any = None, *_: Any) -> Any:
    """`var` with a key known only now; `data` is the whole context, or the item that an iteration is at."""
    if key is None or key == "":
        return data
    if isinstance(key, int | float):
        return _item(data, key, default)
    return walk(data, text(key).split("."), default)


def _item(data: Any, key: float, default: Any) -> Any:
    """A numeric key is an index of a list or a text; members of objects have names, never numbers."""
    if not isinstance(data, list | str) or is_nan(key):
        return default
    index = int(key)
    return data[index] if index == key and 0 <= index < len(data) else default


def missing(data: Any, keys: list[Any]) -> list[Any]:
    """The keys, in their order, whose values are absent, null or the empty text."""
    found = [(key, read(data, key)) for key in keys]
    return [key for key, value in found if value is None or (isinstance(value, str) and value == "")]
