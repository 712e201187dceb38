"""Members inside of objects that came or went as a whole: where a member was nested into a new object, or hoisted out.

The walk tells of the object only. For guesses its members are candidates like any that came or went by themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from stepdown_adapters.diff.found import Flat, Found
from stepdown_adapters.diff.values import types_of
from stepdown_adapters.paths import Member, Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

MAX_LEVELS = 3
MAX_MEMBERS = 200
"""Of one object that came or went; each is compared with all that came or went on the other side."""


def members_within(walk: Walk, holder: Found, *, removed: bool) -> list[Found]:
    """What the object of a removed or added member declares, at any depth, as removed or added members."""
    found: list[Found] = []
    level = [holder]
    for _ in range(MAX_LEVELS):
        level = [inner for one in level for inner in _members(walk, one, removed=removed)]
        found += level
        if len(found) > MAX_MEMBERS:
            return []
    return found


def emptied(walk: Walk, holder: Found, moved: Collection[Path]) -> bool:
    """Whether every member that a removed object declares was moved, so that it lives on in what became of them."""
    if holder.path in moved:
        return True
    inner = _members(walk, holder, removed=True)
    return bool(inner) and all(emptied(walk, one, moved) for one in inner)


def _members(walk: Walk, holder: Found, *, removed: bool) -> list[Found]:
    flat = _object(walk, holder, removed=removed)
    required = flat.get("required", [])
    members = []
    for name, schema in flat.get("properties", {}).items():
        side = {"before": schema, "older": flat} if removed else {"after": schema, "newer": flat}
        path = holder.path + Path((Member(name),))
        inside = replace(holder, path=path, holder=holder.path, required=holder.required and name in required, **side)
        if schema is not False:
            members.append(inside)
    return members


def _object(walk: Walk, one: Found, *, removed: bool) -> Flat:
    older, newer = walk.flats(one.before if removed else True, True if removed else one.after)
    flat = older if removed else newer
    return flat if types_of(flat) == {"object"} else {}
