"""Finds an object: members that must, may and must not be there, with what each of them has to satisfy.

Literals that hold say what members must be like; a `members` or `names` that fails wants one member that is not like
that. The names that such a member may take are tried one after the other (`names.py`).

With the wanted members placed, the smallest object is as good as any: it has the members that must be there and, up to
`minProperties`, others that can be. Nothing of what is asked gets easier by a further member, but to differ from an
excluded value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.members import ANYWHERE, Members, Wanted, gather
from stepdown_adapters.proof.names import candidates, fresh
from stepdown_adapters.proof.outcomes import (
    NOTHING,
    Attempt,
    Found,
    Guess,
    Nothing,
    Outcome,
    Search,
    Unclear,
)

_MOST_MEMBERS = 200


def solve(literals: Iterable[Any], search: Search) -> Attempt:
    """An object that satisfies the literals."""
    members = gather(literals)
    # First those that must be unlike something: where the branch has nothing, it is nearly always because of them.
    for name in sorted(members.required, key=lambda name: not members.required[name]):
        if isinstance(_member(members, name, search), Nothing):
            return NOTHING
    attempt = _place(members, search)
    return Guess(attempt.value) if isinstance(attempt, Found) and members.vague() else attempt


def _place(members: Members, search: Search) -> Outcome:
    """Tries each name for the first member wanted, and the others after it."""
    search.step()
    if not members.wanted:
        return _complete(members, search)
    wanted = members.wanted[0]
    unclear: Outcome = NOTHING
    for name in candidates(members, wanted, search):
        if isinstance(name, Unclear):
            unclear = name
            continue
        outcome = _place(members.with_member(name, wanted.value), search)
        if isinstance(outcome, Found):
            return outcome
        if isinstance(outcome, Unclear):
            unclear = outcome
    return unclear


def _member(members: Members, name: str, search: Search) -> Outcome:
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


def _complete(members: Members, search: Search) -> Outcome:
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


def _further(members: Members, search: Search) -> Iterator[Outcome]:
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
        anything = Wanted(ANYWHERE, frozenset(), frozenset())
        names = list(fresh(grown, anything, search))
        named = [name for name in names if isinstance(name, str)]
        if not named:
            yield from unclear
            yield from (name for name in names if isinstance(name, Unclear))
            return
        outcome = _member(grown, named[0], search)
        grown.require(named[0], frozenset())
        yield Found({named[0]: outcome.value}) if isinstance(outcome, Found) else outcome


def _different(members: Members, document: dict[str, Any], further: Iterator[Outcome], search: Search) -> Outcome:
    """The object, or one that differs from every excluded value."""
    if not any(equal(document, one) for one in members.excluded):
        return Found(document)
    for name, value in document.items():
        avoid = -search.demand({"enum": [value, *(one[name] for one in members.excluded if name in one)]})
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
