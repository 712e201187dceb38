"""The data plane of one worker: what a worker process, or a test, makes, feeds and stops.

A snapshot is prepared first, which may fail and changes nothing, and activated later, which cannot fail. Exchanges
that run keep the runtime that they have read; the next ones get the new one.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from stepdown.decide import spec as specification
from stepdown.decide.keysets import KeySet
from stepdown.errors import ConfigError, StepdownError
from stepdown.plane.client import ClientConnection
from stepdown.plane.clock import NEVER, CoarseClock
from stepdown.plane.evidence_books import Books
from stepdown.plane.flag_desk import FlagDesk
from stepdown.plane.handoff import Handoff
from stepdown.plane.offload import Offload
from stepdown.plane.outbox import Outbox
from stepdown.plane.retry import RetryBudget
from stepdown.plane.runtime import Runtime
from stepdown.plane.upstream import bound_turn
from stepdown.telemetry.access import AccessLog
from stepdown.telemetry.decisions import DecisionLog
from stepdown.telemetry.log import fields
from stepdown.telemetry.slab import Slab
from stepdown_adapters.errors import AdaptersError

logger = logging.getLogger(__name__)

BACKLOG = 4096
"""Connections that may wait to be accepted, as far as the kernel lets them."""
LAST_EVIDENCE_SECONDS = 1.0
"""How long a plane that was drained waits for the store to have what it counted; its process has 2 s over the grace."""


class Plane:
    """Listeners, client connections, and the runtime that they read."""

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        slab: Slab,
        workers: int = 1,
        access: AccessLog | None = None,
        clock: CoarseClock | None = None,
        handoff: Handoff | None = None,
    ) -> None:
        self.loop = loop
        self.slab = slab
        self.access = access
        self.decisions: DecisionLog | None = None
        """Where decisions are recorded that the runtime samples."""
        self.clock = clock or CoarseClock(loop)
        self.budget = RetryBudget(0.2, 3)
        self.offload = Offload()
        self.outbox = Outbox(loop)
        self.active = 0
        """Exchanges that run now."""
        self.clients: set[ClientConnection] = set()
        self.keep_alive = 75.0
        """Seconds that a client may be idle, of the running snapshot."""
        self.draining = False
        self._empty: asyncio.Event | None = None
        """Set by the last client to leave, once somebody waits for that."""
        self._workers = workers
        self._handoff = handoff
        self._servers: list[asyncio.Server] = []
        self._prepared: Runtime | None = None
        self.lists: dict[str, KeySet] = {}
        """Lists of ids by digest: those that specifications may name from now on."""
        self.desk = FlagDesk(loop, self.clock, slab)
        """Where flags of a provider are asked and known."""
        self.books = Books(loop, slab)
        """What was counted of rollouts and is not stored yet."""
        self._malformed: dict[str, int] = {}
        self._connections_cell = slab.gauge("stepdown_client_connections", ())
        self._active_cell = slab.gauge("stepdown_active_requests", ())
        empty = specification.SnapshotSpec(models=(), routes=())
        self.runtime = Runtime(empty, "", slab, self.clock, {})
        self._most_clients = empty.max_client_connections
        self.clock.each_tick(self._sweep)
        if handoff is not None:
            self.clock.each_tick(handoff.tick)
        self.clock.start()

    # --- snapshots --------------------------------------------------------------------------------------------------

    def prepare(self, encoded: bytes) -> str:
        """Compile an encoded specification; returns its digest. Raises `ConfigError`, and changes nothing."""
        digest = specification.digest(encoded)
        try:
            spec = specification.decode(encoded)
            self._prepared = Runtime(
                spec,
                digest,
                self.slab,
                self.clock,
                self.runtime.pools,
                handoff=self._handoff,
                lists=self.lists,
                desk=self.desk,
                books=self.books,
            )
        except ConfigError:
            raise
        except (msgspec.MsgspecError, AdaptersError, ValueError, LookupError) as error:
            raise ConfigError(f"The snapshot {digest} cannot be compiled: {error}") from error
        return digest

    def activate(self, digest: str) -> None:
        """Use what was prepared under this digest from the next request on."""
        prepared, before = self._prepared, self.runtime
        if prepared is None or prepared.digest != digest:
            raise ConfigError(f"The snapshot {digest} was not prepared")
        self._prepared = None
        spec = prepared.spec
        now = self.clock.now
        for version_pool in prepared.groups():
            version_pool.adopt(now)
        self.runtime = prepared
        self.keep_alive = spec.client_timeouts.keep_alive or NEVER
        self.budget.share, self.budget.minimum = spec.retry_budget, spec.retry_minimum
        self._most_clients = max(1, spec.max_client_connections // self._workers)
        for key, pool in before.pools.items():
            if key not in prepared.pools:
                pool.retire()

    def set_health(self, states: Mapping[str, bool]) -> None:
        """Take what active probes say, by `model/version/endpoint-id`."""
        for pool in self.runtime.pools.values():
            pool.probed = states.get(pool.key, pool.probed)
        now = self.clock.now
        for version_pool in self.runtime.groups():
            version_pool.refresh(now)

    # --- connections ------------------------------------------------------------------------------------------------

    async def listen(self, sock: socket.socket) -> None:
        """Accept connections on a bound socket."""
        bound_turn(sock)
        server = await self.loop.create_server(lambda: ClientConnection(self), sock=sock, backlog=BACKLOG)
        self._servers.append(server)

    def joined(self, client: ClientConnection) -> bool:
        """A client has connected; false where there is no room for it."""
        if len(self.clients) >= self._most_clients:
            return False
        self.clients.add(client)
        self.slab.cells[self._connections_cell] = len(self.clients)
        return True

    def left(self, client: ClientConnection) -> None:
        """A client's connection has ended."""
        self.clients.discard(client)
        if self._empty is not None and not self.clients:
            self._empty.set()
        self.slab.cells[self._connections_cell] = len(self.clients)

    def count_malformed(self, error: StepdownError) -> None:
        """Count bytes that were no request."""
        cell = self._malformed.get(error.problem)
        if cell is None:
            cell = self.slab.counter("stepdown_malformed_requests_total", (error.problem,))
            self._malformed[error.problem] = cell
        self.slab.cells[cell] += 1

    def _sweep(self, now: float) -> None:
        self.outbox.flush()
        for client in [client for client in self.clients if client.overdue(now)]:
            client.on_deadline()
        for pool in self.runtime.pools.values():
            pool.sweep(now)
        for version_pool in self.runtime.groups():
            version_pool.refresh(now)
        self.slab.cells[self._active_cell] = self.active
        if self.access is not None:
            self.access.flush()
        if self.decisions is not None:
            self.decisions.flush()

    # --- for people and for the end ---------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What this worker is doing, as plain data."""
        now = self.clock.now
        return {
            "digest": self.runtime.digest,
            "draining": self.draining,
            "connections": len(self.clients),
            "active": self.active,
            "endpoints": {
                pool.key: {
                    "ready": pool.usable(now),
                    "probed": pool.probed,
                    "ejected_for": max(0.0, pool.ejection.until - now),
                    "pending": pool.pending,
                    "waiting": len(pool.waiting),
                    "open": pool.open,
                    "idle": len(pool.idle),
                }
                for pool in self.runtime.pools.values()
            },
        }

    async def drain(self, grace: float) -> None:
        """Accept nothing, finish what runs within `grace` seconds, then cut the rest."""
        self.draining = True
        for server in self._servers:
            server.close()
        for client in list(self.clients):
            client.drain()
        if self.clients:
            self._empty = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace)
        for client in list(self.clients):
            client.transport.abort()
        if not await self.books.settle(LAST_EVIDENCE_SECONDS):
            waiting = sum(book.waiting for book in self.books)
            logger.warning("what was counted last of rollouts is not stored", extra=fields(sightings=waiting))
        self.books.close()
        for pool in self.runtime.pools.values():
            pool.retire()
        self.offload.close()
        self.clock.stop()
        self._sweep(self.clock.now)
        if self._handoff is not None:
            self._handoff.tick(self.clock.now)
