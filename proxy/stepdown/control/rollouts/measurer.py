"""Asks the sources of a rollout's guards: counters at each window's end, thresholds at intervals of their own.

**Counters** are read whole each time and compared with how far the guard's state says they were read (`counts.Read`).
That state is written together with what was judged of it, so that whoever decides next goes on exactly there: what a
crashed controller had asked and not written is asked once more, and nothing counts twice. Prometheus counts since the
step began; a webhook's counts are taken to grow for ever, so the first look at each step only finds out where to begin,
as does the next one after they were set back.

**Thresholds** are measured by a task for each rollout, and what it has goes into the next window. Measurements that
were given are given again until the guard's state has them, and that state also says when the next one is due.

**Nobody waits long and nothing raises.** Whatever cannot be read, or takes too long, is `unread` or a measurement with
an error, with its reason.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
from yarl import URL

from stepdown.control.metrics import prometheus, webhook
from stepdown.control.metrics.asking import Asker, Inconclusive
from stepdown.control.metrics.growth import growth
from stepdown.control.metrics.prometheus import Prometheus
from stepdown.control.metrics.webhook import Webhook
from stepdown.control.rollouts.measuring import MEASURE_SECONDS, Measurer
from stepdown.control.rollouts.thresholds import Thresholds
from stepdown.decide.rollout_spec import Ceiling, Counters, Guard, Hook, MetricServer, Query, Rollout, Share, Threshold
from stepdown.rollout.counts import Arms, Counted, Measurement, Read
from stepdown.rollout.guards.ceiling import CeilingState
from stepdown.rollout.guards.kinds import State, kind
from stepdown.rollout.guards.shares import ShareState
from stepdown.rollout.guards.threshold import ThresholdState, executed
from stepdown.rollout.judge import panels
from stepdown.rollout.looking import Elsewhere
from stepdown.rollout.position import Position
from stepdown.rollout.queries import Place, filled, queries_of

logger = logging.getLogger(__name__)

LONGEST = 0.75 * MEASURE_SECONDS
"""Seconds for one source, however many servers it has."""

Source = Counters | Query | Hook
Found = TypeVar("Found")


class _Seat(NamedTuple):
    """A guard of the step where the rollout stands, and what is known of it."""

    guard: Guard
    state: State


class _TrustError(Exception):
    """The file that says whom to trust cannot be used."""


class SourceMeasurer(Measurer):
    """Of all rollouts of this controller; lives on its loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._clock = clock
        self._asker = Asker()
        self._thresholds: dict[str, Thresholds] = {}
        self._trust: dict[tuple[str, int], ssl.SSLContext] = {}

    async def close(self) -> None:
        """Give up what is on its way."""
        for one in self._thresholds.values():
            await one.close()
        self._thresholds.clear()
        await self._asker.close()

    def leave(self, rollout: str) -> None:
        """Measure nothing of it between windows any more."""
        if (known := self._thresholds.pop(rollout, None)) is not None:
            known.leave()

    async def measure(self, rollout: Rollout, position: Position, now: float, *, since: float) -> Elsewhere:
        """What sources have more than the guards of this step have seen; raises nothing."""
        seats = _seats(rollout, position)
        counting = [seat for seat in seats if isinstance(seat.guard, Share | Ceiling) and seat.guard.source is not None]
        counts, measured = await asyncio.gather(
            asyncio.gather(*(self._counted(rollout, position, seat, now) for seat in counting)),
            self._measured(rollout, position, seats),
        )
        kinds: dict[str, Counted] = {}
        unread: dict[str, str] = {}
        for seat, (counted, why) in zip(counting, counts, strict=True):
            assert not isinstance(seat.guard, Threshold)
            if counted is not None:
                kinds[seat.guard.kind] = counted
            if why:
                unread[seat.guard.kind] = why
        return Elsewhere(kinds, unread, measured)

    # --- counters -----------------------------------------------------------------------------------------------------

    async def _counted(
        self, rollout: Rollout, position: Position, seat: _Seat, now: float
    ) -> tuple[Counted | None, str]:
        """What is new of one guard's counters; or why there is nothing, maybe with where to go on from."""
        guard, state = seat
        assert isinstance(guard, Share | Ceiling)
        assert isinstance(state, ShareState | CeilingState)
        source, before = guard.source, state.read
        assert source is not None
        begin = before.since if before is not None and before.since else position.entered
        place = _place(rollout, position, begin)
        found = await _bounded(self._counts(source, place, position.weight, now), Inconclusive)
        if isinstance(found, Inconclusive):
            return None, found.reason
        whole = Read(since=begin, events=found.events, trials=found.trials or Arms())
        if isinstance(source, Counters):
            before = before or Read(since=begin)
        if before is None:
            return Counted(read=whole), "this look only found out where the step begins"
        new = growth(Counted(events=before.events, trials=before.trials), found)
        if isinstance(new, Inconclusive):
            if isinstance(source, Counters):
                return None, new.reason
            return Counted(read=whole), f"{new.reason}, and it goes on from there"
        trials = new.trials or Arms()
        still = [
            arm
            for arm, grown in (("the candidate", trials.candidate), ("stable", trials.stable))
            if not grown and not (arm == "stable" and isinstance(guard, Ceiling))
        ]
        if still:
            return None, f"trials of {' and '.join(still)} have not grown since the last look"
        read = Read(since=begin, events=before.events.plus(new.events), trials=before.trials.plus(trials))
        return msgspec.structs.replace(new, read=read), ""

    async def _counts(self, source: Counters | Hook, place: Place, weight: float, now: float) -> Counted | Inconclusive:
        try:
            if isinstance(source, Counters):
                asked = self._prometheus(source.servers, source.stale_after, parts=source.parts)
                return await asked.counts(queries_of(source.events, source.trials), place, now)
            told = _told(source, place, weight)
            return await self._webhook(source, place, now).counts(told, source.events, source.trials)
        except _TrustError as error:
            return Inconclusive(str(error))

    # --- thresholds ---------------------------------------------------------------------------------------------------

    async def _measured(
        self, rollout: Rollout, position: Position, seats: Sequence[_Seat]
    ) -> Mapping[str, tuple[Measurement, ...]]:
        guards = {
            seat.guard: seat.state
            for seat in seats
            if isinstance(seat.guard, Threshold)
            and isinstance(seat.state, ThresholdState)
            and seat.guard.source is not None
            and executed(seat.guard, inside_step=True)
        }
        stage = (position.run, position.step, position.entered, rollout.guards, rollout.window)
        known = self._thresholds.get(rollout.name)
        if known is not None and (known.stage != stage or not guards):
            await known.close()
            del self._thresholds[rollout.name]
            known = None
        if not guards:
            return {}
        if known is None:
            place, weight = _place(rollout, position, position.entered), position.weight
            known = Thresholds(stage, lambda guard: self._value(guard, place, weight), self._clock, 3 * rollout.window)
            self._thresholds[rollout.name] = known
        return await known.after(guards, LONGEST)

    async def _value(self, guard: Threshold, place: Place, weight: float) -> Measurement:
        """One measurement, whatever comes."""
        now = self._clock()
        source = guard.source
        assert source is not None
        return await _bounded(self._ask(source, place, weight, now), lambda reason: Measurement(at=now, error=reason))

    async def _ask(self, source: Query | Hook, place: Place, weight: float, now: float) -> Measurement:
        try:
            if isinstance(source, Query):
                query = filled(source.query, place.values(now))
                asked = self._prometheus(source.servers, source.stale_after)
                return await asked.measure(query, now, as_is=source.as_is)
            hook, told = self._webhook(source, place, now), _told(source, place, weight)
            if source.reads == "status":
                return await hook.passed(told, now)
            return await hook.measure(told, now, as_is=source.as_is)
        except _TrustError as error:
            return Measurement(at=now, error=str(error))

    # --- whom to ask --------------------------------------------------------------------------------------------------

    def _prometheus(self, servers: Sequence[MetricServer], stale_after: float, *, parts: bool = False) -> Prometheus:
        turn = LONGEST if parts else LONGEST / len(servers)  # one that hangs leaves time for the next
        asked = [
            prometheus.Server(URL(one.url), dict(one.set_headers), min(one.timeout, turn), self._trusted(one.ca_file))
            for one in servers
        ]
        return Prometheus(self._asker, asked, parts=parts, stale_after=stale_after)

    def _webhook(self, source: Hook, place: Place, now: float) -> Webhook:
        server = source.server
        url = _url(server.url, place.values(now))
        headers, tls = dict(server.set_headers), self._trusted(server.ca_file)
        return Webhook(self._asker, webhook.Hook(url, source.method, headers, source.pointer, server.timeout, tls))

    def _trusted(self, file: str | None) -> ssl.SSLContext | None:
        """Whom the file says; read again when it is another one."""
        if file is None:
            return None
        try:
            key = file, Path(file).stat().st_mtime_ns
            if key not in self._trust:
                self._trust[key] = ssl.create_default_context(cafile=file)
        except (OSError, ValueError):
            raise _TrustError(f"its ca_file {Path(file).name} cannot be used") from None
        return self._trust[key]


def _seats(rollout: Rollout, position: Position) -> list[_Seat]:
    """The guards that watch the step where it stands; what was known of others is none of theirs."""
    guards = panels(rollout)[position.step].guards
    known = position.evidence[position.step].guards if position.step < len(position.evidence) else ()
    begun = [kind(guard).begin() for guard in guards]
    fits = len(known) == len(begun) and all(type(one) is type(other) for one, other in zip(known, begun, strict=True))
    return [_Seat(guard, state) for guard, state in zip(guards, known if fits else begun, strict=True)]


def _place(rollout: Rollout, position: Position, since: float) -> Place:
    return Place(rollout.name, position.step + 1, position.candidate.version, position.stable, since)


def _told(source: Hook, place: Place, weight: float) -> dict[str, Any]:
    """What a hook is told."""
    told = {**place._asdict(), "weight": weight}
    return told | {name: msgspec.Raw(value.encode()) for name, value in source.tells}


def _url(template: str, values: Mapping[str, str]) -> URL:
    """A hook's address with what it names of the rollout, quoted."""
    return URL(filled(template, {name: quote(value, safe="") for name, value in values.items()}))


async def _bounded(asking: Awaitable[Found], failed: Callable[[str], Found | Any]) -> Found | Any:
    """What comes of it, or `failed` with the reason."""
    try:
        async with asyncio.timeout(LONGEST):
            return await asking
    except TimeoutError:
        return failed(f"no answer within {LONGEST:g} s")
    except Exception as error:  # a rollout has to go on whatever a source does
        logger.exception("a source of a guard could not be asked")
        return failed(f"it could not be asked: {type(error).__name__}")
