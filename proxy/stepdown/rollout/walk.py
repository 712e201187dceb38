"""What each event makes of a rollout: it asks the judge, looks the table up, and says what happened.

event -> happening (here, with the judge's decision) -> change (`phases.TABLE`) -> position, effects, sentence
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from stepdown.decide.rollout_spec import HALF, Rollout, Step
from stepdown.rollout import events, sentences
from stepdown.rollout.guards import breaker
from stepdown.rollout.judge import Evidence, decide, explain, gathered, opened, panels
from stepdown.rollout.phases import ENDED, JUDGED, RUNNING, TABLE, Change, Happening
from stepdown.rollout.position import Alert, Apply, Effect, Position, Quarantine, Release, Transition, held_at_half


class _Happened(NamedTuple):
    """What an event comes down to."""

    happening: Happening | None
    """`None`: nothing, for the reason given."""
    why: str
    position: Position
    """With what the event brought, and the phase as it was."""


_Reader = Callable[["Walk", Position, Any], _Happened]


class Walk:
    """One rollout's rules, made ready; it holds nothing that changes."""

    __slots__ = ("panels", "rollout")

    def __init__(self, rollout: Rollout) -> None:
        self.rollout = rollout
        self.panels = panels(rollout)

    def after(self, position: Position, event: events.Event) -> Transition:
        """Where an event leads; unchanged, with the reason, where it is not for this phase."""
        happened = _READERS[type(event)](self, position, event)
        happening, why, position = happened
        if happening is None:
            return Transition(position, sentence=why)
        change = TABLE.get((position.phase, happening))
        if change is None:
            return Transition(position, sentence=f"{happening}: not possible while {position.phase}")
        step = self._step_after(position, happening)
        refused = self._above_half(position, change, step)
        if refused:
            return Transition(position, sentence=refused)
        return self._changed(happened, happening, change, step, event.now)

    # --- what events come down to -------------------------------------------------------------------------------------

    def _started(self, position: Position, event: events.Started) -> _Happened:
        held = position.candidate in position.quarantined
        if not event.who and (held or position.phase in ENDED):
            why = "is in quarantine" if held else f"was {position.phase}"
            return _Happened(None, f"{position.candidate.version} {why}: a person has to start it", position)
        left = position.cool_until - event.now
        if left > 0 and not event.force:
            return _Happened(None, f"cool-down: {sentences.duration(left)} left", position)
        return _Happened("start", _by(event), position)

    def _window(self, position: Position, event: events.WindowEnded) -> _Happened:
        window = event.window
        if position.phase not in JUDGED or window.run != position.run or window.stage > position.step:
            return _Happened(None, "", position)
        known = list(position.evidence)
        known[window.stage] = gathered(known[window.stage], self.panels[window.stage], window)
        position = msgspec.structs.replace(position, evidence=tuple(known))
        if window.stage < position.step:
            return self._late(position, window.stage)
        return self._judged(position, event.now)

    def _late(self, position: Position, stage: int) -> _Happened:
        """Of an earlier step nothing is decided any more but that the candidate was worse there after all."""
        evidence, panel = position.evidence[stage], self.panels[stage]
        if decide(evidence, panel, 0.0) != "worse":
            return _Happened(None, "", position)
        return _Happened("worse", f"late, of step {stage + 1}: {explain('worse', evidence, panel, 0.0)}", position)

    def _judged(self, position: Position, now: float) -> _Happened:
        evidence, panel = position.evidence[position.step], self.panels[position.step]
        elapsed = now - position.entered
        decision = decide(evidence, panel, elapsed)
        if decision == "more" or (decision in ("passed", "inconclusive") and position.phase != "stepping"):
            return _Happened(None, "", position)
        why = explain(decision, evidence, panel, elapsed)
        if decision == "passed":
            happening = self._passed(position)
            change = TABLE[position.phase, happening]
            unready = self._above_half(position, change, self._step_after(position, happening))
            if not unready:
                return _Happened(happening, why, position)
            late = panel.step.deadline and elapsed >= panel.step.deadline
            return _Happened("no verdict" if late else None, unready, position)
        named: Mapping[str, Happening] = {"worse": "worse", "mismatch": "mismatch", "inconclusive": "no verdict"}
        return _Happened(named[decision], why, position)

    def _flushed(self, position: Position, event: events.Flushed) -> _Happened:
        if position.phase not in RUNNING:
            return _Happened(None, "", position)
        state = breaker.update(position.breaker, self.rollout.breaker, event.flush)
        why = breaker.broken(state, self.rollout.breaker)
        position = msgspec.structs.replace(position, breaker=state)
        return _Happened("breaker" if why else None, why or "", position)

    def _resumed(self, position: Position, event: events.Resumed) -> _Happened:
        if position.phase == "gated":
            return _Happened("finish" if self._last(position) else "next", _by(event), position)
        if position.phase == "inconclusive":
            known = list(position.evidence)
            known[position.step] = opened(known[position.step])
            position = msgspec.structs.replace(position, entered=event.now, evidence=tuple(known))
        return _Happened("resume", _by(event), position)

    def _undone(self, position: Position, event: events.UndoneByHand) -> _Happened:
        return _Happened("undo" if position.phase == "promoted" else "abort", _by(event), position)

    def _changed_candidate(self, position: Position, event: events.CandidateChanged) -> _Happened:
        old, new = position.candidate, event.candidate
        stable = event.stable or position.stable
        if old == new and stable == position.stable:
            return _Happened(None, "", position)
        what = f"endpoints of {new.version} are others" if old.version == new.version else f"it is {new.version} now"
        why = f"the candidate is another: {what}, and what is known was of {old.version} as it was"
        if old == new:
            why = f"stable is another: it is {stable} now, and what is known was against {position.stable}"
        position = msgspec.structs.replace(position, candidate=new, stable=stable)
        return _Happened("change" if position.phase in RUNNING else None, why, position)

    def _ready(self, position: Position, event: events.StableReady) -> _Happened:
        return _Happened(None, "", msgspec.structs.replace(position, ready=event.ready))

    def _cooled(self, position: Position, event: events.CooledDown) -> _Happened:
        left = position.cool_until - event.now
        if left > 0:
            return _Happened(None, f"cool-down: {sentences.duration(left)} left", position)
        over = msgspec.structs.replace(position, cool_until=0.0)
        return _Happened("cooled", "the cool-down is over", over)

    # --- what changes -------------------------------------------------------------------------------------------------

    def _changed(self, happened: _Happened, happening: Happening, change: Change, step: int, now: float) -> Transition:
        position = happened.position
        weight = self._weight(position, change, step)
        to = change.to or position.before
        sentence = self._sentence(position, to, step, weight, happened.why)
        fields: dict[str, Any] = {"phase": to, "step": step, "weight": weight}
        if happening == "lost":
            fields["before"] = position.phase
        if happening == "start":
            fields |= {"run": position.run + 1, "breaker": breaker.BreakerState(), "evidence": ()}
            fields["quarantined"] = tuple(one for one in position.quarantined if one != position.candidate)
        if change.anew:
            known = fields.get("evidence", position.evidence)
            fields |= {"entered": now, "evidence": (*known[:step], Evidence())}
        if change.quarantine:
            held = tuple(one for one in position.quarantined if one != position.candidate)
            cool = now + self.rollout.cool_down if self.rollout.cool_down else 0.0
            fields |= {"quarantined": (*held, position.candidate), "cool_until": cool}
        if to == "promoted":
            fields["good"] = position.candidate.version
        if happening == "undo":
            fields["good"] = position.stable
        after = msgspec.structs.replace(position, **fields)
        effects = tuple(self._effects(position, after, change, sentence))
        return Transition(after, effects, sentence, moved=True)

    def _effects(self, before: Position, after: Position, change: Change, sentence: str) -> list[Effect]:
        effects: list[Effect] = []
        if change.weight != "keep":
            taken = change.weight == "none"
            step = self.rollout.steps[after.step] if change.weight == "step" else Step(weight=after.weight)
            effects.append(Apply(after.step, after.weight, step.segment, step.shadow, everywhere=taken))
        if change.quarantine:
            effects.append(Quarantine(before.candidate))
        effects.extend(Release(one) for one in before.quarantined if one not in after.quarantined)
        if change.alert:
            effects.append(Alert(sentence))
        return effects

    def _sentence(self, before: Position, to: str, step: int, weight: float, why: str) -> str:
        place = self._named(before.step, before.weight)
        said = f": {why}" if why else ""
        if to == "stepping" and (step != before.step or before.phase in ("pending", *ENDED)):
            new = self._named(step, weight)
            return f"{place} passed, on to {new}{said}" if before.phase in RUNNING else f"started with {new}{said}"
        if to in ENDED or to == "pending":
            takes = before.candidate.version if to == "promoted" else before.stable
            return f"{to} at {place}{said}; {takes} has all traffic"
        return f"{to} at {place}{said}"

    def _named(self, step: int, weight: float) -> str:
        return sentences.step(step, len(self.rollout.steps), weight, self.rollout.steps[step].segment)

    def _step_after(self, position: Position, happening: Happening) -> int:
        if happening == "start":
            return 0
        return position.step + 1 if happening == "next" else position.step

    def _weight(self, position: Position, change: Change, step: int) -> float:
        if change.weight == "step":
            return self.rollout.steps[step].weight
        return {"none": 0.0, "all": 100.0}.get(change.weight, position.weight)

    def _above_half(self, position: Position, change: Change, step: int) -> str:
        """Why the candidate does not get so much; empty where it does, or its users have as much already."""
        segment = None if change.weight == "all" else self.rollout.steps[step].segment
        if not held_at_half(self.rollout, position, self._weight(position, change, step), segment):
            return ""
        return (
            f"no more than {sentences.weight(HALF)} while {position.stable} has {position.ready} of"
            f" {self.rollout.min_ready} endpoints ready to take it back"
        )

    def _passed(self, position: Position) -> Happening:
        last = self._last(position)
        if self.rollout.steps[position.step].gate or (last and self.rollout.promotion == "manual"):
            return "gate"
        return "finish" if last else "next"

    def _last(self, position: Position) -> bool:
        return position.step == len(self.rollout.steps) - 1


def _by_hand(happening: Happening) -> _Reader:
    return lambda _, position, event: _Happened(happening, _by(event), position)


def _simply(happening: Happening, why: str) -> _Reader:
    return lambda _, position, event: _Happened(happening, why, position)


def _by(event: events.ByHand) -> str:
    return f"by {event.who}" if event.who else "by the configuration"


_READERS: Mapping[type[events.Event], _Reader] = {
    events.Started: Walk._started,
    events.WindowEnded: Walk._window,
    events.Flushed: Walk._flushed,
    events.Paused: _by_hand("pause"),
    events.Resumed: Walk._resumed,
    events.PromotedByHand: _by_hand("promote"),
    events.AbortedByHand: _by_hand("abort"),
    events.UndoneByHand: Walk._undone,
    events.StoreLost: _simply("lost", "its state cannot be stored, so nothing advances"),
    events.StoreFound: _simply("found", "its state can be stored again"),
    events.CandidateChanged: Walk._changed_candidate,
    events.StableReady: Walk._ready,
    events.CooledDown: Walk._cooled,
}
