"""Which copies may go, and what exactly is sent: the limits of a shadow, the body in its version's shape, the marks.

Limits are asked twice: how many copies a shadow has room for is told to workers (`granting`), and each copy that comes
is held against them here, since several workers may come at once, and those of a former configuration know nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from stepdown.comparer.asked import Asked
from stepdown.comparer.breaker import Breaker
from stepdown.comparer.hiding import told
from stepdown.comparer.legs import Errand
from stepdown.comparer.limits import Bucket, Hold
from stepdown.comparer.marking import noted
from stepdown.comparer.pools import Pools
from stepdown.decide.sampling import Sampler
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import Endpoint
from stepdown.errors import ConfigError, RequestNotAdaptableError, UnreachableShapeError
from stepdown.plane.clock import TICK
from stepdown.plane.pool import EndpointPool


class SkippedError(Exception):
    """A copy is not sent; the reason is the metric's label."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class State:
    """What is remembered of a shadow from one copy to the next, over reloads."""

    __slots__ = ("_noise", "_share", "breaker", "bucket", "down_until", "flying", "noise_flying")

    def __init__(self) -> None:
        self.bucket = Bucket()
        self.breaker = Breaker()
        self.down_until = 0.0
        """Monotonic seconds until which no endpoint is looked for; 0 where one was found last."""
        self.flying = 0
        self.noise_flying = 0
        self._noise: Sampler | None = None
        self._share = 0.0

    def room(self, shadow: Shadow, now: float) -> tuple[int, str]:
        """How many more copies may go, and what is in the way of more than that."""
        trial = self.breaker.room(now)
        if trial is not None:
            return trial, "broken"
        free = shadow.concurrent - self.flying
        if self.down_until:
            return (min(free, 1) if now >= self.down_until else 0), "down"
        if shadow.rate:
            within = self.bucket.room(shadow.rate, now)
            if within < free:
                return within, "rate"
        return free, "concurrent"

    def noisy(self, shadow: Shadow) -> bool:
        """Whether this copy is one of those that the served version gets too."""
        if shadow.noise <= 0 or shadow.idle:
            return False
        if self._noise is None or self._share != shadow.noise:
            self._share = shadow.noise
            self._noise = Sampler(shadow.noise / 100, crc32(shadow.name.encode()))
        return self._noise.take()


class Send(NamedTuple):
    """A leg that may start."""

    errand: Errand
    pool: EndpointPool


class Admission:
    """Lets copies go or refuses them, and never waits for anything."""

    def __init__(self, pools: Pools, read: Callable[[], float]) -> None:
        """`read` gives monotonic seconds."""
        self._pools = pools
        self._read = read
        self._states: dict[tuple[str, str], State] = {}

    def state(self, asked: Asked, shadow: Shadow) -> State:
        """What is remembered of a request's shadow."""
        return self.state_of(asked.route.name, shadow.name)

    def state_of(self, route: str, shadow: str) -> State:
        """What is remembered of the shadow with this name."""
        state = self._states.get((route, shadow))
        if state is None:
            state = self._states[route, shadow] = State()
        return state

    def candidate(self, asked: Asked, shadow: Shadow, hold: Hold) -> Send:
        """What goes to the shadow's version; raises `SkippedError`."""
        state, now = self.state(asked, shadow), self._read()
        if len(asked.body) > shadow.max_body:
            raise SkippedError("too-large")
        if state.breaker.room(now) == 0:
            raise SkippedError("broken")
        if state.flying >= shadow.concurrent:
            raise SkippedError("concurrent")
        if not state.bucket.take(shadow.rate, now):
            raise SkippedError("rate")
        endpoints = asked.configuration.endpoints(asked.route, shadow)
        try:
            send = self._send(asked, shadow, shadow.version, endpoints, hold)
        except SkippedError as skipped:
            if skipped.reason == "down":
                state.down_until = now + TICK
            raise
        state.down_until = 0.0
        return send

    def noise(self, asked: Asked, shadow: Shadow, hold: Hold) -> Send:
        """What goes to the served version besides; raises `SkippedError`."""
        if self.state(asked, shadow).noise_flying >= shadow.concurrent:
            raise SkippedError("concurrent")
        version = asked.about.served
        endpoints = asked.configuration.endpoints(asked.route, shadow, version)
        return self._send(asked, shadow, version, endpoints, hold)

    def _send(self, asked: Asked, shadow: Shadow, version: str, endpoints: tuple[Endpoint, ...], hold: Hold) -> Send:
        """What goes to a version's least pending endpoint; raises `SkippedError`."""
        route = asked.route
        try:
            body = asked.upward(version)
            pool = self._pools.pick(route.name, shadow.name, f"{route.model}/{version}", endpoints, self._read())
            if pool is None:
                raise SkippedError("down", f"No endpoint of {route.model} {version} takes connections")
            data = _written(asked, version, pool, body)
        except UnreachableShapeError as error:
            raise SkippedError("unreachable-shape", error.detail) from None
        except RequestNotAdaptableError as error:
            raise SkippedError("unadaptable", told(error.detail, shadow)) from None
        except ConfigError as error:
            raise SkippedError("failed", error.detail) from None
        if not hold.take(len(data)):
            raise SkippedError("pending")
        errand = Errand(version, asked.head.method, data, shadow.deadline, shadow.max_body, shadow.concurrent)
        return Send(errand, pool)


def _written(asked: Asked, version: str, pool: EndpointPool, body: bytes) -> bytes:
    """The whole request, with its length as it is now, and without one where it had none."""
    adapter = asked.adapter(version)
    bodies = adapter is not None and (adapter.touches_response or adapter.touches_errors)
    adapted = bodies or asked.streams(version).touched
    framing = b"content-length: %d\r\n" % len(body) if asked.head.framed else b""
    return pool.template.head(noted(asked.head), asked.params, asked.origin, framing, adapted) + body
