"""Compares what is said of objects: members by name, by pattern, and all others.

A member that only one side declares meets, on the other side, whatever that says of names it does not declare: the
patterns that match, else `additionalProperties`. So it is compared with that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stepdown_adapters.diff import unevaluated
from stepdown_adapters.diff.found import Flat
from stepdown_adapters.diff.scalars import counts
from stepdown_adapters.paths import Every, Member, Path

if TYPE_CHECKING:
    from stepdown_adapters.diff.walk import Walk


def compare(walk: Walk, older: Flat, newer: Flat, path: Path) -> None:
    """Writes down all differences of objects at one place."""
    old, new = _Side(older, newer), _Side(newer, older)
    for name in dict.fromkeys([*old.declared, *new.declared]):
        _member(walk, old, new, name, path)
    _required(walk, old, new, path)
    _patterns(walk, old, new, path)
    _rest(walk, old, new, path)
    if "propertyNames" in older or "propertyNames" in newer:
        facts: dict[str, Any] = {"keyword": "propertyNames", "older": older, "newer": newer}
        walk.graded("property-names", older.get("propertyNames"), newer.get("propertyNames"), path, **facts)
    counts(walk, older, newer, path, name="properties-count/", keywords=("minProperties", "maxProperties"))
    if not (old.plain and new.plain):
        unevaluated.compare(walk, older, newer, path, keyword="unevaluatedProperties", name="unevaluated-properties")


class _Side:
    """One side's members; patterns that the other side has too are compared for themselves, and left out here."""

    def __init__(self, flat: Flat, other: Flat) -> None:
        self.flat = flat
        self.declared: dict[str, Any] = flat.get("properties", {})
        self.required: list[str] = flat.get("required", [])
        self.patterns: dict[str, Any] = flat.get("patternProperties", {})
        self.plain = not flat.keys() & unevaluated.APPLICATORS
        self.rest_keyword = "additionalProperties"
        if self.plain and "additionalProperties" not in flat and "unevaluatedProperties" in flat:
            self.rest_keyword = "unevaluatedProperties"  # nothing else evaluates, so it looks at the same members
        self.rest: Any = flat.get(self.rest_keyword, True)
        self._shared = self.patterns.keys() & other.get("patternProperties", {}).keys()

    def declares(self, name: str) -> bool:
        """Whether a member of this name is described, and allowed."""
        return self.declared.get(name, False) is not False

    def schema(self, name: str) -> Any:
        """What a member of this name has to be."""
        matching = [pattern for pattern in self.patterns if _matches(pattern, name)]
        own = [self.patterns[pattern] for pattern in matching if pattern not in self._shared]
        if name in self.declared:
            own.insert(0, self.declared[name])
        elif not matching:
            own.append(self.rest)
        if any(part is False for part in own):
            return False
        own = [part for part in own if part is not True]
        return True if not own else own[0] if len(own) == 1 else {"allOf": own}


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False  # `_patterns` reports it as undecided


def _member(walk: Walk, old: _Side, new: _Side, name: str, path: Path) -> None:
    at = path + Path((Member(name),))
    before, after = old.schema(name), new.schema(name)
    if old.declares(name) and new.declares(name):
        walk.compare(before, after, at)
    elif new.declares(name):
        _added(walk, old, new, name, at)
    elif old.declares(name):
        _removed(walk, old, new, name, at)
    elif (before is False) != (after is False):
        kind = "additional-opened" if before is False else "additional-closed"
        walk.note(kind, at, before=before, after=after, keyword="properties")


def _added(walk: Walk, old: _Side, new: _Side, name: str, at: Path) -> None:
    before, after = old.schema(name), new.schema(name)
    facts: dict[str, Any] = {"after": after, "keyword": "properties", "older": old.flat, "newer": new.flat}
    facts["required"] = name in new.required
    if before is False:
        walk.note("prop-added/closed-old", at, **facts)
    elif walk.trivial(before):
        allowed = True if not walk.responds and walk.trivial(after) else None
        walk.note("prop-added/open-old", at, proved=allowed, **facts)
    else:
        covered = walk.covered(before, after)
        walk.note(f"prop-added/partly-open-old{'' if covered else '-uncovered'}", at, **facts)


def _removed(walk: Walk, old: _Side, new: _Side, name: str, at: Path) -> None:
    before, after = old.schema(name), new.schema(name)
    facts: dict[str, Any] = {"before": before, "keyword": "properties", "older": old.flat, "newer": new.flat}
    facts["required"] = name in old.required
    if name in old.required and name not in new.required:
        if walk.responds:
            walk.note("required-removed", at, **facts)
            return
        walk.note("became-optional", at, **facts)
    if after is False:
        walk.note("optional-removed/closed-new", at, **facts)
    elif walk.trivial(after):
        allowed = True if walk.responds and walk.trivial(before) else None
        walk.note("optional-removed/open-new", at, proved=allowed, **facts)
    else:
        covered = walk.covered(before, after)
        walk.note(f"optional-removed/partly-open-new{'' if covered else '-uncovered'}", at, **facts)


def _required(walk: Walk, old: _Side, new: _Side, path: Path) -> None:
    for name in old.required:
        gone = old.declares(name) and not new.declares(name)  # told by what became of the member
        if name not in new.required and not gone:
            walk.note("became-optional", path + Path((Member(name),)), keyword="required", older=old.flat)
    for name in new.required:
        if name not in old.required:
            walk.note("became-required", path + Path((Member(name),)), keyword="required", newer=new.flat)


def _patterns(walk: Walk, old: _Side, new: _Side, path: Path) -> None:
    inside = path + Path((Every(),))
    for pattern in dict.fromkeys([*old.patterns, *new.patterns]):
        try:
            re.compile(pattern)
        except re.error:
            if not walk.same(old.patterns, new.patterns):
                walk.note("undecided", path, keyword=f"the pattern {pattern}")
        if pattern in old.patterns and pattern in new.patterns:
            walk.compare(old.patterns[pattern], new.patterns[pattern], inside)
        elif pattern in new.patterns:
            _pattern_added(walk, old.rest, new.patterns[pattern], pattern, inside)
        else:
            _pattern_removed(walk, old.patterns[pattern], new.rest, pattern, inside)


def _pattern_added(walk: Walk, rest: Any, schema: Any, pattern: str, at: Path) -> None:
    facts: dict[str, Any] = {"after": pattern, "keyword": "patternProperties"}
    if rest is False:
        kind = "pattern-prop-added/closed-old"
    elif walk.trivial(rest):
        kind = "pattern-prop-added"
    else:
        kind = f"pattern-prop-added/{'covered' if walk.covered(rest, schema) else 'uncovered'}"
    walk.note(kind, at, **facts)


def _pattern_removed(walk: Walk, schema: Any, rest: Any, pattern: str, at: Path) -> None:
    facts: dict[str, Any] = {"before": pattern, "keyword": "patternProperties"}
    if rest is False:
        kind = "pattern-prop-removed/closed-new"
    elif walk.trivial(rest):
        kind = "pattern-prop-removed"
    else:
        kind = f"pattern-prop-removed/{'covered' if walk.covered(schema, rest) else 'uncovered'}"
    walk.note(kind, at, **facts)


def _rest(walk: Walk, old: _Side, new: _Side, path: Path) -> None:
    before, after = old.rest, new.rest
    facts: dict[str, Any] = {"before": old.flat.get(old.rest_keyword), "after": new.flat.get(new.rest_keyword)}
    facts |= {"keyword": new.rest_keyword, "older": old.flat, "newer": new.flat}
    unevaluated_ = "unevaluatedProperties" in (old.rest_keyword, new.rest_keyword)
    if before is False or after is False:
        if before is not after:
            kind = "additional-opened" if before is False else "additional-closed"
            if unevaluated_:
                kind = f"unevaluated-properties/{'loosened' if before is False else 'tightened'}"
            walk.note(kind, path, **facts)
    elif walk.trivial(before) or walk.trivial(after):
        if not (walk.trivial(before) and walk.trivial(after)):
            walk.note(f"additional-{'narrowed' if walk.trivial(before) else 'widened'}", path, **facts)
    else:
        walk.compare(before, after, path + Path((Every(),)))
