"""PromQL that counts for each arm: templates that are filled in, and the query that counts all of a counter.

`{{version}}`, `{{arm}}` (`candidate` or `stable`) and `{{since}}` (`137000ms`: how long the stage has lasted) are
filled in; double braces, because PromQL has single ones.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Arm = Literal["candidate", "stable"]
PLACEHOLDERS = frozenset({"version", "arm", "since"})

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class CountQueries(NamedTuple):
    """What counts one kind of event; each is a template that is filled in for both arms and gives one number."""

    events: str
    """Events since the stage began."""
    trials: str
    """What could have been one, since then."""
    fresh: str = ""
    """Unix seconds of the newest sample. Without it, counters of which no more is heard look as if nothing happened."""
    known: str = ""
    """Has a value where this counter was there before the stage began; asked for stable only, which always was."""


def of_counters(events: str, trials: str) -> CountQueries:
    """Counts two counters, each named by its selector, such as `clicks_total{version="{{version}}"}`.

    A counter of events that is not there is no evidence of none: where it first appears with the first event, end its
    query with `or vector(0)`. That trials are fresh is looked at, since they come all the time, and that those of
    stable reach back: where Prometheus knows nothing of the time before the stage, all that stable ever did would look
    as if it had happened since.
    """
    known = f"count({_before(trials)})"
    return CountQueries(growth_of(events), growth_of(trials), f"max(timestamp({trials}))", known)


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


def unknown_placeholders(template: str) -> tuple[str, ...]:
    """Names that are never filled in: a mistake in a file."""
    return tuple(name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS)


def filled(template: str, arm: Arm, version: str, seconds: float) -> str:
    """The query for one arm; what is unknown stays as it is, and Prometheus refuses it."""
    values = {"arm": arm, "version": version, "since": f"{max(1, round(seconds * 1000))}ms"}
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def _before(selector: str) -> str:
    """What a counter came to before the stage began."""
    return f"last_over_time({selector}[1h] offset {{{{since}}}})"
