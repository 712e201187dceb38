"""Writes recordings in a thread of its own: a disk that hangs holds up nobody else.

The loop hands over exchanges and never waits; the thread gives back what each of them held. How many may wait is
bounded by whoever hands them over (`recordings`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stepdown.comparer.limits import Hold
from stepdown.decide.copies import Answer, Copy
from stepdown.recordings.recorder import Recorder

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks at what is to be written, when nothing comes."""


class Written(NamedTuple):
    """An exchange that is to be written."""

    recorder: Recorder
    copy: Copy
    body: bytes
    answer: Answer
    answer_body: bytes
    hold: Hold


class Scribe:
    """The thread, which is started when there is something to write first."""

    def __init__(self, read: Callable[[], float]) -> None:
        """`read` gives monotonic seconds."""
        self._read = read
        self._fresh = threading.Condition()
        self._waiting: deque[Written] = deque()
        self._over: deque[Hold] = deque()
        self._recorders: set[Recorder] = set()
        self._retired: deque[Recorder] = deque()
        self._thread: threading.Thread | None = None
        self._leaving = False
        self.busy_since = float("inf")
        """When the writing that is going on was begun."""

    # --- for the loop -----------------------------------------------------------------------------------------------

    def write(self, exchange: Written) -> None:
        """Hand one over."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        with self._fresh:
            self._waiting.append(exchange)
            self._fresh.notify()

    def retire(self, recorder: Recorder) -> None:
        """No more will come for this recorder: close its file once all of it is written."""
        with self._fresh:
            self._retired.append(recorder)
            self._fresh.notify()

    def finished(self) -> list[Hold]:
        """What was held by exchanges that are written, or given up, since this was asked last."""
        return [self._over.popleft() for _ in range(len(self._over))]

    def close(self, seconds: float) -> None:
        """Write all that is left and close the files, if that takes no longer than this."""
        with self._fresh:
            self._leaving = True
            self._fresh.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    # --- in the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        leaving = False
        while not leaving:
            with self._fresh:
                if not self._waiting and not self._retired and not self._leaving:
                    self._fresh.wait(PAUSE)
                leaving = self._leaving
            self.busy_since = self._read()
            try:
                self._work()
            except Exception:  # a recorder lets nothing out, so this is a mistake of ours; the next may be written
                logger.exception("recordings could not be written")
            self.busy_since = float("inf")
        for recorder in self._recorders:
            recorder.close()

    def _work(self) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            try:
                self._recorders.add(exchange.recorder)
                exchange.recorder.add(exchange.copy, exchange.body, exchange.answer, exchange.answer_body)
            finally:
                self._over.append(exchange.hold)
            self._flush()
        self._flush()
        while self._retired and not self._waiting:
            recorder = self._retired.popleft()
            self._recorders.discard(recorder)
            recorder.close()

    def _flush(self) -> None:
        now = self._read()
        for recorder in self._recorders:
            recorder.flush(now)
