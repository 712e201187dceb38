"""The desk of a worker: what providers have said about flags, what they are asked now, and who waits for that.

It outlives runtimes, so a reload forgets no answer. Looking up asks nobody. What has to be asked goes to the controller
in batches, one for each turn of the loop, and one question for each key however many requests have it. Where nobody
can be asked (no controller, or too many questions are open already) nothing is, and nobody waits.

An answer that never comes is given up after `patience` seconds of its question, so a controller that dies with
questions in its hands costs nothing but that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from stepdown.decide.answers import Answers, Key, Subject
from stepdown.decide.flag_context import KEY
from stepdown.decide.flag_questions import Answer, Question
from stepdown.decide.flags import Evaluation
from stepdown.plane.clock import CoarseClock
from stepdown.telemetry.slab import Slab

Send = Callable[[Sequence[Question]], None]
Settle = Callable[[bool], None]
"""Told once whether all answers have come, or the time is over."""

MOST_QUESTIONS = 4096
"""That may be open at a time."""
MOST_WAITING = 1024
"""Exchanges that may wait at a time; the others take the default at once."""
BATCH = 256
"""Questions in one message."""
LONGEST_CONTEXT = 4096
"""Characters of all facts together; what is longer is not asked, because it could not be remembered."""
REFUSED_SECONDS = 1.0
"""How long it is not asked again what the controller had no room for."""


class _Open:
    """A question that has no answer yet."""

    __slots__ = ("again", "epoch", "key", "since", "ttl")

    def __init__(self, key: Key, since: float, epoch: int, ttl: float, again: float) -> None:
        self.key = key
        self.since = since
        self.epoch = epoch
        self.ttl = ttl
        self.again = again
        """Seconds after which it counts as lost."""


class _Waiting:
    """Somebody who waits for answers."""

    __slots__ = ("handle", "keys", "settle")

    def __init__(self, keys: set[Key], settle: Settle) -> None:
        self.keys = keys
        self.settle = settle
        self.handle: asyncio.TimerHandle | None = None


class FlagDesk:
    """One for each worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: CoarseClock, slab: Slab) -> None:
        self._loop = loop
        self.clock = clock
        self._slab = slab
        self._cells = {
            result: slab.counter("stepdown_flag_waits_total", (result,)) for result in ("answered", "over", "crowded")
        }
        self._unasked = slab.counter("stepdown_flag_questions_unasked_total", ())
        self.answers = Answers()
        self._subjects: dict[tuple[str, str, tuple[str, ...]], Subject] = {}
        self._open: dict[Key, int] = {}
        """Ticket by key, the oldest first."""
        self._tickets: dict[int, _Open] = {}
        self._ticket = 0
        self._unsent: list[Question] = []
        self._waiting: dict[Key, list[_Waiting]] = {}
        self._held = 0
        self._send: Send | None = None

    # --- for runtimes -----------------------------------------------------------------------------------------------

    def subject(self, flag: str, kind: str, names: tuple[str, ...]) -> Subject:
        """The one object that stands for this flag with these facts."""
        return self._subjects.setdefault((flag, kind, names), Subject(flag, kind, names))  # type: ignore[arg-type]

    def ask(self, key: Key, ttl: float, patience: float) -> bool:
        """Have a question asked that is not asked already; whether an answer can be expected."""
        now = self.clock.now
        ticket = self._open.get(key)
        if ticket is not None:
            if now - self._tickets[ticket].since < self._tickets[ticket].again:
                return True
            self._close(ticket)
        if self._send is None:
            return False
        if len(self._open) >= MOST_QUESTIONS and not self._give_up_lost(now):
            self._slab.cells[self._unasked] += 1
            return False
        self._ticket += 1
        self._open[key] = self._ticket
        self._tickets[self._ticket] = _Open(key, now, self.answers.epoch, ttl, patience)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(_question(self._ticket, key))
        return True

    def wait(self, keys: Iterable[Key], seconds: float, settle: Settle) -> bool:
        """Call `settle` when all of these are answered or the time is over; false where there is no room to wait."""
        if self._held >= MOST_WAITING:
            self._slab.cells[self._cells["crowded"]] += 1
            return False
        waiting = _Waiting(set(keys), settle)
        for key in waiting.keys:
            self._waiting.setdefault(key, []).append(waiting)
        self._held += 1
        waiting.handle = self._loop.call_later(seconds, self._over, waiting)
        return True

    # --- for the worker ---------------------------------------------------------------------------------------------

    def link(self, send: Send | None) -> None:
        """There is somebody to ask, or nobody any more. What was asked before has no answer.

        Whoever is new may have said that flags have changed when nobody heard it.
        """
        self._send = send
        if send is not None:
            self.answers.changed()
        self._unsent.clear()
        for ticket in list(self._tickets):
            self._close(ticket)

    def take(self, answers: Iterable[Answer]) -> None:
        """What the controller says."""
        now = self.clock.now
        for answer in answers:
            question = self._tickets.get(answer.ticket)
            if question is None:
                continue
            key = question.key
            self._close(answer.ticket)
            said = Evaluation(answer.value, answer.variant, answer.reason, answer.error, answer.message)
            if answer.reason != "ERROR":
                self.answers.said(key, said, now, question.epoch)
            else:
                again = REFUSED_SECONDS if answer.refused else question.ttl
                self.answers.failed(key, said, now, ttl=question.ttl, again=again)
            for waiting in self._waiting.pop(key, ()):
                waiting.keys.discard(key)
                if not waiting.keys:
                    self._settle(waiting, answered=True)

    def changed(self) -> None:
        """Flags have changed."""
        self.answers.changed()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        for begin in range(0, len(unsent), BATCH):
            if self._send is not None:
                self._send(unsent[begin : begin + BATCH])

    def _close(self, ticket: int) -> None:
        question = self._tickets.pop(ticket)
        del self._open[question.key]

    def _give_up_lost(self, now: float) -> bool:
        """Forget questions that are open for too long; whether there were any. The oldest are first."""
        oldest = list(islice(self._tickets.items(), BATCH))
        lost = [ticket for ticket, question in oldest if now - question.since >= question.again]
        for ticket in lost:
            self._close(ticket)
        return bool(lost)

    def _over(self, waiting: _Waiting) -> None:
        for key in waiting.keys:
            others = [one for one in self._waiting.get(key, ()) if one is not waiting]
            if others:
                self._waiting[key] = others
            else:
                self._waiting.pop(key, None)
        self._settle(waiting, answered=False)

    def _settle(self, waiting: _Waiting, *, answered: bool) -> None:
        """In a turn of its own: what goes on then may fail, which is not this one's business."""
        if waiting.handle is not None:
            waiting.handle.cancel()
        self._held -= 1
        self._slab.cells[self._cells["answered" if answered else "over"]] += 1
        self._loop.call_soon(waiting.settle, answered)


def _question(ticket: int, key: Key) -> Question:
    subject, facts = key
    told = tuple(
        (name, fact) for name, fact in zip(subject.names, facts, strict=True) if name != KEY and fact is not None
    )
    return Question(ticket, subject.flag, subject.kind, facts[0], told)
