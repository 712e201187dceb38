"""Recorded requests, each waiting for its answer, and the recorders that write both.

A recorder is kept over reloads while what it records, and how, stays the same; else it is closed and another one
begins a file of its own. What was copied under a configuration that said otherwise is not recorded: it may have hidden
more, or have wanted less.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

import msgspec

from stepdown.comparer.contracts import KEPT
from stepdown.comparer.counting import Counters
from stepdown.comparer.limits import Budget, Hold
from stepdown.comparer.pairing import Key
from stepdown.comparer.scribe import Scribe, Written
from stepdown.decide.copies import Answer, Copy
from stepdown.decide.shadow_spec import Recording
from stepdown.decide.spec import SnapshotSpec
from stepdown.recordings.deciding import Deciding, deciding
from stepdown.recordings.recorder import Recorder
from stepdown.telemetry.slab import ABSENT, Slab

MOST_BYTES = 8 * 1024 * 1024
"""All that is held of exchanges that wait for their answers, or for the disk; apart from what shadows may hold, so that
a disk that hangs costs them nothing."""
MOST = 4096
"""Requests that wait for their answers."""
WAIT = 300.0
"""Seconds that an answer is waited for; one that was lost on its way never comes."""
STUCK = 10.0
"""Seconds of one writing after which recording is said to have stopped."""
LEAVE = 2.0
"""Seconds for what is left when this process is to end."""


class Means(NamedTuple):
    """What a route's recording is; where it is the same, its files go on."""

    recording: Recording
    model: str
    decides: Deciding


class _Current(NamedTuple):
    means: Means
    recorder: Recorder
    told: dict[str, int]
    """How many of each result were counted in the metrics."""


class _Waiting(NamedTuple):
    current: _Current
    copy: Copy
    body: bytes
    hold: Hold
    until: float


class Recordings:
    """Of all routes."""

    def __init__(
        self, slab: Slab, *, read: Callable[[], float] = monotonic, most_bytes: int = MOST_BYTES, most: int = MOST
    ) -> None:
        """`read` gives monotonic seconds."""
        self._slab = slab
        self._read = read
        self._most = most
        self._budget = Budget(most_bytes)
        self._scribe = Scribe(read)
        self._means: dict[str, dict[str, Means]] = {}
        """By digest of the configuration and route, of those that were in force lately."""
        self._current: dict[str, _Current] = {}
        """By route."""
        self._leaving: list[tuple[str, _Current]] = []
        """Recorders that are being closed, whose last numbers were not counted yet."""
        self._waiting: dict[Key, _Waiting] = {}
        self._counters = Counters(slab)
        self._gauges: dict[str, int] = {}

    def adopt(self, name: str, specification: SnapshotSpec) -> None:
        """This specification, whose digest is `name`, is in force from now on."""
        means = {
            route.name: Means(route.record, route.model, deciding(specification, route))
            for route in specification.routes
            if route.record is not None
        }
        self._means.pop(name, None)
        self._means[name] = means
        while len(self._means) > KEPT:
            del self._means[next(iter(self._means))]
        for route, current in list(self._current.items()):
            if means.get(route) != current.means:
                del self._current[route]
                self._scribe.retire(current.recorder)
                self._leaving.append((route, current))
                self._show(route, ABSENT)
        for one in specification.routes:
            if one.name in means and one.name not in self._current:
                self._current[one.name] = _Current(means[one.name], Recorder.of(specification, one), {})

    def copied(self, ring: int, about: Copy, body: bytes) -> None:
        """A request was copied: keep it until its answer comes, if it is to be recorded."""
        if not about.recorded:
            return
        current = self._current.get(about.route)
        if current is None or self._means.get(about.digest, {}).get(about.route) != current.means:
            self._count(about.route, "stale")
            return
        self._release()
        hold = Hold(self._budget)
        if len(self._waiting) >= self._most or not hold.take(len(about.head) + len(body)):
            self._count(about.route, "pending")
            return
        key = (ring, about.id)
        self._give_up(key)
        self._waiting[key] = _Waiting(current, about, body, hold, self._read() + WAIT)

    def answered(self, ring: int, answer: Answer, body: bytes) -> None:
        """A request was answered: write both, if it is recorded."""
        found = self._waiting.pop((ring, answer.id), None)
        if found is None:
            return
        if self._current.get(found.copy.route) is not found.current:
            found.hold.release()
            self._count(found.copy.route, "stale")
            return
        if not found.hold.take(len(body)):
            answer, body = msgspec.structs.replace(answer, missing=answer.missing or "full"), b""
        self._scribe.write(Written(found.current.recorder, found.copy, found.body, answer, body, found.hold))

    def stale(self, about: Copy) -> None:
        """A request was copied under a configuration that is gone."""
        if about.recorded:
            self._count(about.route, "stale")

    def tick(self, now: float) -> None:
        """Count what was written, and give up what has waited for too long."""
        self._release()
        for key in [key for key, one in self._waiting.items() if now >= one.until]:
            self._give_up(key)
        stuck = now - self._scribe.busy_since > STUCK
        for route, current in self._current.items():
            self._tell(route, current)
            stopped = stuck or bool(current.recorder.state.stopped)
            self._show(route, int(stopped))
        for route, current in self._leaving:
            self._tell(route, current)
        self._leaving = self._leaving[-KEPT:]

    def close(self) -> None:
        """Write what is left, unless the disk hangs."""
        self._scribe.close(LEAVE)
        self.tick(self._read())

    def _release(self) -> None:
        for hold in self._scribe.finished():
            hold.release()

    def _give_up(self, key: Key) -> None:
        found = self._waiting.pop(key, None)
        if found is not None:
            found.hold.release()
            self._count(found.copy.route, "unanswered")

    def _tell(self, route: str, current: _Current) -> None:
        for result, times in list(current.recorder.state.counts.items()):
            new = times - current.told.get(result, 0)
            if new:
                current.told[result] = times
                self._count(route, result, new)

    def _show(self, route: str, stopped: int) -> None:
        cell = self._gauges.get(route)
        if cell is None:
            cell = self._gauges[route] = self._slab.gauge("stepdown_recording_stopped", (route,))
        self._slab.cells[cell] = stopped

    def _count(self, route: str, result: str, times: int = 1) -> None:
        self._counters.count("stepdown_recorded_total", route, result, times=times)
