"""What came since the last look: the difference of a run's totals, as windows for the guards and as a flush.

Each unit's events count where the unit was assigned, so one look gives a window for every stage that got something;
those of earlier stages come first, and the current stage has one in any case, since time passes there.

**What is known of a kind.** What workers count is 0 where nothing came. It is unread, and so no reason to go on, where
nothing could have come: `slow` while nobody knows what is slow, a kind with trials of its own while nothing was tried,
broken contracts while many units come and none of their answers is looked at any more, a reported event while nothing
can be reported, and one that must not fall until the first one was reported at all, because silence looks the same as a
feed that is broken. What somebody else counts is what was measured, and only that, and only of the current stage.

**Totals only grow.** Where a store has less than was judged, it lost what it had acknowledged. Of sightings nothing is
taken in then until they are more than was judged: units may have been sighted again. Requests are counted from what is
left, or the breaker would be blind until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stepdown.decide.rollout_spec import Ceiling, Rollout, Share, Threshold
from stepdown.rollout.batch import Arm, Cell, Counts
from stepdown.rollout.counts import (
    CONTRACT_VIOLATIONS,
    OWN_KINDS,
    REQUESTS,
    SHADOW_DIFFERENT,
    SLOW,
    UNITS,
    Arms,
    Counted,
    Measurement,
    Window,
)
from stepdown.rollout.document import Document
from stepdown.rollout.guards.breaker import Flush

Totals = Mapping[Cell, Counts]

_OWN_TRIALS = {
    CONTRACT_VIOLATIONS: "no answer of both versions was held against its contract yet",
    SHADOW_DIFFERENT: "no copy was compared yet",
}
_LOOKED_AT = 100
"""New units of an arm of which at least one has an answer that is held against contracts, as good as surely: of the
tenth that is taken at the least (`decide.checks.LEAST`), none is among them with a chance of 3 in 100,000."""
_NOT_SLOW = "what is slow is not known: fewer than 1,000 answers of stable so far"
_NO_FEEDBACK = "nothing can be reported: the file has no feedback section"


class Elsewhere(NamedTuple):
    """What others said of the window of the current stage: sources of guards. It goes into the window as it is."""

    kinds: Mapping[str, Counted] = {}
    unread: Mapping[str, str] = {}
    """Why a kind could not be read: unreachable, stale, not a number."""
    measured: Mapping[str, tuple[Measurement, ...]] = {}
    """By name of a threshold guard."""


NOTHING = Elsewhere()


def flushed(judged: Totals, totals: Totals) -> tuple[Flush, dict[Cell, Counts]]:
    """Requests that were completed since, of all stages, and what is judged with them."""
    candidate, stable = [0, 0], [0, 0]
    after = dict(judged)
    for cell in {cell for cell in (*judged, *totals) if cell.kind == REQUESTS}:
        now, before = totals.get(cell, Counts()), judged.get(cell, Counts())
        into = candidate if cell.arm == "candidate" else stable
        into[0] += max(now.trials - before.trials, 0)
        into[1] += max(now.events - before.events, 0)
        after[cell] = now
    requests = Arms(candidate=candidate[0], stable=stable[0])
    return Flush(requests=requests, failures=Arms(candidate=candidate[1], stable=stable[1])), after


def discarded(judged: Totals, totals: Totals) -> dict[Cell, Counts]:
    """What is judged when everything so far is taken as seen: totals never fall below what was judged."""
    cells = {**judged, **totals}
    return {cell: _most(judged.get(cell, Counts()), totals.get(cell, Counts())) for cell in cells}


def windows(
    rollout: Rollout,
    document: Document,
    totals: Totals,
    now: float,
    elsewhere: Elsewhere = NOTHING,
    *,
    can_report: bool = True,
) -> tuple[list[Window], dict[Cell, Counts]]:
    """Of every stage that got something, the current one last; and what is judged with them.

    `can_report`: the file has a feedback section.
    """
    judged, step = document.totals, document.position.step
    after = dict(judged)
    new: dict[Cell, Counts] = {}
    for cell, now_counts in totals.items():
        if cell.kind == REQUESTS:
            continue
        before = judged.get(cell, Counts())
        after[cell] = most = _most(before, now_counts)
        if most != before:
            new[cell] = Counts(most.trials - before.trials, most.events - before.events)
    stages = sorted({cell.stage for cell in new if 0 <= cell.stage < step})
    seen = _Seen(rollout, document, after, new, now, can_report)
    return [*(seen.window(stage, NOTHING) for stage in stages), seen.window(step, elsewhere)], after


class _Seen(NamedTuple):
    """One look."""

    rollout: Rollout
    document: Document
    known: Totals
    """Of the whole run, with this look."""
    new: Totals
    now: float
    can_report: bool

    def window(self, stage: int, elsewhere: Elsewhere) -> Window:
        kinds: dict[str, Counted] = {}
        unread: dict[str, str] = {}
        for guard in self.rollout.guards:
            if isinstance(guard, Threshold) or guard.source is not None:
                continue
            why = self._unread(stage, guard)
            if why:
                unread[guard.kind] = why
            else:
                kinds[guard.kind] = self._counted(stage, guard.kind)
        return Window(
            stage=stage,
            share=self.rollout.steps[stage].weight / 100,
            begin=self.document.since,
            end=self.now,
            run=self.document.position.run,
            units=_arms(self.new, stage, UNITS, "trials"),
            kinds={**kinds, **elsewhere.kinds},
            unread={**unread, **elsewhere.unread},
            measured=elsewhere.measured,
        )

    def _counted(self, stage: int, kind: str) -> Counted:
        trials = _arms(self.new, stage, kind, "trials") if kind in _OWN_TRIALS else None
        return Counted(events=_arms(self.new, stage, kind, "events"), trials=trials)

    def _unread(self, stage: int, guard: Share | Ceiling) -> str:
        kind = guard.kind
        if kind == SLOW:
            return "" if self.document.slow_at(stage) else _NOT_SLOW
        if kind in _OWN_TRIALS:
            tried = _arms(self.known, stage, kind, "trials")
            needed = (tried.candidate,) if isinstance(guard, Ceiling) else (tried.candidate, tried.stable)
            if not all(needed):
                return _OWN_TRIALS[kind]
            return self._blind(stage, guard) if kind == CONTRACT_VIOLATIONS else ""
        if kind in OWN_KINDS:
            return ""
        if not self.can_report:
            return _NO_FEEDBACK
        falls = isinstance(guard, Share) and guard.must_not == "fall"
        return "" if not falls or self._was_reported(kind) else f"no {kind} was reported yet"

    def _blind(self, stage: int, guard: Share | Ceiling) -> str:
        """What came of answers that nobody holds against contracts any more, as the comparer is gone or too slow."""
        arms: tuple[Arm, ...] = ("candidate",) if isinstance(guard, Ceiling) else ("candidate", "stable")
        for arm in arms:
            came = self.new.get(Cell(stage, arm, UNITS), Counts()).trials
            if came >= _LOOKED_AT and not self.new.get(Cell(stage, arm, guard.kind), Counts()).trials:
                return f"no answer of {arm} was held against its contract since the last look, and {came:,} units came"
        return ""

    def _was_reported(self, kind: str) -> bool:
        return any(cell.kind == kind and counts.events for cell, counts in self.known.items())


def _arms(totals: Totals, stage: int, kind: str, side: str) -> Arms:
    def of(arm: Arm) -> int:
        counts = totals.get(Cell(stage, arm, kind), Counts())
        return counts.trials if side == "trials" else counts.events

    return Arms(candidate=of("candidate"), stable=of("stable"))


def _most(one: Counts, other: Counts) -> Counts:
    return Counts(max(one.trials, other.trials), max(one.events, other.events))
