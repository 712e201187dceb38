"""Watching one rollout's state: by a bell where there is one, and by looking every second in any case."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from stepdown.control.stores.errors import StoreError
from stepdown.control.stores.values import State

LOOK_SECONDS = 1.0
"""Between two looks when no bell rings. With a call's own time it is still within 2 s."""


class Bells:
    """Wakes those who watch a rollout; lives on a loop."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}

    def ring(self, rollout: str) -> None:
        """Its state has changed, or may have."""
        for bell in self._bells.get(rollout, ()):
            bell.set()

    def ring_all(self) -> None:
        """Something may have been missed."""
        for rollout in self._bells:
            self.ring(rollout)

    @contextmanager
    def bell(self, rollout: str) -> Iterator[asyncio.Event]:
        """A bell of one's own."""
        bell = asyncio.Event()
        self._bells.setdefault(rollout, set()).add(bell)
        try:
            yield bell
        finally:
            self._bells[rollout].discard(bell)
            if not self._bells[rollout]:
                del self._bells[rollout]


async def watch(
    read: Callable[[str], Awaitable[State | None]], bells: Bells, rollout: str
) -> AsyncIterator[State | None]:
    """See `Store.watch`. A state is compared whole, since a store that was emptied numbers its versions anew."""
    seen: list[State | None] = []
    with bells.bell(rollout) as bell:
        while True:
            bell.clear()
            # A store that is lost has nothing to tell; it says itself that it is, and whether a person has to act.
            with contextlib.suppress(StoreError):
                state = await read(rollout)
                if [state] != seen:
                    seen = [state]
                    yield state
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await bell.wait()
