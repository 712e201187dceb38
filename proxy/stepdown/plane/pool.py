"""Connections to one endpoint, kept alive and handed out: who waits, who is served, what is opened.

`acquire` never blocks and never creates a task when an idle connection is there, which is the common case. Otherwise
the exchange waits in a bounded queue, and at most as many connections are opened as there are exchanges waiting.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from stepdown import tasks
from stepdown.decide.spec import Endpoint, HealthCheck
from stepdown.errors import OverloadedError, StepdownError, UpstreamError
from stepdown.plane.clock import CoarseClock
from stepdown.plane.connect import Connector
from stepdown.plane.ejection import Ejection
from stepdown.plane.outgoing import RequestTemplate
from stepdown.plane.upstream import UpstreamConnection
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import ABSENT, Slab

if TYPE_CHECKING:
    from stepdown.plane.versions import VersionPool

logger = logging.getLogger(__name__)

IDLE_SECONDS = 4.0
"""Idle connections are not reused after this: uvicorn, under most Python model servers, closes them at 5."""

UNREACHABLE_SECONDS = 1.0
"""After a failed connection the endpoint counts as down for this long; then a request tries again."""


class Waiter(Protocol):
    """What the pool needs of an exchange."""

    gone: bool
    """Set when nobody waits any more."""

    @property
    def connect_timeout(self) -> float:
        """Seconds for a new connection; 0 for no limit."""
        ...

    @property
    def most_connections(self) -> int:
        """Connections that the endpoint may have."""
        ...

    @property
    def most_waiting(self) -> int:
        """Requests that may wait for one of them."""
        ...

    def on_connection(self, connection: UpstreamConnection) -> None:
        """A connection is free: use it now."""
        ...

    def on_no_connection(self, error: StepdownError) -> None:
        """None could be had."""
        ...


class EndpointPool:
    """Connections, waiting exchanges and health of one endpoint in this worker."""

    __slots__ = (
        "_cells",
        "_clock",
        "_connector",
        "_connects",
        "_ejections",
        "_ready_cell",
        "_slab",
        "connecting",
        "ejection",
        "endpoint",
        "idle",
        "key",
        "open",
        "pending",
        "probed",
        "retired",
        "template",
        "unreachable_until",
        "version",
        "waiting",
    )

    def __init__(self, key: str, endpoint: Endpoint, health: HealthCheck, clock: CoarseClock, slab: Slab) -> None:
        self.key = key
        """`model/version/endpoint-id`, as in health reports and metrics."""
        self.endpoint = endpoint
        self._connector = Connector(endpoint)
        self._clock = clock
        self._slab = slab
        self._cells = slab.cells
        self._ejections = slab.counter("stepdown_ejections_total", (key,))
        self._ready_cell = slab.gauge("stepdown_endpoint_ready", (key,))
        self._connects = {
            outcome: slab.counter("stepdown_upstream_connects_total", (key, outcome))
            for outcome in ("ok", "refused", "timeout", "error")
        }
        self.idle: list[UpstreamConnection] = []
        """Free connections, the most recently used last."""
        self.waiting: deque[Waiter] = deque()
        self.connecting = 0
        self.open = 0
        self.pending = 0
        """Exchanges that were given to this endpoint and have not ended."""
        self.probed = True
        """What active probes say; true until one says otherwise."""
        self.ejection = Ejection(health.eject_after, health.eject_base, health.eject_max)
        self.unreachable_until = 0.0
        """Monotonic seconds until which the endpoint counts as down because no connection could be made."""
        self.retired = False
        """No snapshot uses this endpoint any more: connections close as they become free."""
        self.template = RequestTemplate(endpoint)
        self.version: VersionPool | None = None

    def usable(self, now: float) -> bool:
        """Whether requests may go to this endpoint."""
        return self.probed and now >= self.unreachable_until and not self.ejection.ejected(now)

    def show_ready(self, ready: bool) -> None:
        """Put readiness into the metrics."""
        self._cells[self._ready_cell] = 1 if ready else 0

    # --- handing out ------------------------------------------------------------------------------------------------

    def take_idle(self) -> UpstreamConnection | None:
        """A connection that may be reused now, or `None`."""
        idle = self.idle
        while idle:
            connection = idle.pop()
            if connection.idle_since + IDLE_SECONDS > self._clock.now and not connection.transport.is_closing():
                return connection
            connection.close()
        return None

    def wait(self, exchange: Waiter) -> None:
        """Queue an exchange for the next free connection, and open one if that helps."""
        if len(self.waiting) >= exchange.most_waiting:
            exchange.on_no_connection(OverloadedError(f"{len(self.waiting)} requests wait for {self.endpoint.id}"))
            return
        self.waiting.append(exchange)
        self._open_more(exchange)

    def give_up(self, exchange: Waiter) -> None:
        """An exchange that may be in the queue waits no more: its place is free."""
        with suppress(ValueError):
            self.waiting.remove(exchange)

    def _open_more(self, exchange: Waiter) -> None:
        if self.connecting < len(self.waiting) and self.open + self.connecting < exchange.most_connections:
            self.connecting += 1
            tasks.start(self._connect(exchange.connect_timeout), name=f"connect to {self.endpoint.id}")

    async def _connect(self, seconds: float) -> None:
        try:
            await self._connector.open(lambda: UpstreamConnection(self), seconds)
        except UpstreamError as error:
            self.connecting -= 1
            refused = "refused" in error.detail
            outcome = "timeout" if error.status == 504 else "refused" if refused else "error"
            self._cells[self._connects[outcome]] += 1
            self.failed()
            if not self.unreachable_until:
                logger.warning("endpoint unreachable", extra=fields(endpoint=self.key, reason=error.detail))
            self._unreachable(self._clock.now + UNREACHABLE_SECONDS)
            self._fail_one(error)
            if self.waiting:
                self._open_more(self.waiting[0])

    def _fail_one(self, error: StepdownError) -> None:
        while self.waiting:
            exchange = self.waiting.popleft()
            if not exchange.gone:
                exchange.on_no_connection(error)
                return

    def _unreachable(self, until: float) -> None:
        self.unreachable_until = until
        if self.version is not None:
            self.version.refresh(self._clock.now)

    # --- what connections report ------------------------------------------------------------------------------------

    def opened(self, connection: UpstreamConnection) -> None:
        """A connection is up."""
        self.connecting -= 1
        self.open += 1
        self._cells[self._connects["ok"]] += 1
        if self.unreachable_until:
            logger.info("endpoint reachable again", extra=fields(endpoint=self.key))
            self._unreachable(0.0)
        self.free(connection)

    def free(self, connection: UpstreamConnection) -> None:
        """A connection can take the next exchange."""
        while self.waiting:
            exchange = self.waiting.popleft()
            if not exchange.gone:
                exchange.on_connection(connection)
                return
        if self.retired:
            connection.close()
        else:
            connection.idle_since = self._clock.now
            self.idle.append(connection)

    def closed(self, connection: UpstreamConnection) -> None:
        """A connection has ended."""
        self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if self.waiting:
            self._open_more(self.waiting[0])

    # --- health -----------------------------------------------------------------------------------------------------

    def failed(self) -> None:
        """Count a failure of the endpoint: no connection, reset, timeout or a server error."""
        version = self.version
        now = self._clock.now
        alone = version is None or version.only_usable(self, now)
        if self.ejection.failed(now, alone=alone):
            self._cells[self._ejections] += 1
            seconds = self.ejection.until - now
            logger.warning("endpoint put aside", extra=fields(endpoint=self.key, seconds=seconds))
            if version is not None:
                version.refresh(now)

    def succeeded(self) -> None:
        """Count a success."""
        self.ejection.succeeded()

    # --- time -------------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Close what was idle for too long; the oldest are first."""
        idle = self.idle
        stale = 0
        while stale < len(idle) and idle[stale].idle_since + IDLE_SECONDS <= now:
            stale += 1
        if stale:
            old, self.idle = idle[:stale], idle[stale:]
            for connection in old:
                connection.close()

    def retire(self) -> None:
        """No new exchange will come: close what is idle, let the rest finish."""
        self.retired = True
        self._cells[self._ready_cell] = ABSENT
        idle, self.idle = self.idle, []
        for connection in idle:
            connection.close()
