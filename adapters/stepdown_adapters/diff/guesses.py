"""Recognises members that were probably renamed or moved: a removed one and an added one that are alike.

Protobuf fields have numbers; JSON members have only names, so this is always a guess, and said to be one. Alike are two
members with the same contract, or with the same types and similar names. Both keep their own differences: they are
compared as one member, at the older path, where the value is once the repair has moved it.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Found
from stepdown_adapters.diff.nesting import emptied, members_within
from stepdown_adapters.diff.values import types_of
from stepdown_adapters.paths import Member, Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

SIMILAR = 0.6
"""Of names, as `difflib` measures it, from where on the same types are enough."""
MAX_PAIRS = 2_500
_REMOVED = ("required-removed", "optional-removed/")
_ADDED = ("prop-added/",)


def guessed(walk: Walk) -> list[Found]:
    """All that the walk found, where pairs of removed and added members that are alike are one `renamed` or `moved`."""
    removed = [one for one in walk.found if one.kind.startswith(_REMOVED)]
    added = [one for one in walk.found if one.kind.startswith(_ADDED)]
    removed, added, _ = _paired(walk, removed, added)
    holders = [(one, members_within(walk, one, removed=True)) for one in removed]
    inside = [inner for one in added for inner in members_within(walk, one, removed=False)]
    *_, moved = _paired(walk, [*removed, *(inner for _, members in holders for inner in members)], [*added, *inside])
    if walk.responds:
        for holder, members in holders:
            _refilled(walk, holder, [one.path for one in moved if any(one is inner for inner in members)])
    return walk.found


def _paired(walk: Walk, removed: list[Found], added: list[Found]) -> tuple[list[Found], list[Found], list[Found]]:
    """Joins the pairs that are alike, the likest first; returns what is left of both, and the removed ones of pairs."""
    if not removed or not added or len(removed) * len(added) > MAX_PAIRS:
        return removed, added, []
    joined: list[Found] = []
    scored = [(_likeness(walk, one, other), one, other) for one in removed for other in added]
    for score, one, other in sorted(scored, key=lambda entry: -entry[0]):
        if score > 0 and _is_left(one, removed) and _is_left(other, added):
            removed = [left for left in removed if not _touches(left, one)]
            added = [left for left in added if not _touches(left, other)]
            _join(walk, one, other)
            joined.append(one)
    return removed, added, joined


def _is_left(one: Found, among: list[Found]) -> bool:
    return any(one is left for left in among)


def _touches(one: Found, other: Found) -> bool:
    """Whether one member is the other, holds it, or lies inside of it: a value goes one way only."""
    lengths = len(one.path.segments), len(other.path.segments)
    inside = one.path.segments[: min(lengths)] == other.path.segments[: min(lengths)]
    return one is other or (inside and lengths[0] != lengths[1])


def _holds(one: Found, removed: Found) -> bool:
    return one.kind.startswith(_REMOVED) and _touches(removed, one)


def _refilled(walk: Walk, holder: Found, moved: list[Path]) -> None:
    """An object whose members live on elsewhere comes back with them; what else it had, no repair makes up."""
    if moved and emptied(walk, holder, moved):
        walk.found[:] = [one for one in walk.found if one is not holder]
    elif moved:
        holder.refilled = True


def _likeness(walk: Walk, removed: Found, added: Found) -> float:
    """0 for two members that are different things."""
    old_path, new_path = removed.path, added.path
    old_name, new_name = _name(old_path), _name(new_path)
    same_place = old_path.parent == new_path.parent
    old, new = walk.flats(removed.before, added.after)
    types = types_of(old), types_of(new)
    if types[0] != types[1] or not _movable(old_path, new_path):
        return 0
    same = walk.same(removed.before, added.after) and bool(removed.before)
    names = SequenceMatcher(None, old_name, new_name).ratio()
    if not same_place:
        return 1 + names if old_name == new_name and len(types[0]) < 7 else 0
    if same:
        return 2 + names
    if names >= SIMILAR or _words(old_name) & _words(new_name):
        return 1 + names
    return 0


def _name(path: Path) -> str:
    return path.last.name if isinstance(path.last, Member) else ""


def _words(name: str) -> set[str]:
    return {word for word in name.lower().replace("-", "_").split("_") if len(word) > 2}


def _movable(old: Path, new: Path) -> bool:
    """Whether one value goes to one place: `*` and `[...]` may only stand where both paths are the same."""
    common = 0
    while common < min(len(old.segments), len(new.segments)) and old.segments[common] == new.segments[common]:
        common += 1
    rest = (*old.segments[common:], *new.segments[common:])
    inside = common in (len(old.segments), len(new.segments))
    return not inside and all(isinstance(segment, Member) for segment in rest)


def _join(walk: Walk, removed: Found, added: Found) -> None:
    """Puts one finding in the place of two, and the differences of the member itself behind it."""
    kind = "renamed" if removed.path.parent == added.path.parent else "moved"
    facts: dict[str, Any] = {"before": str(removed.path), "after": str(added.path), "target": added.path, "guess": True}
    about = (removed.path, added.path)
    inner = walk.tried(removed.before, added.after, removed.path)
    index = next((index for index, one in enumerate(walk.found) if one is removed or _holds(one, removed)), 0)
    joined = Found(kind, removed.path, required=removed.required and added.required, **facts)
    rest = [
        one
        for one in walk.found
        if one is not removed
        and one is not added
        and not (one.path in about and one.kind in ("became-required", "became-optional"))
    ]
    optional = Found("became-optional", removed.path, keyword="required", older=removed.older)
    found = [joined, *([optional] if removed.required and not added.required and walk.responds else []), *inner]
    index = min(index, len(rest))
    walk.found[:] = [*rest[:index], *found, *rest[index:]]
