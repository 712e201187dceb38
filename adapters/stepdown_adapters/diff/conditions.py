"""Compares conditions: `not`, `if`, dependencies between members, and the parts of `allOf` that stand apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.paths import Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk


def compare(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Writes down all differences of conditions at one place."""
    _not(walk, older, newer, path)
    _if(walk, older, newer, path)
    _all_of(walk, older, newer, path)
    _required(walk, older, newer, path)
    before, after = older.get("dependentSchemas", {}), newer.get("dependentSchemas", {})
    for name in dict.fromkeys([*before, *after]):
        walk.graded("dependent", before.get(name), after.get(name), path, keyword="dependentSchemas")
    for keyword in ("dependencies", "additionalItems"):  # draft 7's, which a contract should not have any more
        if older.get(keyword) != newer.get(keyword):
            walk.note("undecided", path, before=older.get(keyword), after=newer.get(keyword), keyword=keyword)


def _not(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    before, after = older.get("not"), newer.get("not")
    facts: dict[str, Any] = {"before": before, "after": after, "keyword": "not"}
    if before is None or after is None:
        if before is not after:
            walk.note("not/loosened" if after is None else "not/tightened", path, **facts)
        return
    if walk.same(before, after):
        return
    with walk.swapped():
        holds = walk.covered(before, after)
    walk.note("not/tightened" if holds == walk.responds else "not/loosened", path, **facts)


def _if(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    old, new = _conditional(older), _conditional(newer)
    facts: dict[str, Any] = {"before": old, "after": new, "keyword": "if"}
    if old is None or new is None:
        if old is not new:
            walk.note("condition/removed" if new is None else "condition/added", path, **facts)
    elif walk.same(old["if"], new["if"]):
        for keyword in ("then", "else"):
            walk.compare(old.get(keyword, True), new.get(keyword, True), path)
    else:
        walk.note("condition/changed", path, **facts)


def _conditional(flat: Flat) -> Flat | None:
    """The condition with its consequences, if it has any."""
    if "if" not in flat or not flat.keys() & {"then", "else"}:
        return None
    return {keyword: flat[keyword] for keyword in ("if", "then", "else") if keyword in flat}


def _required(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """What a member asks for beside it; what is sent in any case may be asked for without harm."""
    before, after = older.get("dependentRequired", {}), newer.get("dependentRequired", {})
    always = set(walk.sent_first(older, newer)[0].get("required", ()))
    for name in dict.fromkeys([*before, *after]):
        old, new = set(before.get(name, ())), set(after.get(name, ()))
        facts: dict[str, Any] = {"before": sorted(old), "after": sorted(new), "keyword": "dependentRequired"}
        if old - new:
            walk.note("dependent/loosened", path, proved=old - new <= always or None, **facts)
        if new - old:
            walk.note("dependent/tightened", path, proved=new - old <= always or None, **facts)


def _all_of(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Each part that the accepting side demands must follow from one part of the sending side, or from its rest."""
    before, after = list(older.get("allOf", ())), list(newer.get("allOf", ()))
    for old in list(before):
        match = next((new for new in after if walk.same(old, new)), None)
        if match is not None:
            before.remove(old)
            after.remove(match)
    if len(before) == 1 and len(after) == 1:
        walk.compare(before[0], after[0], path)
        return
    for old in before:
        rest = {keyword: value for keyword, value in newer.items() if keyword != "allOf"}
        follows = walk.responds and any(walk.covered(old, new) for new in (*after, rest))
        walk.note("all-of/removed", path, before=old, keyword="allOf", proved=follows or None)
    for new in after:
        rest = {keyword: value for keyword, value in older.items() if keyword != "allOf"}
        follows = not walk.responds and any(walk.covered(old, new) for old in (*before, rest))
        walk.note("all-of/added", path, after=new, keyword="allOf", proved=follows or None)
