"""One rollout of the file, and all that this replica knows of it."""

from __future__ import annotations

import asyncio
from collections import deque

from stepdown.control.stores.values import State
from stepdown.rollout.document import Document, DocumentError, decode
from stepdown.rollout.leading import Happened, units_so_far
from stepdown.rollout.looking import Elsewhere, Totals
from stepdown.rollout.phases import RUNNING

RATE_SECONDS = 60.0
"""Of which the rate of units is taken."""


class Course:
    """What is changed here is changed by whoever holds `lock`, so that states are read, made and written in turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        # The store.
        self.read = False
        """Whether the store was ever asked."""
        self.version = 0
        """Of the state that is known; 0 where there is none."""
        self.document: Document | None = None
        """As it is stored, and with what this replica has seen since, if it decides."""
        self.refused = ""
        """Why what the store has is of no use."""
        self.doubted = False
        """A write failed, and nobody knows whether it was done."""
        self.vanished = False
        """There was a state, and the store has none any more."""
        # While the store is lost.
        self.alone: Document | None = None
        """What this replica has made of it by itself."""
        self.owed: tuple[Happened, ...] = ()
        """Of this, what is still to be written."""
        # What is known of its evidence.
        self.totals: Totals = {}
        self.measuring: tuple[tuple[int, int, float], asyncio.Task[Elsewhere]] | None = None
        """What is asked for the window that is to end: its run, step and begin, and the answer."""
        self._units: deque[tuple[float, int]] = deque()

    @property
    def shown(self) -> Document | None:
        """What holds in this replica."""
        return self.alone or self.document

    @property
    def runs(self) -> bool:
        """Whether anything is open."""
        shown = self.shown
        return shown is not None and shown.position.phase in RUNNING

    @property
    def missing(self) -> bool:
        """The store was asked, and has no state of it that can be used."""
        return self.read and self.document is None

    def take(self, state: State | None) -> bool:
        """What the store has; whether that is news.

        Where it is what is known, what was seen since is kept, unless a write has failed meanwhile.
        """
        first, self.read = not self.read, True
        if state is None:
            news = first or self.document is not None or self.alone is not None
            self.vanished = self.vanished or self.document is not None
            self._forget()
            return news
        if self.is_as_known(state) and self.document is not None:
            return False
        self._forget()
        self.version, self.vanished = state.version, False
        try:
            self.document = decode(self.name, state.document)
        except DocumentError as error:
            self.refused = str(error)
        return True

    def is_as_known(self, state: State | None) -> bool:
        """Whether nobody else has written since it was read, and no write of this replica is in doubt."""
        return state is not None and state.version == self.version and not self.doubted

    def wrote(self, version: int, document: Document) -> None:
        """The store has this now."""
        self._forget()
        self.read, self.version, self.document, self.vanished = True, version, document, False

    def noted(self, totals: Totals, now: float) -> None:
        """What the store has counted."""
        self.totals = totals
        units = units_so_far(totals).total
        if self._units and units < self._units[-1][1]:
            self._units.clear()
        if not self._units or now - self._units[-1][0] >= 1.0:
            self._units.append((now, units))
        while len(self._units) > 2 and self._units[1][0] <= now - RATE_SECONDS:
            self._units.popleft()

    @property
    def rate(self) -> float | None:
        """Units a second, lately."""
        if len(self._units) < 2 or not self.runs:
            return None
        (began, first), (ended, last) = self._units[0], self._units[-1]
        return (last - first) / (ended - began)

    def leave(self) -> None:
        """Nobody drives it here any more."""
        if self.measuring is not None:
            self.measuring[1].cancel()
            self.measuring = None

    def _forget(self) -> None:
        self.version, self.document, self.refused, self.doubted = 0, None, "", False
        self.alone, self.owed = None, ()
