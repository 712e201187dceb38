"""PromQL that counts for each arm: templates that are filled in, and the query that counts all of a counter.

`{{version}}`, `{{arm}}` (`candidate` or `stable`) and `{{since}}` (`137s`: how long the stage has lasted) are filled
in; double braces, because PromQL has single ones.
"""

from __future__ import annotations

import math
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


def of_counters(events: str, trials: str) -> CountQueries:
    """Counts two counters, each named by its selector, such as `clicks_total{version="{{version}}"}`.

    A counter of events that is not there is no evidence of none: where it first appears with the first event, end its
    query with `or vector(0)`. That trials are fresh is looked at, since they come all the time.
    """
    return CountQueries(increase_of(events), increase_of(trials), f"max(timestamp({trials}))")


def increase_of(selector: str) -> str:
    """All that a counter grew by since the stage began.

    `increase` alone takes a series' first sample in its range for where it began. A series that was born since then
    (a server that was started, the first error of its kind) began at 0, so what it was born with is added, or the
    first error of every server would be lost, and with it most of what a guard of rare errors looks for. A series
    counts as born where there was none in the hour before; across a longer gap in what Prometheus has, it
    is counted whole.
    """
    born = f"min_over_time({selector}[{{{{since}}}}]) unless last_over_time({selector}[1h] offset {{{{since}}}})"
    return f"sum(increase({selector}[{{{{since}}}}])) + (sum({born}) or vector(0))"


def unknown_placeholders(template: str) -> tuple[str, ...]:
    """Names that are never filled in: a mistake in a file."""
    return tuple(name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS)


def filled(template: str, arm: Arm, version: str, seconds: float) -> str:
    """The query for one arm; what is unknown stays as it is, and Prometheus refuses it."""
    values = {"arm": arm, "version": version, "since": f"{max(1, math.ceil(seconds))}s"}
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
