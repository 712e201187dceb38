"""What the workers of this replica have counted, from their shared memory: how slow stable is, and who failed lately.

Both are needed beside the evidence in the store. *What is slow* is stable's p99 of before a stage, frozen, so that the
question of the latency guard does not move while it is asked; evidence has no times in it. *Who failed lately* is for
the breaker while the store is lost: evidence waits in the workers then, and a candidate that fails outright does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from stepdown.rollout.counts import Arms
from stepdown.rollout.guards.breaker import Flush
from stepdown.telemetry.buckets import REQUEST_SECONDS
from stepdown.telemetry.slab import SlabReader

LEAST = 1000
"""Answers of which a p99 is taken."""
QUANTILE = 0.99
LATELY = 600.0
"""Seconds that are looked back upon where there are enough answers in them; else everything counts."""
NOTE_EVERY = 60.0

Buckets = tuple[int, ...]


class Tails:
    """Answers of stable versions by how long they took, of the last minutes."""

    def __init__(self, slabs: Sequence[SlabReader]) -> None:
        self._slabs = slabs
        self._noted: dict[tuple[str, str], deque[tuple[float, Buckets]]] = {}

    def note(self, route: str, served: str, now: float) -> None:
        """Remember how it is, once a minute."""
        noted = self._noted.setdefault((route, served), deque())
        if not noted or now - noted[-1][0] >= NOTE_EVERY:
            noted.append((now, self._buckets(route, served)))
        while len(noted) > 1 and noted[1][0] <= now - LATELY:
            noted.popleft()

    def slow(self, route: str, served: str, now: float) -> float:
        """p99 in seconds; 0 where too few answers are known."""
        counts = self._buckets(route, served)
        noted = self._noted.get((route, served))
        if noted and noted[0][0] <= now - LATELY:
            lately = tuple(max(new - old, 0) for new, old in zip(counts, noted[0][1], strict=True))
            if sum(lately) >= LEAST:
                return quantile(lately)
        return quantile(counts) if sum(counts) >= LEAST else 0.0

    def _buckets(self, route: str, served: str) -> Buckets:
        total = [0] * (len(REQUEST_SECONDS) + 1)
        for slab in self._slabs:
            for series in slab.series():
                if series.family == "stepdown_request_duration_seconds" and series.labels == (route, served):
                    for place, count in enumerate(slab.values(series)[: len(total)]):
                        total[place] += count
        return tuple(total)


def quantile(counts: Buckets, share: float = QUANTILE) -> float:
    """Interpolated in its bucket, as Prometheus does it; beyond the last bound, that bound."""
    wanted = share * sum(counts)
    below = 0
    for place, count in enumerate(counts[:-1]):
        if count and below + count >= wanted:
            low = REQUEST_SECONDS[place - 1] if place else 0.0
            return low + (REQUEST_SECONDS[place] - low) * (wanted - below) / count
        below += count
    return REQUEST_SECONDS[-1]


class Failing:
    """Requests of both arms since the last look, as this replica's own breaker needs them."""

    def __init__(self, slabs: Sequence[SlabReader]) -> None:
        self._slabs = slabs
        self._seen: dict[tuple[str, str, str, str], Flush] = {}

    def flush(self, route: str, rule: str, stable: str, candidate: str) -> Flush:
        """What came since this was asked last; nothing when it is asked for the first time."""
        now = self._so_far(route, rule, stable, candidate)
        before = self._seen.get((route, rule, stable, candidate), now)
        self._seen[route, rule, stable, candidate] = now
        return Flush(requests=_minus(now.requests, before.requests), failures=_minus(now.failures, before.failures))

    def forget(self, route: str, rule: str) -> None:
        """Begin with the next look at this rule."""
        self._seen = {key: value for key, value in self._seen.items() if key[:2] != (route, rule)}

    def _so_far(self, route: str, rule: str, stable: str, candidate: str) -> Flush:
        asked = {stable: 0, candidate: 0}
        failed = dict(asked)
        for slab in self._slabs:
            for series in slab.series():
                if series.family != "stepdown_requests_total" or series.labels[0] != route:
                    continue
                _, of_rule, assigned, _, _, reason, _, status, _ = series.labels
                if assigned not in asked or reason != "split" or of_rule.partition("/")[0] != rule:
                    continue
                count = slab.cells[series.first]
                asked[assigned] += count
                failed[assigned] += count if status == "5xx" else 0
        return Flush(
            requests=Arms(candidate=asked[candidate], stable=asked[stable]),
            failures=Arms(candidate=failed[candidate], stable=failed[stable]),
        )


def _minus(one: Arms, other: Arms) -> Arms:
    return Arms(candidate=max(one.candidate - other.candidate, 0), stable=max(one.stable - other.stable, 0))
