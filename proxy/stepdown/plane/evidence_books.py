"""What a worker has counted of rollouts and the store does not have yet: one book for each run, sent in batches.

1. Nothing is sent for a request. What came in is sent every `FLUSH_SECONDS`, and no more than one batch of a book is on
   its way: the next one goes when the store has it.
2. A batch counts once, whatever happens on its way (`rollout.batch`). So it is sent again, as it is, on every new
   channel, and where nothing was heard of it for `AGAIN_SECONDS`: a controller that is just starting, or has lost its
   store, may have let it fall.
3. Sums need no room however long that takes. Sightings do, so there is a bound on them: beyond it the newest are left
   out, and counted, because those before them were seen first.
4. The store counts a sighting only if it is the first of its unit. That most of them are not is known here already: the
   latest are remembered, as far as the bound goes.
5. A book is kept as long as anybody may count in it, or anything of it was not taken. It has a source of its own, so
   one that is opened again for the same run begins a new count of batches.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from secrets import token_hex
from weakref import WeakSet

from stepdown.rollout.batch import Arm, Batch, Cell, Counts, Side, Sighting
from stepdown.rollout.counts import UNITS
from stepdown.telemetry.slab import Slab

FLUSH_SECONDS = 0.2
AGAIN_SECONDS = 5.0
BATCH_SIGHTINGS = 2_000
"""Of one message: neither the worker that encodes so many nor any other message is held up by them for long."""
MOST_WAITING = 100_000
"""Sightings of one run that wait for a controller or a store that is away."""
MOST_SEEN = 65_536
"""Units of one stage, and events of one run, that are remembered so as not to be sent again."""
STAGES_KNOWN = 2
"""Stages of which units are: the one in force, and the one before it, whose exchanges may still run."""

Send = Callable[[Batch], None]
Told = Callable[[], None]
"""Told once that the store has what was noted."""


class Book:
    """Of one run of one rollout."""

    def __init__(self, rollout: str, run: int, dropped: Callable[[], None]) -> None:
        """`dropped` is called for each sighting that there is no room for."""
        self.rollout = rollout
        self.run = run
        self.source = token_hex(8)
        self.readers: WeakSet[object] = WeakSet()
        """Whoever may count in it."""
        self._dropped = dropped
        self._sums: dict[Cell, list[int]] = {}
        self._seen: set[tuple[int, str, Side, int]] = set()
        self._known: dict[int, set[int]] = {}
        self._waiting: deque[Sighting] = deque()
        self._noted = 0
        """Sightings that were ever put into it,"""
        self._stored = 0
        """and of these, how many the store has: they go in order."""
        self._told: dict[Told, int] = {}
        """Who waits, and for how many of them."""
        self._sequence = 0
        self._sent: Batch | None = None
        """The batch that is on its way,"""
        self._sent_at = 0.0

    # --- what comes in ------------------------------------------------------------------------------------------------

    def sums(self, stage: int, arm: Arm, kind: str) -> list[int]:
        """Trials and events of a cell since the last batch, to be counted in."""
        return self._sums.setdefault(Cell(stage, arm, kind), [0, 0])

    def known(self, stage: int) -> set[int]:
        """The units of a stage that need not be noted again; whoever counts looks there first."""
        known = self._known.setdefault(stage, set())
        for old in sorted(self._known)[:-STAGES_KNOWN]:
            if old != stage:
                del self._known[old]
        return known

    def saw_unit(self, stage: int, arm: Arm, unit: int) -> bool:
        """Note a unit that took part, unless it is known or there is no room; whether it was."""
        known = self.known(stage)
        if unit in known or not self._note(Sighting(stage, arm, UNITS, unit, "trials")):
            return False
        if len(known) >= MOST_SEEN:
            known.clear()
        known.add(unit)
        return True

    def saw(self, stage: int, arm: Arm, kind: str, unit: int, side: Side = "events") -> bool:
        """Note an event that happened to a unit, unless it was noted lately or has no room; whether it was.

        Or, of a kind with trials of its own, that the unit is one of these.
        """
        key, seen = (stage, kind, side, unit), self._seen
        if key in seen or not self._note(Sighting(stage, arm, kind, unit, side)):
            return False
        if len(seen) >= MOST_SEEN:
            seen.clear()
        seen.add(key)
        return True

    def _note(self, sighting: Sighting) -> bool:
        if len(self._waiting) >= MOST_WAITING:
            self._dropped()
            return False
        self._waiting.append(sighting)
        self._noted += 1
        return True

    def has_room(self, number: int) -> bool:
        """Whether so many sightings may still be noted."""
        return len(self._waiting) + number <= MOST_WAITING

    def when_stored(self, told: Told) -> None:
        """Tell when the store has all sightings that were noted so far."""
        if self._stored >= self._noted:
            told()
        else:
            self._told[told] = self._noted

    def forget(self, told: Told) -> None:
        """Tell somebody nothing who does not wait any more."""
        self._told.pop(told, None)

    # --- what goes out ------------------------------------------------------------------------------------------------

    def due(self, now: float, *, anew: bool = False) -> Batch | None:
        """The batch to send now: a new one, or, on a channel that is new or after a long silence, the last one."""
        if self._sent is None:
            self._sent = self._next()
        elif not anew and now < self._sent_at + AGAIN_SECONDS:
            return None
        self._sent_at = now
        return self._sent

    def taken(self, source: str, sequence: int) -> None:
        """The store has a batch."""
        sent = self._sent
        if sent is None or (source, sequence) != (self.source, sent.sequence):
            return  # of an earlier book, or taken already
        self._sent = None
        self._stored += len(sent.sightings)
        for told in [told for told, noted in self._told.items() if noted <= self._stored]:
            del self._told[told]
            told()

    @property
    def waiting(self) -> int:
        """Sightings that the store does not have."""
        return self._noted - self._stored

    @property
    def settled(self) -> bool:
        """Whether the store has everything."""
        return self._sent is None and not self._waiting and not any(map(any, self._sums.values()))

    def _next(self) -> Batch | None:
        deltas = {cell: Counts(*sums) for cell, sums in self._sums.items() if any(sums)}
        for cell in deltas:
            self._sums[cell][:] = (0, 0)
        waiting = self._waiting
        sightings = tuple(waiting.popleft() for _ in range(min(len(waiting), BATCH_SIGHTINGS)))
        if not deltas and not sightings:
            return None
        self._sequence += 1
        return Batch(self.rollout, self.run, self.source, self._sequence, sightings, deltas)


class Books:
    """All books of a worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slab: Slab) -> None:
        self._loop = loop
        self._slab = slab
        self._books: dict[tuple[str, int], Book] = {}
        self._send: Send | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._gauge = -1

    def __iter__(self) -> Iterator[Book]:
        return iter(list(self._books.values()))

    def book(self, rollout: str, run: int) -> Book:
        """The book of a run."""
        book = self._books.get((rollout, run))
        if book is None:
            cell = self._slab.counter("stepdown_evidence_dropped_total", (rollout,))
            book = self._books[rollout, run] = Book(rollout, run, lambda: self._count(cell))
            if self._timer is None:
                self._timer = self._loop.call_later(FLUSH_SECONDS, self._flush)
        return book

    def link(self, send: Send | None) -> None:
        """Who takes batches now, until he takes them no more (`None`); what is on its way is sent again."""
        self._send = send
        now = self._loop.time()
        for book in self:
            self._push(book, now, anew=True)

    def push(self, book: Book) -> None:
        """Send what is in a book now, if nothing of it is on its way."""
        self._push(book, self._loop.time())

    def taken(self, rollout: str, run: int, source: str, sequence: int) -> None:
        """The store has a batch: the next one may go."""
        book = self._books.get((rollout, run))
        if book is not None:
            book.taken(source, sequence)
            if book.waiting:
                self._push(book, self._loop.time())

    async def settle(self, seconds: float) -> bool:
        """Send everything, and wait until the store has it, but not for longer; whether it has."""
        await asyncio.sleep(0)  # what was cut just now is counted in this turn of the loop
        until = self._loop.time() + seconds
        while not all(book.settled for book in self):
            now = self._loop.time()
            if self._send is None or now >= until:
                return False
            for book in self:
                self._push(book, now)
            await asyncio.sleep(FLUSH_SECONDS / 10)
        return True

    def close(self) -> None:
        """Send nothing any more: what is left waits for nobody."""
        self._send = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gauge >= 0:
            self._slab.cells[self._gauge] = 0

    def _flush(self) -> None:
        now = self._loop.time()
        for book in self:
            self._push(book, now)
            if book.settled and not book.readers:
                del self._books[book.rollout, book.run]
        if self._gauge < 0:
            self._gauge = self._slab.gauge("stepdown_evidence_waiting", ())
        self._slab.cells[self._gauge] = sum(book.waiting for book in self)
        self._timer = self._loop.call_later(FLUSH_SECONDS, self._flush) if self._books else None

    def _push(self, book: Book, now: float, *, anew: bool = False) -> None:
        if self._send is not None:
            batch = book.due(now, anew=anew)
            if batch is not None:
                self._send(batch)

    def _count(self, cell: int) -> None:
        self._slab.cells[cell] += 1
