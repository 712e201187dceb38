"""Threads that ask a provider, bounded in every way: how many, how long one may take, and how much may wait for them.

A thread cannot be stopped, so one that hangs in a provider is left to it, and counts until it comes back. When all of
them hang, questions are refused at once. Threads are daemons: they keep no process alive.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple

import msgspec

from stepdown.decide.flag_questions import Answer, Question, refusal

THREADS = 8
ROOM = 4096
"""Questions that may be under way, those that wait for a thread included."""

Reply = Callable[[Answer], None]
Evaluate = Callable[[Question], Answer]


LONGEST_MESSAGE = 200


def clean(message: str) -> str:
    """What somebody else's code said, short and fit to be sent and logged."""
    return message[:LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()


class Told(NamedTuple):
    """How a question ended."""

    result: str
    """`answered`, `failed`, `late` or `refused`."""
    message: str
    """What was wrong, where something was."""


class _Job:
    """One question, for all who ask it."""

    __slots__ = ("askers", "begun", "ended", "hung", "key", "question", "until")

    def __init__(self, key: Hashable, question: Question, until: float) -> None:
        self.key = key
        self.question = question
        self.until = until
        self.askers: list[tuple[int, Reply]] = []
        self.begun = False
        self.ended = False
        self.hung = False


class FlagThreads:
    """Lives on a loop; its threads only take questions and give answers back to the loop."""

    def __init__(
        self, evaluate: Evaluate, seconds: float, told: Callable[[Told], None], threads: int = THREADS
    ) -> None:
        """`evaluate` is called in the threads, `told` on the loop, once for each question that was to be asked."""
        self._loop = asyncio.get_running_loop()
        self._evaluate = evaluate
        self._seconds = seconds
        self._told = told
        self.most = threads
        self._threads: list[threading.Thread] = []
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._jobs: dict[Hashable, _Job] = {}
        """Those that have not ended, the oldest first."""
        self._timer: asyncio.TimerHandle | None = None
        self.hung = 0
        """Threads that are over their time and have not come back."""

    def ask(self, question: Question, reply: Reply) -> None:
        """Have it evaluated; `reply` is called once, now or later."""
        key = (question.flag, question.kind, question.key, question.context)
        job = self._jobs.get(key)
        if job is None:
            if self.hung >= self.most or len(self._jobs) >= ROOM:
                why = "the provider hangs" if self.hung >= self.most else "too many questions are under way"
                self._told(Told("refused", why))
                reply(refusal(question.ticket, why))
                return
            job = self._jobs[key] = _Job(key, question, self._loop.time() + self._seconds)
            self._put(job)
        job.askers.append((question.ticket, reply))

    def close(self) -> None:
        """Let the threads go; who waits is told so."""
        for job in list(self._jobs.values()):
            self._end(job, refusal(0, "the provider was replaced"), Told("refused", "the provider was replaced"))
        if self._timer is not None:
            self._timer.cancel()
        for _thread in self._threads:
            self._queue.put(None)

    # --- on the loop --------------------------------------------------------------------------------------------------

    def _put(self, job: _Job) -> None:
        if len(self._threads) < self.most:
            thread = threading.Thread(target=self._work, name=f"flags-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(job)
        if self._timer is None:
            self._timer = self._loop.call_at(job.until, self._expire)

    def _expire(self) -> None:
        """End what is over its time; what comes next has a later one, because all may take as long."""
        self._timer = None
        now = self._loop.time()
        for job in list(self._jobs.values()):
            if job.until > now:
                self._timer = self._loop.call_at(job.until, self._expire)
                return
            if job.begun:
                job.hung = True
                self.hung += 1
            why = f"no answer in {self._seconds:g} s"
            self._end(job, Answer(0, error="GENERAL", message=why), Told("late", why))

    def _finished(self, job: _Job, answer: Answer) -> None:
        if job.hung:
            self.hung -= 1
        if not job.ended:
            failed = answer.reason == "ERROR"
            message = f"{answer.error}: {answer.message}" if failed else ""
            self._end(job, answer, Told("failed" if failed else "answered", message))

    def _end(self, job: _Job, answer: Answer, told: Told) -> None:
        job.ended = True
        self._jobs.pop(job.key, None)
        self._told(told)
        for ticket, reply in job.askers:
            reply(msgspec.structs.replace(answer, ticket=ticket))

    # --- in the threads -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            if job.ended:
                continue
            job.begun = True
            try:
                answer = self._evaluate(job.question)
            except BaseException as error:
                answer = Answer(0, error="GENERAL", message=clean(f"{type(error).__name__}: {error}"))
            try:
                self._loop.call_soon_threadsafe(self._finished, job, answer)
            except RuntimeError:
                return  # the loop is closed, and with it the process ends
