"""What emitted code calls: looking into lazy documents where a line of its own would be long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Raw

from stepdown_adapters.codec import Lazy
from stepdown_adapters.errors import Refusal
from stepdown_adapters.json_values import kind
from stepdown_adapters.paths import LAST, Where
from stepdown_adapters.strict import Strict

MISSING: Any = object()
"""Stands where a document has nothing."""


class Runtime:
    """The names that emitted code finds in its namespace, for one codec."""

    def __init__(self, codec: Lazy | Strict) -> None:
        self._codec = codec

    def namespace(self) -> dict[str, Any]:
        """Names to their objects."""
        return {
            "MISSING": MISSING,
            "Raw": Raw,
            "Refusal": Refusal,
            "opened": self._codec.raw_opened,
            "object_of": self._codec.object_of,
            "items": self._codec.raw_items,
            "plain": self._codec.plain,
            "decode": self._codec.decode,
            "matching": self.matching,
            "only": only,
            "entries_of": entries_of,
            "entries_if_any": entries_if_any,
            "keys_of": keys_of,
            "keys_if_any": keys_if_any,
            "key_of": key_of,
            "key_if_any": key_if_any,
            "put": put,
            "copied": copied,
            "each": each,
        }

    def matching(self, value: Any, where: Where, fails: bool) -> list[int]:
        """Indices of the items that fit, each of them opened."""
        if not isinstance(value, list):
            if fails:
                raise Refusal(f"{kind(value)} has no items")
            return []
        name, text, decode, found = where.name, where.text, self._codec.decode, []
        for index, item in enumerate(value):
            if item.__class__ is Raw:
                item = value[index] = self._codec.opened(item)  # noqa: PLW2901
            if not isinstance(item, dict):
                continue
            member = item.get(name, MISSING)
            if member.__class__ is Raw:
                member = decode(member)  # not written back: reading a part does not touch it
            if member == text if member.__class__ is str else member is not MISSING and where.accepts(member):
                found.append(index)
        if not found and fails:
            raise Refusal(f"no item fits {where}")
        return found


def only(found: list[int], where: Where) -> int:
    """The one index of `found`; -1 if there is none."""
    if len(found) > 1:
        raise Refusal(f"{where} fits {len(found)} items, and one is needed")
    return found[0] if found else -1


def keys_of(value: Any) -> Iterable[Any]:
    """Indices of an array, or names of an object's members, safe while members are set."""
    if isinstance(value, list):
        return range(len(value))
    if isinstance(value, dict):
        return list(value)
    raise Refusal(f"{kind(value)} has neither items nor members")


def entries_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """Indices of an array with its items, or an object's members, safe while they are set."""
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict):
        return list(value.items())
    raise Refusal(f"{kind(value)} has neither items nor members")


def entries_if_any(value: Any) -> Iterable[tuple[Any, Any]]:
    """Like `entries_of`, and nothing for other values."""
    return entries_of(value) if isinstance(value, list | dict) else ()


def keys_if_any(value: Any) -> Iterable[Any]:
    """Like `keys_of`, and nothing for other values."""
    return keys_of(value) if isinstance(value, list | dict) else ()


def key_if_any(value: Any, name: str, index: int | None) -> Any:
    """What `name` means in this container: itself or an index; `MISSING` where it leads nowhere."""
    if isinstance(value, dict):
        return name if name in value else MISSING
    if isinstance(value, list) and index is not None and index < len(value):
        return index
    return MISSING


def key_of(value: Any, name: str, index: int | None) -> Any:
    """Like `key_if_any`, but a refusal where it leads nowhere."""
    key = key_if_any(value, name, index)
    if key is MISSING:
        raise Refusal(f"{kind(value)} has no member {name!r}")
    return key


def put(value: Any, name: str, index: int | None, new: Any) -> None:
    """Sets a member, or inserts an item before `index` (after the last for `-`)."""
    if isinstance(value, dict):
        value[name] = new
    elif isinstance(value, list) and name == LAST:
        value.append(new)
    elif isinstance(value, list) and index is not None and index <= len(value):
        value.insert(index, new)
    else:
        raise Refusal(f"{kind(value)} cannot hold {name!r}")


def copied(value: Any) -> Any:
    """A copy that shares nothing that can change."""
    if isinstance(value, dict):
        return {name: copied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def each(value: Any, function: Callable[[Any], Any]) -> Any:
    """The function applied to every item or member of an opened value."""
    if isinstance(value, dict):
        for name, member in value.items():
            value[name] = function(member)
        return value
    if isinstance(value, list):
        return [function(item) for item in value]
    raise Refusal(f"{kind(value)} has neither items nor members")
