"""Finds an object: members that must, may and must not be there, with what each of them has to satisfy.

Literals that hold say what members must be like; a `members` or `names` that fails wants one member that is not like
that. A wanted member may take any name that is mentioned somewhere, or a *fresh* one, mentioned nowhere. Names matter
only through the patterns they match, so the fresh names fall into as many classes as there are ways to match and not
match, and one name of each class stands for all of it.

With the wanted members placed, the smallest object is as good as any: it has the members that must be there and, up to
`minProperties`, others that can be. Nothing of what is asked gets easier by a further member, but to differ from an
excluded value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, product
from typing import Any

from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.formulas import Scope
from stepdown_adapters.proof.outcomes import (
    NOTHING,
    Attempt,
    Found,
    Guess,
    Nothing,
    Outcome,
    Search,
    State,
    Unclear,
)

_MOST_MEMBERS = 200
_MOST_PATTERNS = 4


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One member that must be somewhere in the scope."""

    scope: Scope
    value: frozenset[int]
    name: frozenset[int]


_ANYWHERE = Scope(frozenset(), (), outside=True)


@dataclass(slots=True)
class _Members:
    """The literals of one branch, put in order."""

    least: int = 0
    most: int | None = None
    required: dict[str, frozenset[int]] = field(default_factory=dict)
    """Names that must be there, with what only that member has to satisfy."""
    lacking: set[str] = field(default_factory=set)
    rules: list[tuple[Scope, int]] = field(default_factory=list)
    names: frozenset[int] = frozenset()
    """What every name has to satisfy."""
    wanted: list[_Wanted] = field(default_factory=list)
    excluded: list[Any] = field(default_factory=list)

    def require(self, name: str, demands: frozenset[int]) -> None:
        self.required[name] = self.required.get(name, frozenset()) | demands

    def with_member(self, name: str, demands: frozenset[int]) -> _Members:
        """The same and one more member, which was the first of those wanted."""
        changed = replace(self, required=dict(self.required), wanted=self.wanted[1:])
        changed.require(name, demands)
        return changed

    def state(self, name: str) -> State:
        """What the value of a member has to satisfy."""
        asked = {demand for scope, demand in self.rules if scope.covers(name)}
        return self.required.get(name, frozenset()).union(asked)

    def known(self) -> list[str]:
        """Names that are mentioned, in a fixed order."""
        mentioned = dict.fromkeys(self.required)
        for scope in (*(scope for scope, _ in self.rules), *(one.scope for one in self.wanted)):
            mentioned.update(dict.fromkeys(sorted(scope.names)))
        mentioned.update(dict.fromkeys(sorted(self.lacking)))
        return list(mentioned)

    def patterns(self) -> list[str]:
        found = {pattern: None for scope, _ in self.rules for pattern in scope.patterns}
        found.update({pattern: None for one in self.wanted for pattern in one.scope.patterns})
        return list(found)

    def vague(self) -> bool:
        """Whether which members a rule is about is not always known."""
        return any(Scope(frozenset(), (one,)).covers("") is None for one in self.patterns())


def solve(literals: Iterable[Any], search: Search) -> Attempt:
    """An object that satisfies the literals."""
    members = _gather(literals)
    for name in members.required:
        if isinstance(_member(members, name, search), Nothing):
            return NOTHING
    attempt = _place(members, search)
    return Guess(attempt.value) if isinstance(attempt, Found) and members.vague() else attempt


def _gather(literals: Iterable[Any]) -> _Members:
    members = _Members()
    for word, about, holds in literals:
        match word, holds:
            case "size", True:
                members.least = max(members.least, about)
            case "size", False:
                members.most = about - 1 if members.most is None else min(members.most, about - 1)
            case "has", True:
                members.require(about, frozenset())
            case "has", False:
                members.lacking.add(about)
            case "members", True:
                members.rules.append(about)
            case "members", False:
                scope, demand = about
                if len(scope.names) == 1 and not scope.patterns and not scope.outside:
                    members.require(next(iter(scope.names)), frozenset([-demand]))
                else:
                    members.wanted.append(_Wanted(scope, frozenset([-demand]), frozenset()))
            case "names", True:
                members.names |= {about}
            case "names", False:
                members.wanted.append(_Wanted(_ANYWHERE, frozenset(), frozenset([-about])))
            case "values", False:
                members.excluded += about.values
    return members


def _place(members: _Members, search: Search) -> Outcome:
    """Tries each name for the first member wanted, and the others after it."""
    search.step()
    if not members.wanted:
        return _complete(members, search)
    wanted = members.wanted[0]
    unclear: Outcome = NOTHING
    for name in _candidates(members, wanted, search):
        if isinstance(name, Unclear):
            unclear = name
            continue
        outcome = _place(members.with_member(name, wanted.value), search)
        if isinstance(outcome, Found):
            return outcome
        if isinstance(outcome, Unclear):
            unclear = outcome
    return unclear


def _candidates(members: _Members, wanted: _Wanted, search: Search) -> Iterator[str | Unclear]:
    yield from _fresh(members, wanted, search)
    for name in members.known():
        fits = wanted.scope.covers(name)
        if fits is not False and all(search.valid(demand, name) is not False for demand in wanted.name):
            yield name


def _fresh(members: _Members, wanted: _Wanted, search: Search) -> Iterator[str | Unclear]:
    """A name of each class of names that are mentioned nowhere, as far as a value fits there."""
    patterns = members.patterns()
    if len(patterns) > _MOST_PATTERNS:
        yield Unclear(f"more than {_MOST_PATTERNS} patterns for names")
        return
    for matched in product((False, True), repeat=len(patterns)):
        matching = {pattern for pattern, does in zip(patterns, matched, strict=True) if does}
        if not _meant(wanted.scope, matching):
            continue
        demands = {demand for scope, demand in members.rules if _meant(scope, matching)}
        value = search.inhabit(frozenset(demands | wanted.value))
        if isinstance(value, Nothing):
            continue
        name = _fresh_name(members, wanted, dict(zip(patterns, matched, strict=True)), search)
        if isinstance(name, Found):
            yield name.value
        elif isinstance(name, Unclear):
            yield name


def _meant(scope: Scope, matching: set[str]) -> bool:
    """Whether a scope means names that match exactly these patterns and are mentioned nowhere."""
    return matching.isdisjoint(scope.patterns) == scope.outside


def _fresh_name(members: _Members, wanted: _Wanted, matched: dict[str, bool], search: Search) -> Outcome:
    known = members.known()
    if not matched and not members.names and not wanted.name:
        return Found(next(name for number in count() if (name := f"x{number or ''}") not in known))
    signs = {
        search.name_matching(pattern) if does else -search.name_matching(pattern) for pattern, does in matched.items()
    }
    string = search.name_matching("")
    return search.inhabit(frozenset({string, search.other_than(known), *signs} | members.names | wanted.name))


def _member(members: _Members, name: str, search: Search) -> Outcome:
    """The value for a member of that name, if it can be there."""
    if name in members.lacking:
        return NOTHING
    verdicts = {search.valid(demand, name) for demand in members.names}
    if False in verdicts:
        return NOTHING
    outcome = search.inhabit(members.state(name))
    if None in verdicts and isinstance(outcome, Found):
        return Unclear(f"whether a member may be named {name!r} is not decided")
    return outcome


def _complete(members: _Members, search: Search) -> Outcome:
    """The smallest object with all members that must be there."""
    if members.most is not None and max(len(members.required), members.least) > members.most:
        return NOTHING
    unclear: Outcome = NOTHING
    document: dict[str, Any] = {}
    for name in members.required:
        outcome = _member(members, name, search)
        if isinstance(outcome, Nothing):
            return NOTHING
        if isinstance(outcome, Found):
            document[name] = outcome.value
        else:
            unclear = outcome
    if isinstance(unclear, Unclear):
        return unclear
    further = _further(members, search)
    while len(document) < members.least:
        added = next(further, NOTHING)
        if not isinstance(added, Found):
            return added
        document.update(added.value)
        if len(document) > _MOST_MEMBERS:
            return Unclear(f"more than {_MOST_MEMBERS} members")
    return _different(members, document, further, search)


def _further(members: _Members, search: Search) -> Iterator[Outcome]:
    """Members that may be there, one by one, each an object of one; at the end what was unclear, if anything."""
    unclear: list[Outcome] = []
    for name in members.known():
        if name not in members.required:
            outcome = _member(members, name, search)
            if isinstance(outcome, Found):
                yield Found({name: outcome.value})
            elif isinstance(outcome, Unclear):
                unclear.append(outcome)
    grown = replace(members, required=dict(members.required), wanted=[])
    while True:
        anything = _Wanted(_ANYWHERE, frozenset(), frozenset())
        names = list(_fresh(grown, anything, search))
        named = [name for name in names if isinstance(name, str)]
        if not named:
            yield from unclear
            yield from (name for name in names if isinstance(name, Unclear))
            return
        outcome = _member(grown, named[0], search)
        grown.require(named[0], frozenset())
        yield Found({named[0]: outcome.value}) if isinstance(outcome, Found) else outcome


def _different(members: _Members, document: dict[str, Any], further: Iterator[Outcome], search: Search) -> Outcome:
    """The object, or one that differs from every excluded value."""
    if not any(equal(document, one) for one in members.excluded):
        return Found(document)
    for name, value in document.items():
        avoid = search.other_than([value, *(one[name] for one in members.excluded if name in one)])
        outcome = search.inhabit(members.state(name) | {avoid})
        if isinstance(outcome, Found):
            return Found({**document, name: outcome.value})
    added: Outcome = NOTHING
    while members.most is None or len(document) < members.most:
        added = next(further, NOTHING)
        if not isinstance(added, Found):
            break
        document = {**document, **added.value}
        if not any(equal(document, one) for one in members.excluded):
            return Found(document)
    if not document and isinstance(added, Nothing):
        return NOTHING
    return Unclear("every object found is an excluded value")
