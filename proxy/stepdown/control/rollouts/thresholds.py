"""Measurements of the threshold guards of one step, each at its own interval, also between two windows.

The guards' stored states are where it goes on from: they say when the next measurement is due. What was measured since
waits here until they have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stepdown.decide.rollout_spec import Threshold
from stepdown.rollout.counts import Measurement
from stepdown.rollout.guards.threshold import ThresholdState, due, measured
from stepdown.tasks import start

MOST_WAITING = 10_000
"""Measurements of a guard that wait for the end of a window."""
_LONGEST_SLEEP = 5.0
"""Seconds after which the clock is looked at again, which may have been set."""
_LEAST_IDLE = 60.0


class Thresholds:
    """The measurements of one step; lives on a loop."""

    def __init__(
        self,
        stage: Any,
        measure: Callable[[Threshold], Awaitable[Measurement]],
        clock: Callable[[], float],
        idle: float,
    ) -> None:
        """`measure` raises nothing; the task ends where nobody has asked for so many seconds: it is nobody's."""
        self.stage = stage
        self._measure = measure
        self._clock = clock
        self._idle = max(idle, _LEAST_IDLE)
        self._states: dict[str, ThresholdState] = {}
        """With what waits."""
        self._waiting: dict[str, list[Measurement]] = {}
        self._guards: tuple[Threshold, ...] = ()
        self._round: asyncio.Task[None] | None = None
        """Measures what is due, once."""
        self._task: asyncio.Task[None] | None = None
        self._asked = 0.0
        self._left = False

    def leave(self) -> None:
        """Measure no more, and give up what is on its way."""
        self._left = True
        for task in (self._task, self._round):
            if task is not None:
                task.cancel()

    async def close(self) -> None:
        """The same, and wait until it has ended."""
        self.leave()
        await asyncio.gather(*(task for task in (self._task, self._round) if task is not None), return_exceptions=True)

    async def after(
        self, stored: Mapping[Threshold, ThresholdState], within: float
    ) -> dict[str, tuple[Measurement, ...]]:
        """All that these states do not have yet, and what is due now if it comes within so many seconds."""
        self._asked = asyncio.get_running_loop().time()
        self._go_on_from(stored)
        await asyncio.wait([self._measuring()], timeout=within)
        if not self._left and (self._task is None or self._task.done()):
            self._task = start(self._go_on(), name="measure thresholds")
        return {guard.name: tuple(waiting) for guard in stored if (waiting := self._waiting[guard.name])}

    def _go_on_from(self, stored: Mapping[Threshold, ThresholdState]) -> None:
        self._guards = tuple(stored)
        for guard, state in stored.items():
            new = [one for one in self._waiting.get(guard.name, ()) if state.last is None or one.at > state.at]
            self._waiting[guard.name] = new
            for one in new:
                state = measured(state, guard, one)  # noqa: PLW2901 - added up
            self._states[guard.name] = state

    def _measuring(self) -> asyncio.Task[None]:
        """The round that is on its way, or a new one."""
        if self._round is None or self._round.done():
            self._round = start(self._measure_due(), name="measure what is due")
        return self._round

    async def _measure_due(self) -> None:
        now = self._clock()
        asked = [guard for guard, at in self._due() if at <= now]
        found = await asyncio.gather(*(self._measure(guard) for guard in asked))
        for guard, one in zip(asked, found, strict=True):
            state = self._states[guard.name]
            if state.last is None or one.at > state.at:
                self._waiting[guard.name].append(one)
                self._states[guard.name] = measured(state, guard, one)

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while (times := [at for _, at in self._due()]) and loop.time() - self._asked < self._idle:
            await asyncio.sleep(min(max(min(times) - self._clock(), 0.01), _LONGEST_SLEEP))
            await asyncio.wait([self._measuring()])

    def _due(self) -> list[tuple[Threshold, float]]:
        """When each guard is measured next, if it is at all."""
        return [
            (guard, at)
            for guard in self._guards
            if len(self._waiting[guard.name]) < MOST_WAITING
            and (at := due(self._states[guard.name], guard)) is not None
        ]
