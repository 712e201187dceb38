"""Compares types, listed values, bounds of numbers and strings."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.meaning import EXTENSIBLE
from stepdown_adapters.diff.values import (
    EVERYTHING,
    NUMBERS,
    Bound,
    Types,
    listed,
    lower,
    missing,
    type_names,
    type_of,
    types_of,
    upper,
)
from stepdown_adapters.json_values import equal
from stepdown_adapters.paths import Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk

_NULL = frozenset({"null"})


def compare_types(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Writes down what the sets of types differ by; null counts by itself beside others, but not among all."""
    old, new = types_of(older), types_of(newer)
    facts: dict[str, Any] = {"older": older, "newer": newer}
    if old - _NULL and new - _NULL and EVERYTHING not in (old, new):
        if "null" in new - old:
            walk.note("became-nullable", path, before=_words(old), after=_words(new), keyword="type", **facts)
        elif "null" in old - new:
            walk.note("became-not-nullable", path, before=_words(old), after=_words(new), keyword="type", **facts)
        old, new = old - _NULL, new - _NULL
    if old == new:
        return
    kind = "type-widened" if old < new else "type-narrowed" if new < old else "type-changed"
    walk.note(kind, path, before=_words(old), after=_words(new), keyword="type", **facts)


def _words(types: Types) -> str:
    return " or ".join(type_names(types)) or "nothing"


def compare_values(walk: Walk, older: Flat, newer: Flat, path: Path, common: Types) -> None:
    """Writes down differences of listed values, and of bounds for the types that both sides have."""
    _listed(walk, older, newer, path, common)
    if common & NUMBERS:
        _bound(walk, older, newer, path, upwards=True)
        _bound(walk, older, newer, path, upwards=False)
        _multiple(walk, older, newer, path)
    if "string" in common:
        counts(walk, older, newer, path, name="bound-", keywords=("minLength", "maxLength"))
        _pattern(walk, older, newer, path)


def _listed(walk: Walk, older: Flat, newer: Flat, path: Path, common: Types) -> None:
    _announced(walk, older, newer, path)
    old, new = listed(older), listed(newer)
    facts: dict[str, Any] = {"older": older, "newer": newer}
    if old is None or new is None:
        if old is not None:
            kind, before = ("const-removed", old[0]) if "const" in older and old else ("enum-removed", old)
            walk.note(kind, path, before=before, keyword="enum", **facts)
        elif new is not None:
            kind, after = ("const-added", new[0]) if "const" in newer and new else ("enum-added", new)
            walk.note(kind, path, after=after, keyword="enum", **facts)
        return
    if "const" in older and "const" in newer and old and new and not equal(old[0], new[0]):
        walk.note("const-changed", path, before=old[0], after=new[0], keyword="const", **facts)
        return
    extensible = walk.policy.enums == "extensible" or older.get(EXTENSIBLE) is True
    added = "enum-value-added/extensible" if extensible else "enum-value-added"
    for value in missing(new, old):
        if type_of(value) in common:  # values of a type that is new are told by the type
            walk.note(added, path, after=value, keyword="enum", **facts)
    for value in missing(old, new):
        if type_of(value) in common:
            walk.note("enum-value-removed", path, before=value, keyword="enum", **facts)


def _announced(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """`x-extensible-enum` as a list of values that are known so far: no validator holds on to it."""
    before, after = older.get(EXTENSIBLE), newer.get(EXTENSIBLE)
    if equal(before, after):
        return
    if isinstance(before, list) and isinstance(after, list) and "enum" not in older and "enum" not in newer:
        for value in missing(after, before):
            walk.note("enum-value-added/announced", path, after=value, keyword=EXTENSIBLE)
        for value in missing(before, after):
            walk.note("enum-value-removed/announced", path, before=value, keyword=EXTENSIBLE)
        return
    walk.note("annotation-changed", path, before=before, after=after, keyword=EXTENSIBLE)


def _bound(walk: Walk, older: Flat, newer: Flat, path: Path, *, upwards: bool) -> None:
    """One side of a range; `upwards`: the lower one, which is tighter where it is greater."""
    bound, sign = (lower, 1) if upwards else (upper, -1)
    old, new = bound(older), bound(newer)
    if old is None and new is None:
        return
    facts: dict[str, Any] = {
        "before": old.value if old else None,
        "after": new.value if new else None,
        "keyword": (new or old or Bound("", 0, False)).keyword,
        "older": older,
        "newer": newer,
    }
    if old is None or new is None:
        walk.note("bound-loosened" if new is None else "bound-tightened", path, **facts)
    elif old.value != new.value:
        walk.note("bound-tightened" if sign * (new.value - old.value) > 0 else "bound-loosened", path, **facts)
    elif old.excluded != new.excluded:
        walk.note(f"bound-exclusivity/{'tightened' if new.excluded else 'loosened'}", path, **facts)


def counts(walk: Walk, older: Flat, newer: Flat, path: Path, *, name: str, keywords: tuple[str, str]) -> None:
    """A least and a greatest count, no least one being 0; `name` is what the kinds in the catalogue begin with."""
    for keyword, sign, nothing in zip(keywords, (1, -1), (0, None), strict=True):
        old, new = older.get(keyword, nothing), newer.get(keyword, nothing)
        if old == new:
            continue
        looser = new is None or (old is not None and sign * (new - old) < 0)
        facts: dict[str, Any] = {"before": older.get(keyword), "after": newer.get(keyword), "keyword": keyword}
        walk.note(f"{name}{'loosened' if looser else 'tightened'}", path, older=older, newer=newer, **facts)


def _multiple(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    old, new = older.get("multipleOf"), newer.get("multipleOf")
    if old is None and new is None:
        return
    facts: dict[str, Any] = {"before": old, "after": new, "keyword": "multipleOf", "older": older, "newer": newer}
    if old is None or new is None:
        walk.note("multiple-of/loosened" if new is None else "multiple-of/tightened", path, **facts)
        return
    one, other = Fraction(str(old)), Fraction(str(new))
    if one == other:
        return
    tighter, looser = (other / one).denominator == 1, (one / other).denominator == 1
    walk.note(f"multiple-of/{'tightened' if tighter else 'loosened' if looser else 'changed'}", path, **facts)


def _pattern(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    before, after = older.get("pattern"), newer.get("pattern")
    if before != after:
        word = "added" if before is None else "removed" if after is None else "changed"
        facts: dict[str, Any] = {"before": before, "after": after, "keyword": "pattern"}
        walk.note(f"pattern/{word}", path, older=older, newer=newer, **facts)
