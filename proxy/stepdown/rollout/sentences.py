"""Numbers as they stand in the sentences of verdicts."""

from __future__ import annotations

import math

_MOST = math.log(1e9)
_KINDS = {"slow": "slow answers", "shadow_different": "copies that differ"}


def evidence(log_e: float) -> str:
    """E of its logarithm, to three digits: `0.42`, `312`, `over 10^9`."""
    if log_e > _MOST:
        return f"over 10^{math.floor(log_e / math.log(10))}"
    e = math.exp(log_e)
    return f"{e:,.0f}" if e >= 100 else f"{e:.3g}"


def percent(share: float) -> str:
    """`5 %` of 0.05."""
    return f"{100 * share:.3g} %"


def weight(per_cent: float) -> str:
    """`5 %` of 5."""
    return f"{per_cent:.4g} %"


def audience(per_cent: float, segment: str | None) -> str:
    """`5 %` of everybody, `50 % of beta`."""
    return weight(per_cent) if segment is None else f"{weight(per_cent)} of {segment}"


def step(place: int, steps: int, per_cent: float, segment: str | None) -> str:
    """`step 2 of 4 (25 %)`, with its place from 0."""
    return f"step {place + 1} of {steps} ({audience(per_cent, segment)})"


def number(count: float) -> str:
    """With its thousands told apart."""
    return f"{count:,.0f}"


def duration(seconds: float) -> str:
    """In the largest unit of which there is one: `45 s`, `12 min`, `3.5 h`, `2 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{max(seconds, 0):.3g} s"


def kind(name: str) -> str:
    """Events of a kind, as a noun: `contract violations`, `slow answers`; of a metric, its guard's name."""
    return _KINDS.get(name, name.rpartition(":")[2].replace("_", " "))
