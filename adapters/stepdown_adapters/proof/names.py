"""Finds names for members: those that are mentioned somewhere, and *fresh* ones, mentioned nowhere.

Fresh names differ only in what is asked about names at all: the patterns of `patternProperties`, and what a wanted name
must be like. So they fall into classes, one for each way to say yes and no to these questions, and one name of a class
stands for all of it: it has the same rules for its value, and can serve the same of the wanted members.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product

from stepdown_adapters.proof.formulas import Scope
from stepdown_adapters.proof.members import Members, Wanted
from stepdown_adapters.proof.outcomes import Found, Nothing, Outcome, Search, Unclear

_MOST_QUESTIONS = 5


def candidates(members: Members, wanted: Wanted, search: Search) -> Iterator[str | Unclear]:
    """Names that the wanted member may have: enough of them that if none will do, no name does."""
    yield from fresh(members, wanted, search)
    for name in members.known():
        fits = wanted.scope.covers(name)
        if fits is not False and all(search.valid(demand, name) is not False for demand in wanted.name):
            yield name


def fresh(members: Members, wanted: Wanted, search: Search) -> Iterator[str | Unclear]:
    """A name of each class of names that are mentioned nowhere, as far as a value fits there."""
    patterns = members.patterns()
    questions = {search.demand({"type": "string", "pattern": pattern}): pattern for pattern in patterns}
    asked = list(dict.fromkeys([*questions, *sorted(members.name_questions())]))
    if len(asked) > _MOST_QUESTIONS:
        yield Unclear(f"more than {_MOST_QUESTIONS} patterns and conditions for names")
        return
    for signs in product((-1, 1), repeat=len(asked)):
        answers = frozenset(sign * demand for sign, demand in zip(signs, asked, strict=True))
        matching = {pattern for demand, pattern in questions.items() if demand in answers}
        if not _meant(wanted.scope, matching) or any(-demand in answers for demand in wanted.name):
            continue
        rules = {demand for scope, demand in members.rules if _meant(scope, matching)}
        if isinstance(search.inhabit(wanted.value | rules), Nothing):
            continue
        name = _fresh_name(members, answers, search)
        if isinstance(name, Found):
            yield name.value
        elif isinstance(name, Unclear):
            yield name


def _meant(scope: Scope, matching: set[str]) -> bool:
    """Whether a scope means names that match exactly these patterns and are mentioned nowhere."""
    return matching.isdisjoint(scope.patterns) == scope.outside


def _fresh_name(members: Members, answers: frozenset[int], search: Search) -> Outcome:
    """A name with these answers, if it may be one at all."""
    known = members.known()
    if not answers and not members.names:
        return Found(next(name for number in count() if (name := f"x{number or ''}") not in known))
    demands = {search.demand({"type": "string"}), -search.demand({"enum": known})}
    return search.inhabit(answers | members.names | demands)
