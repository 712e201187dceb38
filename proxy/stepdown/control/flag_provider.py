"""The OpenFeature provider of this controller: started and replaced off the loop, asked, and watched.

One that is to replace another is started first, and answers once it has; until then the one before it does. One that
does not start is tried again after a while, ever longer. One that does not even fail is waited for by the one thread
that starts it: no second one is tried beside it. Nobody ever waits for any of this: workers are told at once that there
is nobody to ask, and go on with what they know or with the default.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stepdown.config import ProviderSettings
from stepdown.control.flag_threads import FlagThreads, Told, clean
from stepdown.decide.flag_questions import Answer, Question, refusal
from stepdown.telemetry.log import fields

if TYPE_CHECKING:
    from stepdown.control.openfeature_client import OpenProvider

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
"""After which a start that goes on is said to."""
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""Seconds until a start is tried again; each time twice as long."""
FAULTS = 3
"""So many failures in a row mean that the provider does not work."""
SAID_SECONDS = 60.0
"""The same trouble is logged once in this time."""
CHANGE_SECONDS = 1.0
"""Workers are told of changes at most once in this time."""

Replies = Callable[[Sequence[Answer]], None]


class _Running:
    """A provider that has started, and the threads that ask it."""

    def __init__(self, provider: OpenProvider, seconds: float, told: Callable[[Told], None]) -> None:
        self.provider = provider
        self.threads = FlagThreads(provider.evaluate, seconds, told)

    def close(self) -> None:
        self.threads.close()
        _close(self.provider)


class FlagProvider:
    """What the controller knows and wants of its provider; lives on the loop."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """`changed` tells all workers that flags have changed."""
        self._changed = changed
        self.settings: ProviderSettings | None = None
        self.counts = dict.fromkeys(("answered", "failed", "late", "refused"), 0)
        self._running: _Running | None = None
        self._starting: ProviderSettings | None = None
        self._started: ProviderSettings | None = None
        """What the running one was started with."""
        self._timer: asyncio.TimerHandle | None = None
        self._pause = FIRST_RETRY
        self._faults = 0
        self._said_at = float("-inf")
        self._telling: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")

    @property
    def ok(self) -> bool | None:
        """Whether it has started and answers; `None` where none is configured."""
        if self.settings is None:
            return None
        running = self._running
        if running is None or self._started != self.settings:
            return False
        return self._faults < FAULTS and not running.threads.hung >= running.threads.most

    def use(self, settings: ProviderSettings | None) -> None:
        """Ask this one from now on, or as soon as it has started; the same settings change nothing."""
        if settings == self.settings:
            return
        self.settings = settings
        self._pause = FIRST_RETRY
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if settings is None:
            self._replace(None, None)
        elif settings == self._started:
            pass  # it was about to be replaced, and is not any more
        else:
            self._start(settings)

    def ask(self, questions: Sequence[Question], reply: Replies) -> None:
        """Answer a worker's questions, one by one as they are found out; those that cannot be asked at once."""
        running = self._running
        if running is None:
            self.counts["refused"] += len(questions)
            reply([refusal(question.ticket, "the provider has not started") for question in questions])
            return
        batch = _Replies(reply)
        for question in questions:
            running.threads.ask(question, batch.add)

    # --- starting -----------------------------------------------------------------------------------------------------

    def _start(self, settings: ProviderSettings) -> None:
        self._timer = None
        self._starting = settings
        loop = asyncio.get_running_loop()
        thread = threading.Thread(
            target=_open, args=(settings, loop, self), name="start the flag provider", daemon=True
        )
        thread.start()
        self._timer = loop.call_later(START_SECONDS, self._still_starting, settings)

    def _still_starting(self, settings: ProviderSettings) -> None:
        logger.error("the flag provider %s has not started in %g s", settings.path, START_SECONDS)

    def started(self, settings: ProviderSettings, outcome: OpenProvider | str) -> None:
        """A start has ended, well or with why it did not."""
        if settings is not self._starting or settings != self.settings:
            if not isinstance(outcome, str):  # nobody wants it any more
                _close(outcome)
            return
        self._starting = None
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(outcome, str):
            logger.error(
                "the flag provider does not start: %s",
                outcome,
                extra=fields(provider=settings.path, again_in=self._pause),
            )
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._start, settings)
            self._pause = min(LAST_RETRY, self._pause * 2)
            return
        self._timer = None
        self._replace(_Running(outcome, settings.timeout, self._told), settings)
        logger.info("flag provider is ready", extra=fields(provider=settings.path))

    def _replace(self, running: _Running | None, settings: ProviderSettings | None) -> None:
        before, self._running, self._started = self._running, running, settings
        self._faults = 0
        if before is not None:
            before.close()
        self._changed()

    # --- while it runs ------------------------------------------------------------------------------------------------

    def note_change(self) -> None:
        """Its flags have changed: workers are told, at once or when the last time is long enough ago."""
        if self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_at(max(loop.time(), self._told_at + CHANGE_SECONDS), self._tell)

    def _tell(self) -> None:
        self._telling = None
        self._told_at = asyncio.get_running_loop().time()
        self._changed()

    def _told(self, told: Told) -> None:
        self.counts[told.result] += 1
        if told.result == "answered":
            if self._faults >= FAULTS:
                logger.info("flag provider answers again")
            self._faults = 0
            return
        self._faults += told.result != "refused"
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= SAID_SECONDS:
            self._said_at = now
            counted = fields(**{f"questions_{result}": count for result, count in self.counts.items()})
            logger.warning("flag provider fails: %s", told.message, extra=counted)


class _Replies:
    """Answers of one turn of the loop, sent together."""

    def __init__(self, reply: Replies) -> None:
        self._reply = reply
        self._answers: list[Answer] = []

    def add(self, answer: Answer) -> None:
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._send)
        self._answers.append(answer)

    def _send(self) -> None:
        answers, self._answers = self._answers, []
        self._reply(answers)


def _open(settings: ProviderSettings, loop: asyncio.AbstractEventLoop, owner: FlagProvider) -> None:
    """In a thread of its own, which it may take for ever."""
    outcome: OpenProvider | str

    def changed() -> None:
        loop.call_soon_threadsafe(owner.note_change)

    try:
        from stepdown.control.openfeature_client import OpenProvider  # noqa: PLC0415 - few configurations have one

        outcome = OpenProvider(settings.path, settings.options, changed)
    except BaseException as error:
        outcome = clean(f"{type(error).__name__}: {error}")
    try:
        loop.call_soon_threadsafe(owner.started, settings, outcome)
    except RuntimeError:
        return  # the loop is closed, and with it the process ends


def _close(provider: OpenProvider) -> None:
    """In a thread of its own, too."""
    threading.Thread(target=provider.close, name="close flags", daemon=True).start()
