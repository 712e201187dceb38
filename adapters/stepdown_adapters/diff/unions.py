"""Compares alternatives: `anyOf` and `oneOf`, on one side or on both.

Alternatives are paired: the same ones, then those whose distinguishing member has the same constant, then those where
one covers the other, then those of the same shape. Paired ones are compared as any two schemas are. One that is left
over on the sending side has to be covered by one that is accepted. A side without alternatives counts as one of them.

`oneOf` excludes what fits two of its branches. Where the branches of both sides are disjoint that makes no difference;
else it is reported, and what is not decided by that is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from stepdown_adapters.diff.alternatives import STRUCTURAL, Alternatives, alternatives, disjoint, shape, tag
from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.values import type_names, types_of, with_types
from stepdown_adapters.json_values import equal
from stepdown_adapters.paths import Every, Path, where

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

Pair = tuple[int, int]


def compare(walk: Walk, older: Flat, newer: Flat, path: Path) -> bool:
    """Writes down all differences of alternatives; whether that was all there is to say of the place."""
    keywords = {"anyOf", "oneOf"}
    if not (older.keys() | newer.keys()) & keywords:
        return False
    if keywords <= older.keys() or keywords <= newer.keys():
        before, after = ({word: flat.get(word) for word in keywords} for flat in (older, newer))
        if not walk.same(before, after):
            walk.note("undecided", path, before=before, after=after, keyword="anyOf beside oneOf")
        return False
    both = bool(older.keys() & keywords and newer.keys() & keywords)
    old = alternatives(older, alone=both, flat_of=lambda one: walk.flats(one, True)[0])
    new = alternatives(newer, alone=both, flat_of=lambda one: walk.flats(True, one)[1])
    if _nothing_in_common(walk, old, new, path):
        return True
    pairs = list(_pairs(walk, old, new, both))
    for one, other in pairs:
        if _only_null(old.flats[one]) and _only_null(new.flats[other]):
            continue  # null is null; what is noted beside it is noted of the others too
        walk.compare(old.schemas[one], new.schemas[other], _place(walk, old, new, (one, other), path))
    _left_over(walk, old, new, pairs, path)
    _overlap(walk, old, new, pairs, path)
    return not both


def _only_null(flat: Flat) -> bool:
    return types_of(flat) == {"null"} and not flat.keys() & STRUCTURAL


def _nothing_in_common(walk: Walk, old: Alternatives, new: Alternatives, path: Path) -> bool:
    """Whether no alternative has a type of the other side: then the type changed, and that is all."""
    before, after = (frozenset[str]().union(*map(types_of, side.flats)) for side in (old, new))
    if before & after or not (before and after):
        return False
    words = {"before": " or ".join(type_names(before)), "after": " or ".join(type_names(after))}
    sides = {"older": {"type": with_types(before)}, "newer": {"type": with_types(after)}}
    walk.note("type-changed", path, keyword="type", **words, **sides)
    return True


def _pairs(walk: Walk, old: Alternatives, new: Alternatives, both: bool) -> Iterator[Pair]:
    """Indices of alternatives that belong together, the surest first."""
    left, right = list(range(len(old.schemas))), list(range(len(new.schemas)))
    tests: list[Callable[[int, int], bool]] = [
        lambda one, other: walk.same(old.schemas[one], new.schemas[other]),
        lambda one, other: _same_tag(old, new, one, other),
        lambda one, other: (
            _comparable(old, new, one, other, both) and walk.covered(old.schemas[one], new.schemas[other])
        ),
        lambda one, other: _comparable(old, new, one, other, both),
    ]
    for test in tests:
        for one in list(left):
            other = next((other for other in right if test(one, other)), None)
            if other is not None:
                left.remove(one)
                right.remove(other)
                yield one, other


def _same_tag(old: Alternatives, new: Alternatives, one: int, other: int) -> bool:
    name = old.tag or new.tag
    if name is None:
        return False
    values = tag(old.tags[one], name), tag(new.tags[other], name)
    return values[0] is not None and values[1] is not None and equal(values[0][0], values[1][0])


def _comparable(old: Alternatives, new: Alternatives, one: int, other: int, both: bool) -> bool:
    """Whether two alternatives look alike enough to be the same thing, changed."""
    if both and old.tag is not None and old.tag == new.tag:
        return False  # both are told apart by one member, and these two differ in it
    return shape(old.flats[one], new.flats[other])


def _place(walk: Walk, old: Alternatives, new: Alternatives, pair: Pair, path: Path) -> Path:
    """Where the paired alternatives are: among the items of an array, those with the constant that is sent."""
    sent, index = (new, pair[1]) if walk.responds else (old, pair[0])
    if not path.segments or not isinstance(path.last, Every) or sent.tag is None:
        return path
    value = tag(sent.tags[index], sent.tag)
    return path if value is None else path.parent + Path((where(sent.tag, value[0]),))


def _left_over(walk: Walk, old: Alternatives, new: Alternatives, pairs: list[Pair], path: Path) -> None:
    paired_old, paired_new = {one for one, _ in pairs}, {other for _, other in pairs}
    for index, schema in enumerate(new.schemas):
        if index in paired_new:
            continue
        covered = any(walk.within(one, schema, newer_inside=True) for one in old.schemas)
        kind = "union-branch-added/covered" if covered else "union-branch-added" if old.keyword else "wrapped-in-one-of"
        if types_of(new.flats[index]) == {"null"} and not covered:
            kind = "became-nullable"
        walk.note(
            kind,
            path,
            after=new.written[index],
            keyword=new.keyword or "",
            newer=new.flats[index],
            target=new.where(index, path),
        )
    for index, schema in enumerate(old.schemas):
        if index in paired_old:
            continue
        covered = any(walk.within(schema, other, newer_inside=False) for other in new.schemas)
        kind = "union-branch-removed/covered" if covered else "union-branch-removed"
        if types_of(old.flats[index]) == {"null"} and not covered:
            kind = "became-not-nullable"
        walk.note(
            kind,
            path,
            before=old.written[index],
            keyword=old.keyword or "",
            older=old.flats[index],
            target=old.where(index, path),
        )


def _overlap(walk: Walk, old: Alternatives, new: Alternatives, pairs: list[Pair], path: Path) -> None:
    """What `oneOf` excludes because it fits two branches."""
    apart = [
        side.keyword != "oneOf" or all(disjoint(*two, side.flat_of) for two in combinations(side.flats, 2))
        for side in (old, new)
    ]
    if apart[0] != apart[1]:
        walk.note("one-of-overlap" if apart[0] else "one-of-overlap/ended", path, keyword="oneOf")
    elif not apart[0]:
        whole = len(pairs) == len(old.schemas) == len(new.schemas)
        if not whole or not all(walk.same(old.schemas[one], new.schemas[other]) for one, other in pairs):
            walk.note("undecided", path, keyword="oneOf, whose alternatives overlap,")
