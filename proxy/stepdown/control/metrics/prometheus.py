"""Asks Prometheus: events and trials of both arms for guards that count, and single values for threshold guards.

All queries of one reading are asked for the same instant and of the same server, so that both arms are measured alike.
Several servers are replicas or parts. *Replicas* scrape the same targets (Prometheus' own way of being highly
available): they are asked in their order, and the first one that gives a usable reading counts, so another one is asked
for what this one cannot say, and nothing is voted on. They differ by a scrape or so. *Parts* each have some of the
targets: all are asked and their counts add up, and one that cannot be read leaves nothing to say.

A reading is not usable, which is never a pass, where a server cannot be reached, takes too long, answers with an error
or with what is none of Prometheus' answers; where it warns, as part of its data may be missing; where there is no
series or more than one; where the value is `NaN` or infinite, or no count; and where samples are stale.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from yarl import URL

from stepdown.control.metrics import values
from stepdown.control.metrics.answers import Instant, instant
from stepdown.control.metrics.asking import Answered, Asker, Inconclusive, shown
from stepdown.rollout.batch import Arm
from stepdown.rollout.counts import Arms, Counted, Measurement
from stepdown.rollout.queries import CountQueries, Place, filled

TIMEOUT = 10.0
STALE_AFTER = 300.0
"""Seconds after which a sample says nothing of now: as long as Prometheus itself takes a series for present."""
_SLACK = 0.01
"""Share by which estimates of events may exceed those of trials: both are extrapolated by themselves."""


class Server(NamedTuple):
    """One Prometheus, or what speaks its HTTP API."""

    url: URL
    """Its base, with a path where it has one; queries go to `api/v1/query` under it."""
    headers: Mapping[str, str] = {}
    timeout: float = TIMEOUT
    """Seconds for one answer, connecting included."""
    tls: ssl.SSLContext | None = None
    """Whom to trust; the system's authorities where there is none."""

    def __repr__(self) -> str:
        return f"Server({shown(self.url)})"


class Prometheus:
    """One or several servers: replicas that know the same, or `parts` that each know something else."""

    def __init__(
        self, asker: Asker, servers: Sequence[Server], *, parts: bool = False, stale_after: float = STALE_AFTER
    ) -> None:
        self._asker = asker
        self._servers = tuple(servers)
        self._parts = parts
        self._stale_after = stale_after

    async def counts(self, queries: Mapping[Arm, CountQueries], place: Place, now: float) -> Counted | Inconclusive:
        """Events and trials from `place.since` to `now` (Unix seconds), of the arms that queries are given for."""
        return await (self._of_all if self._parts else self._of_one)(queries, place, now)

    async def _of_one(self, queries: Mapping[Arm, CountQueries], place: Place, now: float) -> Counted | Inconclusive:
        reasons = []
        for server in self._servers:
            found = await self._counts(server, queries, place, now)
            if isinstance(found, Counted):
                return found
            reasons.append(f"{shown(server.url)}: {found.reason}")
        return Inconclusive("; ".join(reasons) or "no server is named")

    async def _of_all(self, queries: Mapping[Arm, CountQueries], place: Place, now: float) -> Counted | Inconclusive:
        parts = await asyncio.gather(*(self._counts(server, queries, place, now) for server in self._servers))
        events, trials, reasons = Arms(), Arms(), []
        for server, found in zip(self._servers, parts, strict=True):
            if isinstance(found, Inconclusive):
                reasons.append(f"{shown(server.url)}: {found.reason}")
            else:
                events, trials = events.plus(found.events), trials.plus(found.trials or Arms())
        return Inconclusive("; ".join(reasons)) if reasons else Counted(events=events, trials=trials)

    async def measure(self, query: str, now: float, *, as_is: bool = False) -> Measurement:
        """One value for a threshold guard; of a vector a list, as conditions of Argo Rollouts expect (`result[0]`).

        `as_is` is for conditions that deal with `NaN`, infinities, no series and several themselves; otherwise these
        are errors.
        """
        reasons = []
        for server in self._servers:
            found = await self._ask(server, query, now)
            if isinstance(found, Instant) and not as_is:
                single = found.single()
                found = single if isinstance(single, Inconclusive) else found
            if isinstance(found, Instant):
                return Measurement(at=now, value=found.value)
            reasons.append(f"{shown(server.url)}: {found.reason}")
        return Measurement(at=now, error="; ".join(reasons) or "no server is named")

    async def _counts(
        self, server: Server, queries: Mapping[Arm, CountQueries], place: Place, now: float
    ) -> Counted | Inconclusive:
        asked = [_asked(each, place.values(now, arm)) for arm, each in queries.items()]
        arms = await asyncio.gather(*(self._arm(server, texts, now) for texts in asked))
        wrong, counted = [], dict.fromkeys(("candidate", "stable"), (0, 0))
        for arm, found in zip(queries, arms, strict=True):
            if isinstance(found, Inconclusive):
                wrong.append(f"{arm}: {found.reason}")
            else:
                counted[arm] = found
        if wrong:
            return Inconclusive(", ".join(wrong))
        (events, trials), (stable_events, stable_trials) = counted["candidate"], counted["stable"]
        return Counted(
            events=Arms(candidate=events, stable=stable_events), trials=Arms(candidate=trials, stable=stable_trials)
        )

    async def _arm(self, server: Server, texts: Mapping[str, str], now: float) -> tuple[int, int] | Inconclusive:
        """Events and trials of one arm."""
        answers = await asyncio.gather(*(self._single(server, text, now) for text in texts.values()))
        found = dict(zip(texts, answers, strict=True))
        wrong = [f"{name}: {one.reason}" for name, one in found.items() if isinstance(one, Inconclusive)]
        if wrong:
            return Inconclusive(", ".join(wrong))
        said = {name: one for name, one in found.items() if isinstance(one, str)}
        stale = self._stale(said["fresh"], now) if "fresh" in said else None
        return stale or _pair(values.count(said["events"]), values.count(said["trials"]))

    async def _single(self, server: Server, query: str, now: float) -> str | Inconclusive:
        found = await self._ask(server, query, now)
        return found if isinstance(found, Inconclusive) else found.single()

    async def _ask(self, server: Server, query: str, now: float) -> Instant | Inconclusive:
        asked = {"query": query, "time": f"{now:.3f}", "timeout": f"{server.timeout:g}s"}
        url = (server.url / "api/v1/query").with_query({**server.url.query, **asked})
        answer = await self._asker.ask(url, timeout=server.timeout, headers=server.headers, tls=server.tls)
        found = instant(answer.status, answer.body) if isinstance(answer, Answered) else answer
        if isinstance(found, Instant):
            for at in found.times:
                if not abs(now - at) <= self._stale_after:
                    return Inconclusive(f"it was asked about now and answers about {now - at:.0f} s ago")
        return found

    def _stale(self, newest: str, now: float) -> Inconclusive | None:
        at = values.finite(newest)
        if isinstance(at, Inconclusive):
            return at
        age = now - at
        return Inconclusive(f"the newest sample is {age:.0f} s old") if abs(age) > self._stale_after else None


def _asked(queries: CountQueries, values: Mapping[str, str]) -> dict[str, str]:
    """The queries for one arm, by what they are for."""
    return {name: filled(query, values) for name, query in queries._asdict().items() if query}


def _pair(events: int | Inconclusive, trials: int | Inconclusive) -> tuple[int, int] | Inconclusive:
    """Both, if they can be of the same units."""
    if isinstance(events, Inconclusive):
        return Inconclusive(f"events: {events.reason}")
    if isinstance(trials, Inconclusive):
        return Inconclusive(f"trials: {trials.reason}")
    if events > trials + 1 + trials * _SLACK:
        return Inconclusive(f"there are more events ({events}) than trials ({trials})")
    return min(events, trials), trials
