"""What a guard of shares or ceilings has gathered at one stage, for taking back and for going on, and what it says."""

from __future__ import annotations

import math
from typing import NamedTuple

from stepdown.rollout import sentences
from stepdown.rollout.guards.reading import Terms, Verdict


class Gathered(NamedTuple):
    """Evidence of both sides, each as the logarithm of an E."""

    unread: str
    """Why the latest window said nothing; empty where it did."""
    log_e: float
    """For taking back."""
    proof: float | None
    """For going on; `None` where that takes none."""

    def verdict(self, terms: Terms) -> Verdict:
        """Where the guard stands by itself; its evidence alone is enough where the mean over all guards is."""
        if self.unread:
            return "inconclusive"
        if self.log_e >= terms.alone:
            return "rollback"
        if self.proof is not None and self.proof < terms.level:
            return "needs-more"
        return "ok"

    def sentence(self, name: str, terms: Terms, wanted: str, counted: str) -> str:
        """With its numbers; `wanted` is what has to be shown before going on."""
        if self.unread:
            return f"{name} cannot be read: {self.unread}; until then {counted}"
        e, found = sentences.evidence(self.log_e), self.verdict(terms)
        if found == "rollback":
            return f"{name}: E = {e} >= {terms.said_alone()}: {counted}"
        if found == "needs-more":
            proof = sentences.evidence(self.proof or 0.0)
            return f"{name}: that {wanted} is not shown yet, E = {proof} < {terms.said()}: {counted}"
        return f"{name}: E = {e}: {counted}"

    def missing(self, terms: Terms, count: int) -> int | None:
        """As many more of what `count` were, until it is shown, if evidence goes on growing as it did."""
        if self.verdict(terms) != "needs-more" or not self.proof or self.proof < 0 or not count:
            return None
        return math.ceil(count * (terms.level - self.proof) / self.proof)
