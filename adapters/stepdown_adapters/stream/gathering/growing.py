"""A document that grows by deltas, within a budget of bytes.

Streams of the OpenAI family send an answer as deltas that are laid over each other: texts are continued, objects are
laid over member by member, items of lists belong together by their `index`. What identifies a thing (its id, its type,
the name of a function) is said once by some servers and with every delta by others, and is never continued.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

import msgspec

_SAID_WHOLE = frozenset({"id", "type", "role", "name", "finish_reason", "object", "status"})
_ENTRY = 64
"""Bytes that a member or item counts beside its text."""

_encode = msgspec.json.Encoder().encode


class Budget:
    """How many bytes may still be kept."""

    __slots__ = ("left", "spent")

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.spent = False

    def take(self, size: int) -> bool:
        """Whether so many more may be kept; after the first that may not, none may, so that no text has a gap."""
        if size > self.left:
            self.left = 0
            self.spent = True
            return False
        self.left -= size
        return True

    def keep(self, into: dict[str, Any], name: str, value: Any) -> None:
        """Sets a member whole, unless it has that value already, or there is no room."""
        if (name not in into or into[name] != value) and self.take(_ENTRY + weight(value)):
            into[name] = value

    def replace(self, into: dict[str, Any], name: str, value: Any) -> None:
        """The same where the value before was set whole, too: it makes room for the new one."""
        if name not in into:
            self.keep(into, name, value)
        elif into[name] != value and self.take(weight(value) - weight(into[name])):
            into[name] = value


class Indexed:
    """Items of a list that come in parts, by their index; no dict, for it must not be taken for an object."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[int, dict[str, Any]] = {}

    def item(self, index: Any, budget: Budget) -> dict[str, Any] | None:
        """The item at an index, made if there is none; `None` where there is no room for it."""
        place = index if isinstance(index, int) else 0
        if place not in self._items:
            if not budget.take(_ENTRY):
                return None
            self._items[place] = {}
        return self._items[place]

    def settled(self) -> list[tuple[int, dict[str, Any]]]:
        """The items as plain JSON, in the order of their index, and each with it."""
        return [(index, settled(self._items[index])) for index in sorted(self._items)]


def weight(value: Any) -> int:
    """The bytes that a value counts: those of its text, without encoding it where it is a text."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="replace"))
    return len(_encode(value)) if isinstance(value, dict | list) else _ENTRY


def grow(into: dict[str, Any], delta: dict[str, Any], budget: Budget) -> None:
    """Lays a delta over what there is."""
    for name, value in delta.items():
        if value is None:
            if name not in into:
                budget.keep(into, name, None)
        elif isinstance(value, str) and name not in _SAID_WHOLE:
            _continue(into, name, value, budget)
        elif isinstance(value, dict):
            if not isinstance(into.get(name), dict):
                budget.keep(into, name, {})
            if isinstance(inner := into.get(name), dict):
                grow(inner, value, budget)
        elif isinstance(value, list):
            _extend(into, name, value, budget)
        elif value != "":
            budget.keep(into, name, value)


def settled(value: Any) -> Any:
    """What has grown, as plain JSON; items are in the order of their index, which they no longer have."""
    if isinstance(value, StringIO):
        return value.getvalue()
    if isinstance(value, Indexed):
        return [{name: member for name, member in item.items() if name != "index"} for _, item in value.settled()]
    if isinstance(value, dict):
        return {name: settled(member) for name, member in value.items()}
    return value


def _continue(into: dict[str, Any], name: str, text: str, budget: Budget) -> None:
    buffer = into.get(name)
    if not isinstance(buffer, StringIO):
        if not budget.take(_ENTRY):
            return
        buffer = into[name] = StringIO()
    if budget.take(weight(text)):
        buffer.write(text)


def _extend(into: dict[str, Any], name: str, items: list[Any], budget: Budget) -> None:
    known = into.get(name)
    if items and all(isinstance(item, dict) and "index" in item for item in items):
        if not isinstance(known, Indexed):
            known = into[name] = Indexed()
        for item in items:
            if (place := known.item(item["index"], budget)) is not None:
                grow(place, item, budget)
        return
    if not isinstance(known, list):
        known = into[name] = []
    known += [item for item in items if budget.take(_ENTRY + weight(item))]
