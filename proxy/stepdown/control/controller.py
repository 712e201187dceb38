"""The controller: puts the configuration file in force on every worker, watches it, and has endpoints probed.

A file is put in force in this order, each step only when the one before it succeeded everywhere:

1. load      the file is read and checked; every finding is kept for those who ask
2. prepare   every worker compiles the specification and keeps serving with the one before
3. keep      the parent holds it, so that a worker which starts from now on starts with it
4. activate  every worker serves with it, from its next request on

When one of the first two fails, nothing has changed anywhere. When this process dies between any two steps, its
successor reads the file again and brings everybody to one state.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from stepdown.config import Loaded, ProcessSettings, RefusedError, Token, load
from stepdown.config.watch import watch
from stepdown.config.watched import NOTHING, Watched
from stepdown.control import admin, status
from stepdown.control.probes import Prober
from stepdown.control.serving import serve
from stepdown.control.state import ComparerView, HealthView, ReloadView, WorkerView
from stepdown.decide import checks
from stepdown.decide.spec import SnapshotSpec, decode, digest, encode
from stepdown.telemetry.log import configure, fields
from stepdown.telemetry.slab import SlabReader

logger = logging.getLogger(__name__)


class Workers(Protocol):
    """All worker processes (`process.fleet`)."""

    def views(self) -> tuple[WorkerView, ...]:
        """In the order of their numbers."""

    async def prepare(self, encoded: bytes) -> list[str]:
        """Let each compile it; why it cannot be, one sentence for each that refuses."""

    async def activate(self) -> None:
        """Let each serve with what was prepared last."""

    def set_health(self, states: Mapping[str, bool]) -> None:
        """Tell each, also those that start later, which endpoints may get requests."""

    async def status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of each that answers in time."""


class Parent(Protocol):
    """The process that outlives this one (`process.controller`)."""

    @property
    def comparer(self) -> ComparerView | None:
        """The comparer, if there is to be one."""

    def keep(
        self, encoded: bytes, remembered: bytes, *, drain_delay: float, drain_grace: float, compares: bool
    ) -> None:
        """Hold what is in force for the processes that start from now on; run a comparer if it has work."""

    def leave(self) -> None:
        """Take the sidecar out, as SIGTERM does."""


class Controller:
    """Satisfies `control.state.ControllerState`."""

    def __init__(
        self,
        *,
        file: Path,
        environ: Mapping[str, str],
        encoded: bytes,
        remembered: bytes | None,
        started_with: ProcessSettings,
        workers: Workers,
        parent: Parent,
        slabs: Sequence[SlabReader],
    ) -> None:
        """`encoded` is in force; `remembered` is what the controller before this one asked the parent to keep."""
        # Process.
        self._file = file
        self._environ = environ
        self._started_with = started_with
        self._workers = workers
        self._parent = parent
        self.slabs = slabs
        self._prober = Prober(self._tell_health)
        self._reloading = asyncio.Lock()
        self.draining = False
        # The configuration in force.
        self.spec: SnapshotSpec = decode(encoded)
        self.digest = digest(encoded)
        self.tokens: tuple[Token, ...] = ()
        if remembered is not None:
            self.tokens = msgspec.json.decode(remembered, type=tuple[Token, ...])
        self._loaded: Loaded | None = None
        # The file.
        self._watched: Watched = NOTHING
        self.last_reload = ReloadView(ok=True, when=time.time())

    async def run(self, status_socket: socket.socket | None, admin_socket: socket.socket | None) -> None:
        """Serve, watch and probe until cancelled."""
        if status_socket is not None:
            await serve(status.application(self), status_socket)
        if admin_socket is not None:
            name = self._started_with.admin[0] if self._started_with.admin else ""
            await serve(admin.application(self, [name]), admin_socket)
        self._prober.watch(self.spec)
        await self.reload()
        while True:
            async for _changed in watch(self._watched):
                await self.reload()

    # --- for those who ask (control.state.ControllerState) ------------------------------------------------------------

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Why the sidecar should get no traffic."""
        reasons = ["the sidecar is being drained"] if self.draining else []
        reasons += [f"worker {view.index} is not serving" for view in self.workers if not view.alive]
        return tuple(reasons)

    @property
    def ready(self) -> bool:
        """Whether there is no such reason."""
        return not self.not_ready

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """In the order of their numbers."""
        return self._workers.views()

    @property
    def comparer(self) -> ComparerView | None:
        """If there is to be one."""
        return self._parent.comparer

    @property
    def health(self) -> Mapping[str, HealthView]:
        """What the probes say."""
        return self._prober.views()

    async def worker_status(self) -> list[dict[str, Any]]:
        """Of every worker that answers."""
        return await self._workers.status()

    async def drain(self) -> None:
        """Ask the parent to take the sidecar out."""
        self._parent.leave()

    def note_draining(self) -> None:
        """The parent takes the sidecar out: say "not ready" from now on."""
        self.draining = True

    # --- the file -----------------------------------------------------------------------------------------------------

    async def reload(self) -> ReloadView:
        """Read the file and put it in force everywhere, or nowhere; one reload at a time."""
        async with self._reloading:
            self.last_reload = await self._reload()
            return self.last_reload

    async def _reload(self) -> ReloadView:
        try:
            loaded = await asyncio.to_thread(load, self._file, self._environ, self._loaded)
        except RefusedError as error:
            self._watched = error.watched
            return self._refused([str(finding) for finding in error.findings])
        except Exception as error:
            logger.exception("the configuration could not be read")
            return self._refused([f"{self._file}: {error!r}"])
        self._watched = loaded.watched
        encoded = encode(loaded.spec)
        changed = digest(encoded) != self.digest
        if changed and (refusals := await self._workers.prepare(encoded)):
            return self._refused(refusals)
        self._parent.keep(
            encoded,
            msgspec.json.encode(loaded.tokens),
            drain_delay=loaded.process.drain_delay,
            drain_grace=loaded.process.drain_grace,
            compares=checks.wanted(loaded.spec),
        )
        if changed:
            await self._workers.activate()
        return self._accepted(loaded, encoded, changed)

    def _accepted(self, loaded: Loaded, encoded: bytes, changed: bool) -> ReloadView:
        findings = [str(warning) for warning in loaded.warnings] + self._not_yet(loaded)
        before = self.spec
        self._loaded, self.spec, self.digest, self.tokens = loaded, loaded.spec, digest(encoded), loaded.tokens
        for finding in findings:
            logger.warning("configuration: %s", finding)
        if loaded.spec.log != before.log:
            configure("controller", loaded.spec.log.format, loaded.spec.log.level)
        logger.info("configuration is in force", extra=fields(digest=self.digest, changed=changed))
        if changed:
            self._prober.watch(self.spec)
        return ReloadView(ok=True, when=time.time(), findings=tuple(findings))

    def _refused(self, findings: list[str]) -> ReloadView:
        for finding in findings:
            logger.error("%s", finding)
        logger.error("configuration refused", extra=fields(findings=len(findings), digest_in_force=self.digest))
        return ReloadView(ok=False, when=time.time(), findings=tuple(findings))

    def _not_yet(self, loaded: Loaded) -> list[str]:
        """Settings of the process that differ from those it was started with."""
        started, wanted = self._started_with, loaded.process
        names = [
            name for name in ("listen", "status", "admin", "workers") if getattr(started, name) != getattr(wanted, name)
        ]
        return [f"{name} was changed, which takes effect when the sidecar is started again" for name in names]

    # --- health -------------------------------------------------------------------------------------------------------

    def _tell_health(self) -> None:
        self._workers.set_health(self._prober.states())
