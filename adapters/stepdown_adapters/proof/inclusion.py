"""Proves or refutes that every document valid under one schema is valid under another.

`included(inner, outer)` says one of three things, and each only when it is so:

    Included                    proved: there is no document valid under `inner` and invalid under `outer`
    Excluded(witness, reason)   the witness is such a document, judged by the evaluator, not only by the search
    Undecided(reason)           neither was shown; never to be read as "yes"

Both schemas are JSON Schema 2020-12 in one piece, as `Contract.schema` is: references are JSON Pointers from the root.
`format` and all other annotations assert nothing; with `formats`, it does, and is a condition on strings of which only
is known that it is the same wherever the same format stands. Understood are all assertions of 2020-12 but
`unevaluatedItems`, `unevaluatedProperties` and `$dynamicRef`, and of `pattern` what `patterns.py` names; what is not
understood is left out of the search, soundly (`search.py` says how), so that much can still be decided around it.
"""

from __future__ import annotations

from stepdown_adapters.contract.keywords import Schema
from stepdown_adapters.json_values import equal
from stepdown_adapters.proof.evaluate import valid
from stepdown_adapters.proof.outcomes import Exhausted, Found, Nothing
from stepdown_adapters.proof.schemas import Book, Document
from stepdown_adapters.proof.search import Searcher
from stepdown_adapters.proof.verdicts import Excluded, Included, Inclusion, Undecided
from stepdown_adapters.proof.violation import sentence

__all__ = ["Excluded", "Included", "Inclusion", "Undecided", "included", "inhabited"]

BUDGET = 100_000
"""Steps of a search. They take from two to twenty microseconds, so that a question ends within a second or two."""


def included(inner: Schema, outer: Schema, *, budget: int = BUDGET, formats: bool = False) -> Inclusion:
    """Whether every document valid under `inner` is valid under `outer`; raises nothing for valid schemas."""
    try:
        return _decided(inner, outer, budget, formats=formats)
    except Exhausted:
        return Undecided(f"the search was given up after {budget} steps")
    except RecursionError:
        # Depth is bounded everywhere; this is for callers whose own stack was nearly full already.
        return Undecided("the search went too deep")


def _decided(inner: Schema, outer: Schema, budget: int, *, formats: bool) -> Inclusion:
    if inner is outer or equal(inner, outer):
        return Included()
    book = Book()
    first, second = (Document(one, number, formats=formats) for number, one in enumerate((inner, outer), 1))
    outcome = Searcher(book, budget).inhabit(frozenset({book.number(inner, first), -book.number(outer, second)}))
    if isinstance(outcome, Nothing):
        return Included()
    if not isinstance(outcome, Found):
        return Undecided(outcome.reason)
    witness = outcome.value
    if valid(inner, witness, first) is True and valid(outer, witness, second) is False:
        return Excluded(witness, sentence(outer, witness, second))
    return Undecided("a document was found, but whether it is a counterexample is not certain")


def inhabited(schema: Schema, *, budget: int = BUDGET) -> Inclusion:
    """Whether any document is valid under a schema: `Included` when none is, `Excluded` with one that is."""
    return included(schema, False, budget=budget)
