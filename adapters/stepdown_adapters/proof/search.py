"""Searches for a value that satisfies some schemas and not others: inclusion is emptiness, so this is all of the proof.

Every document valid under `inner` is valid under `outer` exactly when no document satisfies `inner` and not `outer`.
So there is one question, asked of a *state*, a set of demands such as `{+inner, -outer}`: which value satisfies all of
them? The answer is a value, a proof that there is none, or "unclear".

1. For each kind of value, the demands are written as formulas and taken apart into *branches*, each a list of
   literals (`branches.py`). The state has a value if one branch has one, and none if no branch has.
2. The room of the kind (`objects.py`, ...) answers for one branch. What it needs to know of members and items it asks
   here again: the state of a member is made of what the literals say about it.
3. A state that comes up inside of itself is answered "nothing". This is co-induction, seen from the side of the
   witness: of all documents that satisfy a state, take a smallest. No document strictly inside of it satisfies the
   same state, else that one would be smaller. So nothing is lost by not looking for one there. (References that lead
   back without going down have been refused before, in `schemas.py`.)
4. "Nothing" that was concluded with the help of rule 3 holds only while the state that it leaned on is still being
   searched, or turns out to have nothing too. Such answers are kept apart, in the order in which they were found: when
   a state ends with nothing and leaned on none above it, all that was found since it began is certain; when it ends
   otherwise, all of that is forgotten.
5. What is not understood is left out of the question, never guessed. The rest having no value proves that the whole
   has none. If the rest has one, the evaluator judges it, and where it does not know either the answer is "unclear".
6. Steps are counted. Over the budget everything is "unclear".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepdown_adapters.proof import arrays, numbers, objects, strings
from stepdown_adapters.proof.branches import Branch, branches
from stepdown_adapters.proof.evaluate import valid
from stepdown_adapters.proof.formulas import Formula, Literal, opposite
from stepdown_adapters.proof.outcomes import (
    NOTHING,
    Attempt,
    Exhausted,
    Found,
    Guess,
    Nothing,
    Outcome,
    State,
    Unclear,
)
from stepdown_adapters.proof.rules import formula
from stepdown_adapters.proof.schemas import FALSE, TRUE, Book

KINDS = ("null", "boolean", "number", "string", "array", "object")
_ROOMS = {"number": numbers.solve, "string": strings.solve, "array": arrays.solve, "object": objects.solve}
_FEW = {"null": (None,), "boolean": (True, False)}
_DEEPEST = 40
_STEPS_PER_BRANCH = 10
"""About what a branch costs, compared with an answer that is remembered."""


class Searcher:
    """One question's memory; see `outcomes.Search` for what the rooms may ask."""

    def __init__(self, book: Book, budget: int) -> None:
        self.book = book
        self._left = budget
        self._known: dict[State, Outcome] = {}
        self._leaning: dict[State, int] = {}
        """States answered "nothing" with the help of rule 3, oldest first: the least depth that they leaned on."""
        self._open: dict[State, int] = {}
        """States being searched, with their depth."""
        self._highest = 0
        """The least depth of an open state that the answers since were leaning on."""
        self._formulas: dict[tuple[int, str], Formula] = {}

    def inhabit(self, state: State) -> Outcome:
        """A value that satisfies all demands of the state."""
        self.step()
        if TRUE in state or -FALSE in state:
            state = state - {TRUE, -FALSE}
        known = self._known.get(state)
        if known is not None:
            self._highest = min(self._highest, self._leaning.get(state, self._highest))
            return known
        if any(-demand in state for demand in state) or FALSE in state or -TRUE in state:
            return NOTHING
        depth = self._open.get(state)
        if depth is not None:
            self._highest = min(self._highest, depth)
            return NOTHING
        return self._search(state)

    def _search(self, state: State) -> Outcome:
        depth = len(self._open)
        if depth > _DEEPEST:
            return Unclear(f"the search went {_DEEPEST} levels deep")
        outside, self._highest = self._highest, depth
        mark = len(self._leaning)
        self._open[state] = depth
        try:
            outcome = self._any_kind(state)
        finally:
            del self._open[state]
        if isinstance(outcome, Nothing) and self._highest < depth:
            self._leaning[state] = self._highest
            self._highest = min(outside, self._highest)
        else:
            while len(self._leaning) > mark:
                settled, _ = self._leaning.popitem()
                if not isinstance(outcome, Nothing):
                    del self._known[settled]
            self._highest = outside
        self._known[state] = outcome
        return outcome

    def _any_kind(self, state: State) -> Outcome:
        unclear: Outcome = NOTHING
        for kind in self._kinds(state):
            outcome = self._of_kind(kind, state)
            if isinstance(outcome, Found):
                return outcome
            if isinstance(outcome, Unclear):
                unclear = outcome
        return unclear

    def _kinds(self, state: State) -> Iterable[str]:
        """The kinds that the `type` of a schema that must hold leaves."""
        left: set[str] | None = None
        for demand in state:
            schema = self.book.schemas[demand - 1] if demand > 0 else True
            if isinstance(schema, dict) and "type" in schema and self.book.documents[demand - 1].opaque is None:
                types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
                types = types | {"number"} if "integer" in types else types
                left = types if left is None else left & types
        return KINDS if left is None else [kind for kind in KINDS if kind in left]

    def _of_kind(self, kind: str, state: State) -> Outcome:
        if kind in _FEW:
            outcome = self._among(_FEW[kind], state)
            if not isinstance(outcome, Unclear):
                return outcome
        unclear: Outcome = NOTHING
        for branch in branches(state, lambda demand: self._formula(demand, kind), self._room(kind), self.step):
            outcome = self._judged(self._of_branch(kind, branch, state), state, branch)
            if isinstance(outcome, Found):
                return outcome
            if isinstance(outcome, Unclear):
                unclear = outcome
        return unclear

    def _room(self, kind: str) -> Any:
        """How to ask the room of a kind; `None` for kinds of so few values that all of them are tried."""
        room = _ROOMS.get(kind)
        if room is None:
            return None

        def ask(literals: Iterable[Literal]) -> Attempt:
            self.step(_STEPS_PER_BRANCH)
            return room(literals, self)

        return ask

    def _of_branch(self, kind: str, branch: Branch, state: State) -> Attempt:
        if branch.values is not None:
            return self._among(branch.values, state)
        if kind in _FEW:
            return Unclear(branch.opaque or "a condition is not understood")
        attempt: Attempt = self._room(kind)(branch.literals)
        return attempt

    def _among(self, values: Iterable[Any], state: State) -> Outcome:
        """Judges each of a few values, of which one is the answer if there is any."""
        outcome: Outcome = NOTHING
        for value in values:
            verdicts = {self.valid(demand, value) for demand in state}
            if verdicts <= {True}:
                return Found(value)
            if False not in verdicts:
                outcome = Unclear("whether a listed value is valid is not decided")
        return outcome

    def _judged(self, attempt: Attempt, state: State, branch: Branch) -> Outcome:
        if not isinstance(attempt, Found | Guess):
            return attempt
        if isinstance(attempt, Found) and branch.opaque is None:
            return attempt
        if all(self.valid(demand, attempt.value) is True for demand in state):
            return Found(attempt.value)
        return Unclear(branch.opaque or "a condition is not understood")

    def _formula(self, demand: int, kind: str) -> Formula:
        key = (demand, kind)
        known = self._formulas.get(key)
        if known is None:
            known = formula(self.book, abs(demand), kind, self._disjoint)
            known = self._formulas[key] = known if demand > 0 else opposite(known)
        return known

    def _disjoint(self, one: int, other: int) -> bool:
        """Whether two schemas of the same value share nothing, for certain: not with the help of rule 3."""
        state = frozenset((one, other))
        nothing = state not in self._open and isinstance(self.inhabit(state), Nothing)
        return nothing and state not in self._leaning

    def valid(self, demand: int, value: Any) -> bool | None:
        """Whether one value satisfies one demand."""
        index = abs(demand) - 1
        verdict = valid(self.book.schemas[index], value, self.book.documents[index])
        return verdict if demand > 0 or verdict is None else not verdict

    def demand(self, schema: dict[str, Any]) -> int:
        """The demand that a schema, which has no references, holds."""
        return self.book.made_up(schema)

    def step(self, size: int = 1) -> None:
        """Counts a step of some size."""
        self._left -= size
        if self._left < 0:
            raise Exhausted
