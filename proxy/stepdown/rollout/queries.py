"""PromQL that counts for each arm: templates that are filled in, and the query that counts all of a counter.

Filled in are `{{candidate}}` and `{{stable}}` (the versions), `{{rollout}}`, `{{step}}` (from 1) and `{{since}}`
(`137000ms`: how long the step has lasted); where something is asked for each arm also `{{version}}`, its version, and
`{{arm}}` (`candidate` or `stable`). Double braces, because PromQL has single ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from stepdown.decide.rollout_spec import PerArm
from stepdown.rollout.batch import Arm

OF_A_ROLLOUT = frozenset({"candidate", "stable", "rollout", "step", "since"})
OF_AN_ARM = frozenset({"version", "arm"})
PLACEHOLDERS = OF_A_ROLLOUT | OF_AN_ARM

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LABELS = r"""\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{\{[^{}]*\}\})*\}"""
_COUNTER = re.compile(
    rf"\s*(?P<selector>[A-Za-z_:][A-Za-z0-9_:]*\s*(?:{_LABELS})?|{_LABELS})(?P<zero>\s+or\s+vector\(0\))?\s*"
)
_ZERO = " or vector(0)"


class Place(NamedTuple):
    """Where a rollout stands, as far as queries and hooks are told."""

    rollout: str
    step: int
    """From 1."""
    candidate: str
    stable: str
    since: float
    """Unix seconds from which on it is counted."""

    def values(self, now: float, arm: Arm | None = None) -> dict[str, str]:
        """What is filled in, by name."""
        values = {
            "candidate": self.candidate,
            "stable": self.stable,
            "rollout": self.rollout,
            "step": str(self.step),
            "since": f"{max(1, round((now - self.since) * 1000))}ms",
        }
        if arm is not None:
            values |= {"version": self.candidate if arm == "candidate" else self.stable, "arm": arm}
        return values


class CountQueries(NamedTuple):
    """What counts one kind of event of one arm; each is a template and gives one number."""

    events: str
    """Events since the stage began."""
    trials: str
    """What could have been one, since then."""
    fresh: str = ""
    """Unix seconds of the newest sample. Without it, counters of which no more is heard look as if nothing happened."""
    known: str = ""
    """Has a value where this counter was there before the stage began; asked for stable only, which always was."""


def queries_of(events: PerArm, trials: PerArm) -> dict[Arm, CountQueries]:
    """Of each arm that is asked about."""
    found: dict[Arm, CountQueries] = {}
    found["candidate"] = of_texts(events.candidate, trials.candidate)._replace(known="")
    if events.stable:
        found["stable"] = of_texts(events.stable, trials.stable)
    return found


def of_texts(events: str, trials: str) -> CountQueries:
    """What is asked where a file names these: counters, or queries of its own that have `{{since}}`.

    A counter of events that is not there is no evidence of none: where it first appears with the first event, it ends
    with `or vector(0)`. That trials are fresh is looked at, since they come all the time, and that those of stable
    reach back: where Prometheus knows nothing of the time before the stage, all that stable ever did would look as if
    it had happened since. Neither can be looked at of somebody's own query, or of trials that may be missing.
    """
    counter = _COUNTER.fullmatch(trials)
    if counter is None or counter["zero"]:
        return CountQueries(_growth(events), _growth(trials))
    selector = counter["selector"]
    return CountQueries(_growth(events), _growth(trials), f"max(timestamp({selector}))", f"count({_before(selector)})")


def growth_of(selector: str) -> str:
    """All that a counter grew by since the stage began, to the count.

    `increase` would be wrong in two ways. It takes a series' first sample in its range for where it began, so the
    first error of every server that had none before is lost, and with it most of what a guard of rare errors looks
    for. And it extrapolates to the ends of its range, by half and more while a stage is young; what was not seen is no
    evidence. So what a series came to is compared with what it was before the stage; one that was not there in the hour
    before began at 0. Only a series that was set back meanwhile (a server was started again) is left to `increase`.
    """
    within, before = f"{selector}[{{{{since}}}}]", _before(selector)
    last = f"last_over_time({within})"
    exact = f"({last} - {before} >= 0 or {last} unless {before}) unless resets({within}) > 0"
    first = f"(min_over_time({within}) unless {before} or 0 * min_over_time({within}))"
    return f"sum({exact} or increase({within}) + {first})"


def is_countable(text: str) -> bool:
    """Whether a text says what is counted since the step began: a counter, or a query with `{{since}}`."""
    return _COUNTER.fullmatch(text) is not None or "since" in names(text)


def names(template: str) -> tuple[str, ...]:
    """Of all placeholders."""
    return tuple(_PLACEHOLDER.findall(template))


def filled(template: str, values: Mapping[str, str]) -> str:
    """With what is known; what is unknown stays as it is, and Prometheus refuses it."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def _growth(text: str) -> str:
    counter = _COUNTER.fullmatch(text)
    if counter is None:
        return text
    return growth_of(counter["selector"].strip()) + (_ZERO if counter["zero"] else "")


def _before(selector: str) -> str:
    """What a counter came to before the stage began."""
    return f"last_over_time({selector}[1h] offset {{{{since}}}})"
