"""Rollouts that a test walks by hand: real positions, made by the real walk, for those who look at them and ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from stepdown.control.rollouts.asking import Asked, Done, RolloutRefusedError, Rollouts, Standing
from stepdown.control.stores.values import Recorded
from stepdown.control.stores.values import Transition as Written
from stepdown.decide.rollout_spec import Rollout
from stepdown.rollout import events
from stepdown.rollout.counts import Window
from stepdown.rollout.position import Candidate, begin
from stepdown.rollout.walk import Walk
from tests.kit.rollouts import rollout, window

TWO = Candidate(version="2.0.0", endpoints="aa")
_BY_HAND = {
    "start": events.Started,
    "pause": events.Paused,
    "resume": events.Resumed,
    "promote": events.PromotedByHand,
    "abort": events.AbortedByHand,
    "undo": events.UndoneByHand,
}


class One:
    """One rollout with a clock of its own."""

    def __init__(self, spec: Rollout, now: float = 1_800_000_000.0) -> None:
        self.walk = Walk(spec)
        self.position = begin(spec, TWO)
        self.now = now
        self.history: list[Recorded] = []
        self.said = ""
        self.fields: dict[str, Any] = {"rate": 100.0, "leads": True, "holder": "here", "store": "ok", "differs": ()}
        self.does(events.StableReady, ready=1)

    def does(self, event: type[events.Event], **fields: Any) -> Done:
        """One event now."""
        moved = self.walk.after(self.position, event(now=self.now, **fields))
        self.position = moved.position
        if moved.moved:
            written = Written(
                self.now, moved.position.run, moved.sentence, b'{"phase": "%b"}' % moved.position.phase.encode()
            )
            self.history.append(Recorded(len(self.history) + 1, written))
        self.said = moved.sentence or self.said
        return Done(moved.moved, moved.sentence)

    def started(self) -> One:
        """At its first step."""
        self.does(events.Started, who="ann")
        return self

    def sees(self, times: int = 1, units: int = 1000, **counted: Any) -> One:
        """Windows of the step where it stands, until it is elsewhere; without counts, one in fifty units fails."""
        for _ in range(times):
            step = self.position.step
            share = self.walk.rollout.steps[step].weight / 100
            failed = units // 50
            usual = {guard.kind: (round(failed * share), round(failed * (1 - share))) for guard in self._counting()}
            self.now += self.walk.rollout.window
            self.window(window(step, share, units=units, **(counted or usual)))
            if self.position.step != step or self.position.phase != "stepping":
                break
        return self

    def window(self, one: Window) -> None:
        """One window as it is, of this run."""
        self.does(events.WindowEnded, window=msgspec.structs.replace(one, run=self.position.run))

    def standing(self) -> Standing:
        """As it is now."""
        return Standing(
            rollout=self.walk.rollout,
            route="churn",
            rule="everyone",
            position=self.position,
            said=self.said,
            now=self.now,
            **self.fields,
        )

    def _counting(self) -> list[Any]:
        return [guard for guard in self.walk.rollout.guards if hasattr(guard, "kind")]


class Walked(Rollouts):
    """Satisfies `control.rollouts.asking.Rollouts`."""

    def __init__(self, *specs: Rollout) -> None:
        self.ones = {spec.name: One(spec) for spec in specs}
        self.asked: list[Asked] = []
        self.refusal: RolloutRefusedError | None = None
        """How the next action ends, if it is not done."""
        self.unread: Callable[[], object] | None = None
        """What is learned when states are read, until they are."""

    @classmethod
    def of(cls, *weights: float, **changes: Any) -> Walked:
        """One, called `churn-2` (`tests.kit.rollouts`)."""
        return cls(rollout(*weights, **changes))

    @property
    def one(self) -> One:
        """The first."""
        return next(iter(self.ones.values()))

    @property
    def transitions(self) -> Mapping[tuple[str, str], int]:
        return Counter((name, one.position.phase) for name, one in self.ones.items() for _ in one.history)

    @property
    def settled(self) -> bool:
        return self.unread is None

    async def known(self) -> None:
        learned, self.unread = self.unread, None
        if learned is not None:
            learned()

    def standings(self) -> Sequence[Standing]:
        return [one.standing() for one in self.ones.values()]

    async def act(self, asked: Asked) -> Done:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        fields = {"force": asked.force} if asked.action == "start" else {}
        return self.ones[asked.rollout].does(_BY_HAND[asked.action], who=asked.by, **fields)

    async def history(self, rollout: str, before: int | None, limit: int) -> list[Recorded]:
        known = [one for one in self.ones[rollout].history if before is None or one.number < before]
        return known[::-1][:limit]
