"""Compares what is said of arrays: tuples by index, other items, counts, uniqueness, `contains`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.scalars import counts
from stepdown_adapters.diff.unevaluated import compare as compare_unevaluated
from stepdown_adapters.paths import Every, Member, Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk


def compare(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Writes down all differences of arrays at one place."""
    _tuple(walk, older, newer, path)
    _rest(walk, older.get("items", True), newer.get("items", True), path + Path((Every(),)))
    _count(walk, older, newer, path)
    old, new = bool(older.get("uniqueItems")), bool(newer.get("uniqueItems"))
    if old != new:
        word = "added" if new else "removed"
        facts: dict[str, Any] = {"before": old, "after": new, "keyword": "uniqueItems"}
        walk.note(f"unique-items/{word}", path, older=older, newer=newer, **facts)
    _contains(walk, older, newer, path)
    compare_unevaluated(walk, older, newer, path, keyword="unevaluatedItems", name="unevaluated-items")


def _tuple(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    old, new = older.get("prefixItems", []), newer.get("prefixItems", [])
    for index in range(max(len(old), len(new))):
        at = path + Path((Member(str(index)),))
        if index < len(old) and index < len(new):
            walk.compare(old[index], new[index], at)
            continue
        before = old[index] if index < len(old) else older.get("items", True)
        after = new[index] if index < len(new) else newer.get("items", True)
        if walk.same(before, after):
            continue
        covered = walk.holds(walk.tried(before, after, at))
        facts: dict[str, Any] = {"before": before, "after": after, "keyword": "prefixItems"}
        if index < len(new):
            walk.note("prefix-added" if covered else "prefix-added/uncovered", at, **facts)
        else:
            walk.note("prefix-removed/covered" if covered else "prefix-removed", at, **facts)


def _rest(walk: Walk, old: Any, new: Any, path: Path) -> None:
    if old is False or new is False:
        if old is not new:
            word = "loosened" if old is False else "tightened"
            walk.note(f"items-changed/{word}", path, before=old, after=new, keyword="items")
        return
    walk.compare(old, new, path)


def _count(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    old, new = _fixed(older), _fixed(newer)
    if old is not None and new is not None and old != new:
        facts: dict[str, Any] = {"before": old, "after": new, "keyword": "minItems"}
        walk.note("fixed-length", path, older=older, newer=newer, **facts)
        return
    counts(walk, older, newer, path, name="items-count/", keywords=("minItems", "maxItems"))


def _fixed(flat: Flat) -> int | None:
    """The only length, where there is one."""
    least, most = flat.get("minItems", 0), flat.get("maxItems")
    return least if least == most else None


def _contains(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    if not {"contains"} & (older.keys() | newer.keys()):
        return
    facts: dict[str, Any] = {"keyword": "contains", "older": older, "newer": newer}
    facts |= {"before": older.get("contains"), "after": newer.get("contains")}
    if "contains" not in older or "contains" not in newer:
        word = "loosened" if "contains" in older else "tightened"
        walk.note(f"contains/{word}", path, **facts)
        return
    if walk.same(older["contains"], newer["contains"]):
        old = {"minContains": 1} | older
        new = {"minContains": 1} | newer
        counts(walk, old, new, path, name="contains/", keywords=("minContains", "maxContains"))
        return
    sent, accepted = walk.sent_first(older, newer)
    holds = walk.holds(walk.tried(older["contains"], newer["contains"], path))
    enough = sent.get("minContains", 1) >= accepted.get("minContains", 1) and "maxContains" not in accepted
    if holds and enough:
        walk.note("contains/tightened" if walk.responds else "contains/loosened", path, **facts)
    else:
        walk.note("contains/loosened" if walk.responds else "contains/tightened", path, **facts)
