"""Those whom a controller works with, its workers and its parent, as one script that writes down what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from stepdown.control.state import WorkerView
from stepdown.decide.spec import digest


class Kept(NamedTuple):
    """What the parent was given to hold."""

    encoded: bytes
    remembered: bytes
    drain_delay: float
    drain_grace: float


class Others:
    """One worker, and the parent; what is asked of them stands in `asked`, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refusals: list[str] = []
        """Why the worker cannot prepare anything."""
        self.alive = True
        """Whether the worker is."""
        self.held: asyncio.Event | None = None
        """What the worker waits for before it has prepared anything."""
        self.compares = False
        """Whether a comparer is wanted."""
        self.kept: list[Kept] = []

    # The workers.

    def views(self) -> tuple[WorkerView, ...]:
        return (WorkerView(0, 100, self.alive, "d", 0),)

    async def prepare(self, encoded: bytes) -> list[str]:
        self.asked.append(f"prepare {digest(encoded)}")
        if self.held is not None:
            await self.held.wait()
        return self.refusals

    async def activate(self) -> None:
        self.asked.append("activate")

    def flags_changed(self) -> None:
        pass

    def set_health(self, states: Mapping[str, bool]) -> None:
        pass

    async def status(self) -> list[dict[str, Any]]:
        return [{"index": 0, "endpoints": {}}]

    # The parent.

    comparer = None

    def share(self, tables: Mapping[str, int]) -> None:
        raise AssertionError("there are no lists")

    def keep(
        self,
        encoded: bytes,
        remembered: bytes,
        *,
        drain_delay: float,
        drain_grace: float,
        compares: bool,
        lists: object,
    ) -> None:
        self.asked.append(f"keep {digest(encoded)}")
        self.compares = compares
        self.kept.append(Kept(encoded, remembered, drain_delay, drain_grace))

    def begin_anew(self, route: str, shadow: str, wish: str) -> None:
        self.asked.append(f"begin {route} {shadow} anew for {wish}")

    def leave(self) -> None:
        self.asked.append("leave")
