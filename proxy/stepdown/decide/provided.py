"""Flags that a provider is asked, as a snapshot knows them: what they depend on, and what they say where nobody asks.

The answers themselves come from another process, so here every flag says that nothing is known, and the rule's default
counts. A worker puts a view of its own in the place of this one (`plane.provided`), which knows answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from stepdown.decide.flag_context import KEY, Reads, facts_of
from stepdown.decide.flag_spec import NamedFact, Provided
from stepdown.decide.flags import Evaluation
from stepdown.decide.flags.evaluation import failed
from stepdown.decide.view import View


class ProvidedFlags:
    """A `flag_view.SnapshotFlags` of which nothing can be evaluated here."""

    __slots__ = ("_reads", "declared", "fact_names", "facts", "provided")

    names: frozenset[str] = frozenset()

    def __init__(self, provided: Provided, named: Iterable[NamedFact] = ()) -> None:
        """`named` are the facts of the evaluation context besides the key."""
        context = tuple(named)
        self.provided = provided
        self.declared = {flag.name: flag for flag in provided.flags}
        self.fact_names, self.facts = facts_of(context)
        """Names of the context's facts, and what gathers their values; null where the request has none."""
        self._reads = Reads(names=frozenset({KEY}), named=frozenset(context))

    def flag(self, name: str, view: View) -> Evaluation:
        """That the provider would have to be asked, and with what."""
        if name not in self.declared:
            return failed("FLAG_NOT_FOUND", f"no flag {name} is declared")
        told = {fact: value for fact, value in zip(self.fact_names, self.facts(view), strict=True) if value is not None}
        with_what = json.dumps(told, ensure_ascii=False)
        message = f"{self.provided.provider} would be asked, with {with_what}; until it has answered the default counts"
        return Evaluation(None, None, "CACHE_MISS", None, message)

    def reads(self, names: Iterable[str]) -> Reads:
        """The whole context, whichever flag is asked."""
        return self._reads if any(True for _ in names) else Reads()

    def recalled(self, names: Iterable[str]) -> Reads:
        """Nothing: what the provider said is on record itself."""
        return Reads()
