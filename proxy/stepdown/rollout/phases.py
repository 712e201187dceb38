"""Where a rollout can stand, and what leads from where to where: a table.

    pending       start -> stepping, abort -> aborted
    stepping      next -> stepping, gate -> gated, finish -> promoted, worse -> rolled back, mismatch -> frozen,
                  no verdict -> inconclusive, pause -> paused, promote -> promoted, abort -> aborted,
                  breaker -> rolled back, change -> pending, lost -> blind
    gated         next -> stepping, finish -> promoted, worse -> rolled back, mismatch -> frozen, promote -> promoted,
                  abort -> aborted, breaker -> rolled back, change -> pending, lost -> blind
    paused        worse -> rolled back, mismatch -> frozen, resume -> stepping, promote -> promoted, abort -> aborted,
                  breaker -> rolled back, change -> pending, lost -> blind
    inconclusive  worse -> rolled back, mismatch -> frozen, resume -> stepping, promote -> promoted, abort -> aborted,
                  breaker -> rolled back, change -> pending, lost -> blind
    frozen        resume -> stepping, promote -> promoted, abort -> aborted, breaker -> rolled back, change -> pending,
                  lost -> blind
    blind         abort -> aborted, breaker -> rolled back, change -> pending, found -> where it was
    promoted      start -> stepping, undo -> aborted
    aborted       start -> stepping
    rolled back   start -> stepping, cooled -> rolled back

*Gated* is a step that passed and that a person has to let on. *Paused* and *inconclusive* keep their weight and go on
being judged, but only to be taken back: whoever holds a rollout does not mean to hold on to damage. *Frozen* is a wrong
assignment, of which no evidence can be believed, so only the breaker acts. *Blind* is a lost store: traffic goes on
with the last weights and nothing advances. *Promoted*, *aborted* and *rolled back* are the end, until a person starts
again, or takes a promotion back: that is an abort which came late. What is not in the table does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

Phase = Literal[
    "pending",
    "stepping",
    "gated",
    "paused",
    "inconclusive",
    "frozen",
    "blind",
    "promoted",
    "aborted",
    "rolled back",
]
Happening = Literal[
    "start",
    "next",
    "gate",
    "finish",
    "worse",
    "mismatch",
    "no verdict",
    "pause",
    "resume",
    "promote",
    "abort",
    "breaker",
    "change",
    "lost",
    "found",
    "cooled",
    "undo",
]
Weight = Literal["keep", "step", "none", "all"]


class Change(NamedTuple):
    """What comes of one happening in one phase."""

    to: Phase | None
    """`None`: where it was before it was blind."""
    weight: Weight = "keep"
    """Of the candidate: that of the (new) step, 0, or 100."""
    anew: bool = False
    """Evidence of the step, and its time, start anew."""
    quarantine: bool = False
    alert: bool = False


JUDGED: tuple[Phase, ...] = ("stepping", "gated", "paused", "inconclusive")
"""Windows are taken in and judged."""
RUNNING: tuple[Phase, ...] = (*JUDGED, "frozen", "blind")
"""The candidate may have traffic, and what comes of it is open."""
ENDED: tuple[Phase, ...] = ("promoted", "aborted", "rolled back")


def _rows() -> Iterator[tuple[tuple[Phase, Happening], Change]]:
    start = Change("stepping", "step", anew=True)
    for phase in ("pending", *ENDED):
        yield (phase, "start"), start
    yield ("pending", "abort"), Change("aborted")
    yield ("stepping", "next"), Change("stepping", "step", anew=True)
    yield ("stepping", "gate"), Change("gated", alert=True)
    yield ("stepping", "finish"), Change("promoted", "all")
    yield ("stepping", "no verdict"), Change("inconclusive", alert=True)
    yield ("stepping", "pause"), Change("paused")
    yield ("gated", "next"), Change("stepping", "step", anew=True)
    yield ("gated", "finish"), Change("promoted", "all")
    yield ("paused", "resume"), Change("stepping")
    yield ("inconclusive", "resume"), Change("stepping")
    yield ("frozen", "resume"), Change("stepping", anew=True)
    yield ("blind", "found"), Change(None)
    yield ("promoted", "undo"), Change("aborted", "none")
    yield ("rolled back", "cooled"), Change("rolled back", alert=True)
    for phase in JUDGED:
        yield (phase, "worse"), Change("rolled back", "none", quarantine=True, alert=True)
        yield (phase, "mismatch"), Change("frozen", alert=True)
    for phase in RUNNING:
        yield (phase, "breaker"), Change("rolled back", "none", quarantine=True, alert=True)
        yield (phase, "abort"), Change("aborted", "none")
        yield (phase, "change"), Change("pending", "none", alert=True)
        if phase != "blind":
            yield (phase, "promote"), Change("promoted", "all")
            yield (phase, "lost"), Change("blind", alert=True)


TABLE: Mapping[tuple[Phase, Happening], Change] = dict(_rows())


def diagram(width: int = 116) -> str:
    """The table as text, a phase after the other, as it stands above."""
    phases: Iterable[Phase] = Phase.__args__  # type: ignore[attr-defined]
    happenings: Iterable[Happening] = Happening.__args__  # type: ignore[attr-defined]
    lines = []
    for phase in phases:
        ways = [
            f"{happening} -> {TABLE[phase, happening].to or 'where it was'}"
            for happening in happenings
            if (phase, happening) in TABLE
        ]
        line = f"{phase:14}"
        for place, way in enumerate(ways):
            text = way + ("," if place < len(ways) - 1 else "")
            if len(line) + 1 + len(text) > width:
                lines.append(line.rstrip())
                line = " " * 14
            line += text + " "
        lines.append(line.rstrip())
    return "\n".join(lines)
