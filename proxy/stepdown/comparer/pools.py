"""Connections for copies: those of each shadow apart, so that one that hangs takes none from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stepdown.decide.spec import Endpoint, HealthCheck
from stepdown.plane.clock import CoarseClock
from stepdown.plane.pool import EndpointPool
from stepdown.telemetry.slab import ABSENT, Slab

FORGET_SECONDS = 60.0
"""A pool that no copy was given to for so long is forgotten: a shadow that stopped, or an endpoint that is gone."""


class PoolKey(NamedTuple):
    """What shares connections."""

    route: str
    shadow: str
    owner: str
    """`model/version`."""
    endpoint: Endpoint
    """With the shadow's marks on."""


class Pools:
    """By shadow and endpoint. Health is what connections tell: nobody probes for a shadow, and workers do already."""

    def __init__(self, clock: CoarseClock, slab: Slab) -> None:
        self._clock = clock
        self._slab = slab
        self._pools: dict[PoolKey, EndpointPool] = {}
        self._used: dict[PoolKey, float] = {}
        self._turn = 0

    def pick(
        self, route: str, shadow: str, owner: str, endpoints: Sequence[Endpoint], now: float
    ) -> EndpointPool | None:
        """The usable endpoint with the least pending copies, ties going round; `None` where none is usable.

        Raises `ConfigError` where an endpoint's TLS or fields cannot be used.
        """
        self._turn += 1
        best: EndpointPool | None = None
        for offset in range(len(endpoints)):
            endpoint = endpoints[(self._turn + offset) % len(endpoints)]
            pool = self._pool(PoolKey(route, shadow, owner, endpoint), now)
            if pool.usable(now) and (best is None or pool.pending < best.pending):
                best = pool
        return best

    def _pool(self, key: PoolKey, now: float) -> EndpointPool:
        self._used[key] = now
        pool = self._pools.get(key)
        if pool is None:
            label = f"{key.owner}/{key.endpoint.id}"
            pool = self._pools[key] = EndpointPool(label, key.endpoint, HealthCheck(), self._clock, self._slab)
            # Whether requests go to an endpoint is for workers to say.
            self._slab.cells[self._slab.gauge("stepdown_endpoint_ready", (label,))] = ABSENT
        return pool

    def sweep(self, now: float) -> None:
        """Close what was idle for too long, and forget what nobody uses."""
        for key, pool in list(self._pools.items()):
            pool.sweep(now)
            if not pool.pending and now - self._used[key] > FORGET_SECONDS:
                pool.retire()
                del self._pools[key], self._used[key]

    def close(self) -> None:
        """Close every connection that nobody has."""
        for pool in self._pools.values():
            pool.retire()
        self._pools.clear()
