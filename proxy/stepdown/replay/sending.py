"""Requests on their way to the candidate, over the comparer's own legs and connections.

A request that could not connect was seen by nobody, so it is tried again for a while: a candidate that is being started
is waited for. One that nobody answers for that long is counted as refused, and the candidate is taken to be gone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from stepdown.comparer.admission import Admission, Send, SkippedError
from stepdown.comparer.asked import Asked
from stepdown.comparer.legs import Leg
from stepdown.comparer.limits import Budget, Hold
from stepdown.comparer.pools import Pools
from stepdown.comparer.results import Result
from stepdown.decide.shadow_spec import Shadow
from stepdown.plane.clock import CoarseClock
from stepdown.telemetry.slab import Slab

_AGAIN_SECONDS = 0.25
_BYTES = 1 << 40
"""No bound: how much is held follows from how many requests are on their way."""


class Sender:
    """Sends requests and waits for answers."""

    def __init__(self, patience: float) -> None:
        """On the running loop; `patience` are the seconds that a candidate is waited for."""
        loop = asyncio.get_running_loop()
        self.gone = ""
        """Why the candidate is taken to be gone."""
        self._patience = patience
        self._why = ""
        """Why there was no connection the last time."""
        self._read: Callable[[], float] = loop.time
        self._slab = Slab.create()
        self._clock = CoarseClock(loop, self._read)
        self._clock.each_tick(self._sweep)
        self._clock.start()
        self._pools = Pools(self._clock, self._slab)
        self._admission = Admission(self._pools, self._read)
        self._budget = Budget(_BYTES)
        self._legs: dict[Leg, asyncio.Future[Result]] = {}
        self._reached = self._read()
        """When somebody was last connected to, or was first tried."""

    async def send(self, asked: Asked, shadow: Shadow) -> Result:
        """What the candidate makes of a request; raises `SkippedError` where there is nothing to send."""
        hold = Hold(self._budget)
        began = self._read()
        try:
            while True:
                result = await self._once(asked, shadow, hold)
                if result.outcome != "refused":
                    self._reached = self._read()
                    return result
                if self.gone or self._read() - max(began, self._reached) >= self._patience:
                    self.gone = self.gone or result.detail
                    return result
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            hold.release()

    async def noise(self, asked: Asked, shadow: Shadow) -> Result | None:
        """What the version that gave the recorded answer makes of the request now; `None` where it is not asked."""
        if not self._admission.state(asked, shadow).noisy(shadow):
            return None
        hold = Hold(self._budget)
        try:
            return await self._sent(self._admission.noise(asked, shadow, hold), hold)
        except SkippedError:
            return None
        finally:
            hold.release()

    def close(self) -> None:
        """Give up whatever is on its way."""
        for leg, future in list(self._legs.items()):
            leg.drop()
            future.cancel()
        self._legs.clear()
        self._clock.stop()
        self._pools.close()
        self._slab.close()
        os.close(self._slab.fd)

    async def _once(self, asked: Asked, shadow: Shadow, hold: Hold) -> Result:
        try:
            send = self._admission.candidate(asked, shadow, hold)
        except SkippedError as skipped:
            if skipped.reason != "down":
                raise
            return Result(shadow.version, "refused", detail=self._why or skipped.detail)
        result = await self._sent(send, hold)
        self._why = result.detail if result.outcome == "refused" else ""
        return result

    async def _sent(self, send: Send, hold: Hold) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def ended(leg: Leg, result: Result) -> None:
            self._legs.pop(leg, None)
            if not future.done():
                future.set_result(result)

        leg = Leg(send.errand, send.pool, hold, self._read(), ended)
        self._legs[leg] = future
        leg.start()
        return await future

    def _sweep(self, now: float) -> None:
        for leg in [leg for leg in self._legs if now >= leg.until]:
            leg.expire()
        self._pools.sweep(now)
