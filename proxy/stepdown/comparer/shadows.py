"""Copies on their way: which of them may go, where to, and what is made of their ends.

What a shadow does touches nobody else. Its connections are its own (`pools`), its copies are bounded by its own numbers
(rate, concurrent), what they hold by a budget of all (`limits`), and their time by its deadline; nothing here waits.
What goes over a bound is not sent, the newest first, and counted with its reason. What a bound leaves room for is told
to the workers (`granting`), which hand over no more than that, and fewer while they are busy (`courtesy`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec

from stepdown.comparer.admission import Admission, Send, SkippedError
from stepdown.comparer.asked import Asked
from stepdown.comparer.configurations import Configuration, Configurations
from stepdown.comparer.courtesy import Courtesy, Usage
from stepdown.comparer.granting import Granting
from stepdown.comparer.legs import Leg
from stepdown.comparer.limits import Budget, Hold
from stepdown.comparer.pairing import Awaited, Entry, Pair, Table
from stepdown.comparer.pools import Pools
from stepdown.comparer.results import Result
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.decide.copies import Answer, Copy
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.clock import TICK, CoarseClock
from stepdown.telemetry.ring import RingReader
from stepdown.telemetry.slab import Slab

logger = logging.getLogger(__name__)

Consumer = Callable[[Pair], None]
"""What takes the pairs; what it raises is logged and harms no other pair."""

SLACK = 30.0
"""Seconds that an answer is waited for after the shadow's own time is over: it may take longer than its copy did."""

HELD_UP = 2 * TICK
"""Seconds between two sweeps from which on something has held this process up: a long comparison, other processes."""


class Shadows:
    """All copies of this sidecar."""

    def __init__(
        self,
        clock: CoarseClock,
        slab: Slab,
        tally: ShadowTally,
        consumer: Consumer,
        *,
        rings: Sequence[RingReader] = (),
        read: Callable[[], float] = monotonic,
        usage: Callable[[], Usage] | None = None,
        budget: Budget | None = None,
        table: Table | None = None,
    ) -> None:
        """`consumer` gets each pair; workers are told of room through `rings`, in their order.

        `read` gives the seconds that `clock` shows as of its last tick, `usage` what this process has used of its
        processor, where that is known.
        """
        self.configurations = Configurations()
        self.table = Table() if table is None else table
        self.budget = Budget() if budget is None else budget
        self._read = read
        self._tally = tally
        self._consumer = consumer
        self._pools = Pools(clock, slab)
        self._admission = Admission(self._pools, read)
        self._granting = Granting(rings)
        self._courtesy = Courtesy()
        self._usage = usage
        self._legs: set[Leg] = set()
        self._swept = read()
        self._held_up = False
        clock.each_tick(self.sweep)

    @property
    def flying(self) -> int:
        """Copies that are on their way."""
        return len(self._legs)

    def adopt(self, name: str, spec: SnapshotSpec) -> Configuration:
        """Know a specification by its digest, and tell workers of its shadows from now on."""
        configuration = self.configurations.adopt(name, spec)
        if self._granting.adopt(name, list(configuration.routes.values())):
            self._tell_all()
            self._granting.speak()
        return configuration

    def copied(self, ring: int, about: Copy, body: bytes) -> None:
        """A request was copied: send it to whoever gets it."""
        self._granting.took(ring, about)
        self._courtesy.took(len(about.shadows))
        configuration = self.configurations.find(about.digest)
        route = None if configuration is None else configuration.routes.get(about.route)
        if configuration is None or route is None or not about.shadows:
            return
        chosen = [route.shadows[place] for place in about.shadows if place < len(route.shadows)]
        try:
            asked = Asked(configuration, about, body)
        except Exception as error:
            logger.exception("a copy cannot be read")
            for shadow in chosen:
                self._tally.skipped(about.route, shadow.name, "failed", repr(error))
        else:
            self._send(ring, asked, chosen)
        for shadow in chosen:
            self._tell(about.route, shadow.name)

    def _send(self, ring: int, asked: Asked, chosen: list[Shadow]) -> None:
        about = asked.about
        until = self._read() + max((shadow.deadline for shadow in chosen), default=0.0) + SLACK
        entry = Entry((ring, about.id), asked, Hold(self.budget), until)
        if not self.table.full:
            entry.hold.take(len(about.head) + len(asked.body))
        starting = [leg for shadow in chosen for leg in self._admitted(entry, shadow)]
        if not entry.awaited:
            entry.hold.release()
            return
        self._hand_out(self.table.open(entry))
        for leg in starting:
            leg.start()

    def answered(self, ring: int, answer: Answer, body: bytes) -> None:
        """A request was answered; of those that nobody waits for, nothing is kept."""
        entry = self.table.find((ring, answer.id))
        if entry is None:
            return
        if not entry.hold.take(len(body)):
            answer, body = msgspec.structs.replace(answer, missing=answer.missing or "full"), b""
        self._hand_out(self.table.answered(entry, answer, body))

    def stale(self, about: Copy) -> None:
        """A request was copied under a configuration that is gone, so nobody knows to whom it should go."""
        for _place in about.shadows:
            self._tally.skipped(about.route, "unknown", "stale")

    def sweep(self, now: float) -> None:
        """End what has taken too long.

        Where this process itself was held up, answers may have come that it has not read yet: those get another tick,
        or a server would be blamed for it.
        """
        self._held_up = now - self._swept > HELD_UP and not self._held_up
        self._swept = now
        if not self._held_up:
            for leg in [leg for leg in self._legs if now >= leg.until]:
                leg.expire()
        self._hand_out(self.table.expired(now))
        self._pools.sweep(now)
        self._granting.settle()
        if self._usage is not None:
            self._courtesy.look(self._usage(), self._granting.busiest(), now)
        self._tell_all()

    def close(self) -> None:
        """Give up whatever is on its way."""
        self._granting.silence()
        for leg in self._legs:
            leg.drop()
        self._legs.clear()
        self._pools.close()

    def _tell_all(self) -> None:
        for route, shadow in self._granting.numbers:
            self._tell(route, shadow)

    def _tell(self, route: str, shadow: str) -> None:
        """Tell workers how many more copies a shadow takes."""
        number = self._granting.numbers.get((route, shadow))
        if number is None:
            return
        if self.table.full:
            room, reason = 0, "pending"
        else:
            room, reason = self._admission.state_of(route, shadow).room(self._granting.shadows[number], self._read())
            beside = self._courtesy.room()
            if beside is not None and beside < room:
                room, reason = beside, "busy"
        self._granting.tell(number, room, reason)

    def _admitted(self, entry: Entry, shadow: Shadow) -> list[Leg]:
        """The legs of one shadow; none where it may not have the copy, which is counted."""
        asked, route = entry.asked, entry.asked.route.name
        try:
            if not entry.hold.held:
                raise SkippedError("pending")
            send = self._admission.candidate(asked, shadow, entry.hold)
        except SkippedError as skipped:
            self._tally.skipped(route, shadow.name, skipped.reason, skipped.detail)
            return []
        except Exception as error:
            logger.exception("a copy could not be made")
            self._tally.skipped(route, shadow.name, "failed", repr(error))
            return []
        noise = self._noise(entry, shadow)
        awaited = Awaited(shadow, noisy=noise is not None)
        entry.awaited.append(awaited)
        return [self._leg(entry, awaited, each, each is noise) for each in (send, noise) if each is not None]

    def _noise(self, entry: Entry, shadow: Shadow) -> Send | None:
        """What the served version gets besides; `None` where it is not due, or may not go, which is counted."""
        if not self._admission.state(entry.asked, shadow).noisy(shadow):
            return None
        try:
            return self._admission.noise(entry.asked, shadow, entry.hold)
        except SkippedError:
            pass
        except Exception:
            logger.exception("a copy could not be made")
        self._tally.noise(entry.asked.route.name, shadow.name, "skipped")
        return None

    def _leg(self, entry: Entry, awaited: Awaited, send: Send, noise: bool) -> Leg:
        route, shadow = entry.asked.route.name, awaited.shadow.name
        state = self._admission.state(entry.asked, awaited.shadow)
        trial = not noise and state.breaker.began()

        def ended(leg: Leg, result: Result) -> None:
            self._legs.discard(leg)
            if noise:
                state.noise_flying -= 1
                self._tally.noise(route, shadow, result.outcome)
            else:
                state.flying -= 1
                self._tally.ended(route, shadow, result)
                if state.breaker.ended(result.outcome, self._read(), trial=trial):
                    self._tally.broken(route, shadow, result, state.breaker.seconds)
                self._tell(route, shadow)
            self._hand_out(self.table.ended(entry, awaited, result, noise=noise))

        leg = Leg(send.errand, send.pool, entry.hold, self._read(), ended)
        self._legs.add(leg)
        if noise:
            state.noise_flying += 1
        else:
            state.flying += 1
        return leg

    def _hand_out(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            try:
                self._consumer(pair)
            except Exception:
                logger.exception("two answers could not be compared")
