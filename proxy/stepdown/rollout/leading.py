"""What whoever decides makes of a document, one event after another: pure, so that any replica would make the same.

    hand      a person asks for something
    adopt     the file was changed: another candidate, another stable version
    flush     requests that were completed since the last look, for the breaker
    window    a window's time is over, for the guards
    simply    everything that only time and servers do: readiness, the end of a cool-down

Each gives the next document, and what happened on the way; the document is to be written with it, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from stepdown.decide.rollout_spec import Driven, Rollout, Step
from stepdown.rollout import events, looking
from stepdown.rollout.counts import UNITS, Arms
from stepdown.rollout.document import FORM, Document, sorted_cells, terms_of, with_sources
from stepdown.rollout.guards.breaker import Flush
from stepdown.rollout.looking import Elsewhere, Totals
from stepdown.rollout.phases import ENDED, RUNNING, Phase
from stepdown.rollout.position import Alert, Candidate, Position, Transition, begin
from stepdown.rollout.walk import Walk


class Happened(NamedTuple):
    """One transition, for the history and the log."""

    at: float
    run: int
    sentence: str
    before: Phase
    phase: Phase
    step: int
    weight: float
    alert: bool


class Led(NamedTuple):
    """What came of it."""

    document: Document
    happened: tuple[Happened, ...] = ()
    sentence: str = ""
    """What happened, or why nothing did."""

    @property
    def takes_back(self) -> bool:
        """Whether the candidate loses everything: that waits for no store."""
        return any(one.phase in ("rolled back", "aborted") for one in self.happened)


def first(rollout: Rollout, candidate: Candidate) -> Document:
    """Of a rollout that has no state."""
    return Document(form=FORM, position=begin(rollout, candidate), stable=rollout.stable)


def terms(document: Document, declared: Rollout) -> Rollout:
    """What decides now: what the run was started with, or the file's where none is under way."""
    if document.position.phase in RUNNING and document.terms is not None:
        return with_sources(document.terms, declared)
    return declared


# --- events -----------------------------------------------------------------------------------------------------------


def hand(document: Document, declared: Rollout, event: events.ByHand, totals: Totals, salt: str) -> Led:
    """A person asks; `totals` are the run's evidence so far, and `salt` is for the run that may begin."""
    if isinstance(event, events.Started):
        led = _after(document, Walk(declared), event)
        if not led.happened:
            return led
        begun = msgspec.structs.replace(
            led.document, terms=terms_of(declared), salt=salt, judged=(), slow=(), since=event.now
        )
        return led._replace(document=begun)
    frozen = document.position.phase == "frozen"
    led = _after(document, Walk(terms(document, declared)), event)
    if frozen and led.happened and led.document.position.phase == "stepping":
        # What was counted while the assignment was wrong is no evidence of anything.
        seen = sorted_cells(looking.discarded(document.totals, totals))
        led = led._replace(document=msgspec.structs.replace(led.document, judged=seen))
    return led


def adopt(document: Document, declared: Rollout, candidate: Candidate, segments: Iterable[str], now: float) -> Led:
    """The file is this one now; nothing happens where it brings in the same candidate for the same stable version.

    `segments` are those that the file has: a run whose step is for another one cannot go on.
    """
    position = document.position
    another = (declared.stable, declared.candidate) != (document.stable, position.candidate.version)
    known = set(segments)
    lost = another or any(step.segment is not None and step.segment not in known for step in _steps(document))
    if not lost and candidate == position.candidate:
        return Led(document)
    led = Led(document)
    if position.phase in RUNNING and lost and candidate == position.candidate and declared.stable == document.stable:
        why = "a segment of its steps is gone from the file"
        return _pending(document, position, why, now)
    running = position.phase in RUNNING
    if running or not another:
        stable = declared.stable if declared.stable != document.stable else ""
        event = events.CandidateChanged(now=now, candidate=candidate, stable=stable)
        led = _after(document, Walk(terms(document, declared)), event)
    if not another:
        return led
    fresh = begin(declared, candidate, led.document.position, now)
    said = f"the file brings in {candidate.version} for {declared.stable}: pending until it is started"
    happened = led.happened
    if not running:
        happened = (Happened(now, fresh.run, said, position.phase, "pending", 0, 0.0, alert=False),)
    renewed = msgspec.structs.replace(
        led.document, position=fresh, stable=declared.stable, said=happened[-1].sentence, said_at=now, terms=None
    )
    return Led(renewed, happened, happened[-1].sentence)


def flush(document: Document, declared: Rollout, totals: Totals, now: float) -> Led:
    """Let the breaker see what requests came to since the last look."""
    new, judged = looking.flushed(document.totals, totals)
    if new == Flush():
        return Led(document)
    return flushed(msgspec.structs.replace(document, judged=sorted_cells(judged)), declared, new, now)


def flushed(document: Document, declared: Rollout, new: Flush, now: float) -> Led:
    """Let the breaker see a flush that was counted elsewhere than in the store."""
    return _after(document, Walk(terms(document, declared)), events.Flushed(now=now, flush=new))


def window(  # noqa: PLR0917 - all that is known at the end of a window
    document: Document,
    declared: Rollout,
    totals: Totals,
    now: float,
    elsewhere: Elsewhere = looking.NOTHING,
    can_report: bool = True,
) -> Led:
    """End the window: judge what came, stage by stage, until something happens."""
    by = terms(document, declared)
    walk = Walk(by)
    new, judged = looking.windows(by, document, totals, now, elsewhere, can_report=can_report)
    led = Led(msgspec.structs.replace(document, judged=sorted_cells(judged), since=now))
    happened: list[Happened] = []
    for one in new:
        led = _after(led.document, walk, events.WindowEnded(now=now, window=one))
        happened += led.happened
        if happened:
            break
    return led._replace(happened=tuple(happened))


def simply(document: Document, declared: Rollout, event: events.Event) -> Led:
    """Readiness, the end of a cool-down, a store that was lost."""
    return _after(document, Walk(terms(document, declared)), event)


def is_due(document: Document, declared: Rollout, now: float) -> bool:
    """Whether the window's time is over."""
    return document.position.phase in RUNNING and now >= document.since + terms(document, declared).window


def with_slow(document: Document, seconds: float) -> Document:
    """What is slow at the step where it stands, unless that is known already; 0 says nothing."""
    if not seconds or document.slow_now or document.position.phase not in RUNNING:
        return document
    step = document.position.step
    slow = (*document.slow[:step], *([0.0] * (step - len(document.slow))), seconds)
    return msgspec.structs.replace(document, slow=slow)


def without_runs(document: Document, runs: Iterable[int]) -> Document:
    """These were forgotten."""
    gone = set(runs)
    return msgspec.structs.replace(document, over=tuple(one for one in document.over if one[0] not in gone))


def _after(document: Document, walk: Walk, event: events.Event) -> Led:
    before = document.position
    transition = walk.after(before, event)
    after = transition.position
    if not transition.moved:
        return Led(msgspec.structs.replace(document, position=after), (), transition.sentence)
    entered = after.run != before.run or after.step != before.step or after.entered != before.entered
    changed = msgspec.structs.replace(
        document,
        position=after,
        said=transition.sentence,
        said_at=event.now,
        since=event.now if entered else document.since,
        over=_over(document, before, after, event.now),
    )
    return Led(changed, (_happened(before, transition, event.now),), transition.sentence)


def _over(document: Document, before: Position, after: Position, now: float) -> tuple[tuple[int, float], ...]:
    if before.phase in RUNNING and after.phase not in RUNNING:
        return (*document.over, (before.run, now))
    return document.over


def _happened(before: Position, transition: Transition, now: float) -> Happened:
    after = transition.position
    alert = any(isinstance(effect, Alert) for effect in transition.effects)
    return Happened(now, after.run, transition.sentence, before.phase, after.phase, after.step, after.weight, alert)


def _pending(document: Document, position: Position, why: str, now: float) -> Led:
    said = f"pending: {why}; {position.stable} has all traffic"
    after = msgspec.structs.replace(position, phase="pending", weight=0.0)
    one = Happened(now, position.run, said, position.phase, "pending", position.step, 0.0, alert=True)
    over = _over(document, position, after, now)
    changed = msgspec.structs.replace(document, position=after, said=said, said_at=now, over=over)
    return Led(changed, (one,), said)


def _steps(document: Document) -> tuple[Step, ...]:
    running = document.position.phase in RUNNING and document.terms is not None
    return document.terms.steps if running and document.terms is not None else ()


# --- what requests see of it ------------------------------------------------------------------------------------------


def driven(document: Document, builds: Mapping[str, str]) -> Driven | None:
    """Where requests go; `None` where the file says it all. `builds` are digests of endpoints, by version.

    Evidence is counted as long as anything is open, also of a rollout that is frozen: no guard looks then, but the
    breaker does. After that it is not, though what comes late of a run that is over is still taken.
    """
    position = document.position
    held = {one.version for one in position.quarantined if builds.get(one.version) == one.endpoints}
    others = tuple(sorted(held - {position.candidate.version}))
    ended = position.phase in ENDED and position.phase != "promoted" and bool(position.evidence)
    taken_back = ended or position.candidate in position.quarantined
    running = position.phase in RUNNING
    if not (running or taken_back or others or position.phase == "promoted") and position.stable == document.stable:
        return None
    return Driven(
        run=position.run,
        step=position.step,
        weight=position.weight,
        stable=position.stable,
        salt=document.salt,
        evidence=running,
        slow=document.slow_now if running else 0.0,
        taken_back=taken_back,
        quarantined=others,
    )


def units_so_far(totals: Totals) -> Arms:
    """Units that were assigned in a run, over all stages."""
    both = {"candidate": 0, "stable": 0}
    for cell, counts in totals.items():
        if cell.kind == UNITS:
            both[cell.arm] += counts.trials
    return Arms(**both)
