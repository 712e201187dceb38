"""What feedback costs: a token for an answer, and the look at one that is posted back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

from bench.adapters.turns import Cost
from bench.decisions.outcome import without
from bench.decisions.ways import HEADS, Way
from bench.page import Table
from bench.promises import Promise
from stepdown.decide.feedback import Issuer, Run, Units, Verifier

NEXT_UNIT = "the next unit"
ISSUED, VERIFIED = "a feedback token, signed", "a feedback token, verified"

SECRET = "a-secret-for-the-benchmark"  # noqa: S105 - of nothing else
NOW, DAY = 1_800_000_000.0, 86_400.0
RUN = Run("churn-2", 1, "churn", "1.1.0", "2.0.0", "6f9619ff8b86d011b42d00cf4fc964ff")


def ways() -> dict[str, Way]:
    """A thousand units in turn: as a worker signs, with all prepared but the unit and the time; and as one verifies."""
    issuer = Issuer(RUN, SECRET, stage=1, share=0.25, arm="candidate", served="2.0.0")
    hashed = Units(RUN).hash
    verifier = Verifier((SECRET,), (RUN,))
    names = [b"header:x-user-id:user-%d" % number for number in range(HEADS)]
    units, again = cycle(names), cycle(names)
    tokens = cycle([issuer.issue(hashed(name), NOW).decode() for name in names])
    return {
        NEXT_UNIT: lambda: next(units),
        ISSUED: lambda: issuer.issue(hashed(next(again)), NOW),
        VERIFIED: lambda: verifier.verify(next(tokens), NOW, DAY),
    }


def table(costs: Mapping[str, Cost]) -> Table:
    """Without what taking the next unit costs."""
    return without(NEXT_UNIT, costs, "feedback")


def promises(costs: Mapping[str, Cost]) -> list[Promise]:
    """What a token may cost an answer."""
    return [Promise("a feedback token, signed, µs", costs[ISSUED].least - costs[NEXT_UNIT].least, 3.0)]
