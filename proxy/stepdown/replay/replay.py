"""A recording sent again: entries are read as they are needed, and as many requests are on their way as may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from stepdown import tasks
from stepdown.comparer.admission import SkippedError
from stepdown.comparer.asked import Asked
from stepdown.comparer.pairing import Pair
from stepdown.decide.sampling import Sampler
from stepdown.decide.shadow_spec import Shadow
from stepdown.errors import StepdownError
from stepdown.recordings.entry import Entry
from stepdown.replay.books import Books
from stepdown.replay.candidate import Candidates
from stepdown.replay.exchanges import NOT_ANSWERED, Exchange, exchange_of
from stepdown.replay.pace import Pace
from stepdown.replay.sending import Sender


class Choosing(NamedTuple):
    """Which requests are sent, and how fast."""

    route: str | None = None
    sample: float = 1.0
    """Share (0 exclusive to 1)."""
    limit: int | None = None
    rate: float = 0.0
    """Requests a second; 0 for as many as there can be."""
    concurrent: int = 8
    patience: float = 10.0
    """Seconds that a candidate is waited for to which there is no connection."""


class Made(NamedTuple):
    """A request that can be sent."""

    asked: Asked
    shadow: Shadow
    exchange: Exchange


class Replay:
    """One run, and how far it is."""

    def __init__(
        self,
        candidates: Candidates,
        choosing: Choosing,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called after each entry that was read or answered."""
        self.books = Books()
        self.read = 0
        """Entries that were read."""
        self.sent = 0
        self.passed_over = 0
        """Entries of other routes, and those that the sample leaves out."""
        self.routes: set[str] = set()
        """Those of which entries were read."""
        self.hidden = 0
        """Requests that were sent with `***` for a value of their query."""
        self.gone = ""
        """Why the candidate was taken to be gone, before the end was reached."""
        self._candidates = candidates
        self._choosing = choosing
        self._told = told
        self._sampler = Sampler(choosing.sample, 1)
        self._stop = asyncio.Event()
        self._flying: set[asyncio.Task[None]] = set()

    @property
    def stopped(self) -> bool:
        """Whether somebody has stopped it."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Send no more requests, and give up those that are on their way."""
        self._stop.set()
        for task in self._flying:
            task.cancel()

    async def run(self, entries: Iterable[Entry]) -> None:
        """Until all are answered, the candidate is gone, or somebody stops it; raises what reading raises."""
        sender = Sender(self._choosing.patience)
        room = asyncio.Semaphore(self._choosing.concurrent)
        pace = Pace(self._choosing.rate, asyncio.get_running_loop().time())
        try:
            for entry in entries:
                self.read += 1
                made = self._made(entry)
                if made is not None:
                    await self._wait(pace.wait(asyncio.get_running_loop().time()))
                    await room.acquire()
                    if not self.stopped and not sender.gone:
                        self._start(entry.id, made, sender, room)
                elif self.read % 100 == 0:
                    await asyncio.sleep(0)  # so that somebody can stop it
                self._told()
                if self.stopped or sender.gone or self.sent == self._choosing.limit:
                    break
            while self._flying and not self.stopped:
                await asyncio.wait(self._flying, timeout=0.25, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.gone = sender.gone
            for task in self._flying:
                task.cancel()
            sender.close()

    async def _wait(self, seconds: float) -> None:
        """For so long, or until nobody wants any more."""
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)

    def _start(self, name: str, made: Made, sender: Sender, room: asyncio.Semaphore) -> None:
        self.sent += 1
        self.hidden += made.exchange.hidden
        task = tasks.start(self._one(name, made, sender), name="replay a request")
        self._flying.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._flying.discard(task)
            room.release()
            self._told()

        task.add_done_callback(over)

    async def _one(self, name: str, made: Made, sender: Sender) -> None:
        try:
            result = await sender.send(made.asked, made.shadow)
            noise = await sender.noise(made.asked, made.shadow) if result.answered else None
        except SkippedError as skipped:
            self.sent -= 1
            self.books.skipped[_REASONS.get(skipped.reason, skipped.reason)] += 1
            return
        exchange = made.exchange
        pair = Pair(made.asked, made.shadow, exchange.answer, exchange.answer_body, result, noise)
        self.books.add(pair, name, exchange.unseen, exchange.size)

    def _made(self, entry: Entry) -> Made | None:
        """What is to be sent of an entry; `None` where that is nothing, which is counted."""
        self.routes.add(entry.route)
        if self._choosing.route not in {None, entry.route} or not self._sampler.take():
            self.passed_over += 1
            return None
        made = _made(entry, self._candidates, self.read)
        if isinstance(made, str):
            self.books.skipped[made] += 1
            return None
        return made


_REASONS = {
    "unreachable-shape": "no adapters lead from the candidate to the shape that was asked for",
    "unadaptable": "a request that the adapters refuse",
    "too-large": "a request that is too long",
}


def _made(entry: Entry, candidates: Candidates, number: int) -> Made | str:
    """What is to be sent of an entry, or why it cannot be."""
    if entry.response is None:
        return NOT_ANSWERED
    found = candidates.find(entry.route, entry.model, entry.served, entry.pinned)
    if isinstance(found, str):
        return found
    configuration, shadow = found
    exchange = exchange_of(entry, configuration.routes[entry.route], number)
    if isinstance(exchange, str):
        return exchange
    try:
        return Made(Asked(configuration, exchange.copy, exchange.body), shadow, exchange)
    except StepdownError as error:
        return f"a request that cannot be sent: {error.detail}"
