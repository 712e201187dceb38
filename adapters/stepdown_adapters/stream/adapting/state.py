"""What one stream has left behind so far: the values of folds, within a bound."""

from __future__ import annotations

from typing import Any

import msgspec

from stepdown_adapters.codec import Codec
from stepdown_adapters.errors import AdaptersError, Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.operations.members import identity
from stepdown_adapters.operations.options import is_number
from stepdown_adapters.operations.scalars import number
from stepdown_adapters.runtime import MISSING
from stepdown_adapters.stream.adapting.folds import Fold

_SMALL = 16
"""Bytes that a value counts for besides its text."""


class StateTooLargeError(AdaptersError):
    """The folds of a stream hold more than is allowed."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(f"the folds of the stream hold more than {limit} bytes, {name!r} the last of them")


class Budget:
    """Bytes that all adapters of one stream may keep together."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def take(self, size: int, name: str) -> None:
        """Use some, or give some back; raises `StateTooLargeError`."""
        self.left -= size
        if self.left < 0:
            raise StateTooLargeError(name, self.limit)


class State:
    """The folds of one adapter in one stream; `values` is where rules read them."""

    __slots__ = ("_budget", "_codec", "_names", "_numbers", "_parts", "_sizes", "values")

    def __init__(
        self, folds: tuple[Fold, ...], starts: dict[str, Any], values: dict[str, Any], budget: Budget, codec: Codec
    ) -> None:
        self.values = values
        self._budget = budget
        self._codec = codec
        self._names = tuple(dict.fromkeys(fold.name for fold in folds))
        self._sizes: dict[str, int] = {}
        self._parts: dict[str, list[str]] = {}  # texts that are joined when somebody asks, not each time anew
        self._numbers: dict[str, dict[Any, int]] = {}
        for name in self._names:
            values.pop(name, None)  # a request may carry something of that name, which is not this
            if name in starts:
                start = starts[name]
                values[name] = list(start) if isinstance(start, list) else start

    def hear(self, fold: Fold, document: Any) -> None:
        """Take an event that a rule is for into account; raises `Refusal` and `StateTooLargeError`."""
        value = fold.value(document, self._codec)
        if value is MISSING:
            return
        name, values = fold.name, self.values
        match fold.how:
            case "join":
                if not isinstance(value, str):
                    raise Refusal(f"only texts can be joined, not {kind(value)}")
                self._budget.take(len(value), name)
                self._parts.setdefault(name, []).append(value)
            case "list":
                self._budget.take(_size(value), name)
                values[name].append(value)
            case "number":
                self._count(name, value)
            case "sum":
                total = values[name] + number(value)
                if not is_number(total):
                    raise Refusal("the sum is no finite number")
                values[name] = total
            case "count":
                values[name] += 1
            case "first" if name in values:
                pass
            case _:
                size = _size(value)
                self._budget.take(size - self._sizes.get(name, 0), name)
                self._sizes[name] = size
                values[name] = value

    def settle(self, name: str) -> None:
        """Bring `values` up to date about one name."""
        parts = self._parts.get(name)
        if parts:
            self.values[name] += "".join(parts)
            parts.clear()

    def document(self) -> dict[str, Any]:
        """All that is folded, by name."""
        for name in self._names:
            self.settle(name)
        return {name: self.values[name] for name in self._names if name in self.values}

    def _count(self, name: str, value: Any) -> None:
        known = self._numbers.setdefault(name, {})
        key = identity(value)
        if key not in known:
            self._budget.take(_size(value), name)
            known[key] = len(known)
        self.values[name] = known[key]


def _size(value: Any) -> int:
    """Bytes that a plain value takes, about."""
    if isinstance(value, str):
        return len(value) + _SMALL
    return (len(msgspec.json.encode(value)) if isinstance(value, list | dict) else 0) + _SMALL
