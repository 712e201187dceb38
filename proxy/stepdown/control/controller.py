"""The controller: puts the configuration file in force on every worker, watches it, and has endpoints probed.

A file is put in force in this order, each step only when the one before it succeeded everywhere:

1. load      the file is read and checked; every finding is kept for those who ask
2. prepare   every worker compiles the specification and keeps serving with the one before
3. keep      the parent holds it, so that a worker which starts from now on starts with it
4. activate  every worker serves with it, from its next request on

When one of the first two fails, nothing has changed anywhere. When this process dies between any two steps, its
successor reads the file again and brings everybody to one state.

What was switched by hand is an overlay over the file (`decide.colours`), and goes the same way without step 1. Step 3
keeps it too, so that a successor knows it; where the file names a place for it on disk, it is written there just
before. Of an overlay on disk and one that was kept, the later one counts: so a switch that had got as far as the disk
is finished by the successor, and one that had not was never made. The shadow of a warm-up (`control.warming`) goes that
way as well, but lies in no overlay: reading the file again is enough for it to be gone. Where rollouts stand is kept in
a store of their own (`control.rollouts`), and lies over the file in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from stepdown import tasks
from stepdown.config import Loaded, ProcessSettings, ProviderSettings, RefusedError, StoreSettings, Token, load
from stepdown.config.overlay import OverlayError, read_overlay, write_overlay
from stepdown.config.watch import watch
from stepdown.config.watched import NOTHING, Watched
from stepdown.control import admin, status
from stepdown.control.flag_provider import FlagProvider
from stepdown.control.probes import Prober
from stepdown.control.refusals import Applied
from stepdown.control.reports import Reports
from stepdown.control.rollouts.loop import Loop
from stepdown.control.rollouts.measurer import SourceMeasurer
from stepdown.control.serving import serve
from stepdown.control.state import ComparerView, HealthView, ReloadView, WorkerView
from stepdown.control.switching import Caller, Report, Switches, UnderWay
from stepdown.control.warming import Change
from stepdown.control.wishes import Wish
from stepdown.decide import checks
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay, kept, overlaid
from stepdown.decide.inputs import lists_of
from stepdown.decide.spec import SnapshotSpec, decode, digest, encode
from stepdown.decide.warming import cooled
from stepdown.telemetry.board import Board
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

    def flags_changed(self) -> None:
        """Tell each that what it was told of flags may be wrong by now."""

    async def status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of each that answers in time."""


class Parent(Protocol):
    """The process that outlives this one (`process.controller`)."""

    @property
    def comparer(self) -> ComparerView | None:
        """The comparer, if there is to be one."""

    def share(self, tables: Mapping[str, int]) -> None:
        """Hold these lists of ids, descriptors by digest, and give them to every worker."""

    def keep(
        self,
        encoded: bytes,
        remembered: bytes,
        *,
        drain_delay: float,
        drain_grace: float,
        compares: bool,
        lists: Collection[str],
    ) -> None:
        """Hold what is in force for the processes that start from now on; run a comparer if it has work.

        `lists` are the digests of the lists of ids that are in force; the others are let go.
        """

    def begin_anew(self, route: str, shadow: str, wish: str) -> None:
        """Have the comparer begin the report of a shadow anew."""

    def leave(self) -> None:
        """Take the sidecar out, as SIGTERM does."""


class Remembered(msgspec.Struct, frozen=True):
    """What the parent keeps for the next controller besides the specification."""

    tokens: tuple[Token, ...]
    overlay: Overlay
    provider: ProviderSettings | None = None
    store: StoreSettings | None = None


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
        board: Board | None = None,
    ) -> None:
        """`encoded` is in force; `remembered` is what the controller before this one asked the parent to keep."""
        # Process.
        self._file = file
        self._environ = environ
        self._started_with = started_with
        self._workers = workers
        self._parent = parent
        self.slabs = slabs
        self.reports = Reports(board, parent.begin_anew, slabs)
        self._prober = Prober(self._tell_health)
        self.provider = FlagProvider(self._workers.flags_changed)
        """Who is asked for flags."""
        self._reloading = asyncio.Lock()
        self.draining = False
        # The configuration in force.
        self.spec: SnapshotSpec = decode(encoded)
        self.digest = digest(encoded)
        self._left_over = cooled(self.spec) is not self.spec
        """The controller before this one ended in the middle of a warm-up."""
        self.tokens: tuple[Token, ...] = ()
        self.overlay = NOTHING_SWITCHED
        store: StoreSettings | None = None
        if remembered is not None:
            kept_before = msgspec.json.decode(remembered, type=Remembered)
            self.tokens, self.overlay = kept_before.tokens, kept_before.overlay
            self.provider.use(kept_before.provider)
            store = kept_before.store
        self.overlay_saved: bool | None = None
        """Whether the overlay in force is on disk; `None` where it has no place there."""
        self._loaded: Loaded | None = None
        self.switches = Switches(self, self._prober)
        self.rollouts = Loop(self, slabs, measurer=SourceMeasurer())
        """What is known of rollouts, and who drives them."""
        self.rollouts.use(self.spec, store)
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
        await self._cool()
        tasks.start(self.rollouts.run(), name="drive rollouts")
        while True:
            async for _changed in watch(self._watched):
                await self.reload()

    # --- for those who ask (control.state.ControllerState) ------------------------------------------------------------

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Why the sidecar should get no traffic."""
        reasons = ["the sidecar is being drained"] if self.draining else []
        reasons += [f"worker {view.index} is not serving" for view in self.workers if not view.alive]
        reasons += [] if self.rollouts.settled else ["the state of rollouts is not known yet"]
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
    def admin_hosts(self) -> tuple[str, ...]:
        """Of the file that was accepted last."""
        return self._loaded.process.admin_hosts if self._loaded is not None else ()

    @property
    def flags_ok(self) -> bool | None:
        """Of the file that was accepted last."""
        return self._loaded.flags_ok if self._loaded is not None else None

    @property
    def provider_ok(self) -> bool | None:
        """Of the provider that is asked for flags."""
        return self.provider.ok

    @property
    def question_counts(self) -> Mapping[str, int]:
        """Of questions to it, by result."""
        return self.provider.counts

    @property
    def health(self) -> Mapping[str, HealthView]:
        """What the probes say."""
        return self._prober.views()

    async def worker_status(self) -> list[dict[str, Any]]:
        """Of every worker that answers."""
        return await self._workers.status()

    @property
    def switch_counts(self) -> Mapping[tuple[str, str], int]:
        """By place and result."""
        return self.switches.counts

    @property
    def under_way(self) -> Mapping[str, UnderWay]:
        """By place."""
        return self.switches.under_way

    async def switch(self, wish: Wish, caller: Caller) -> Report:
        """Switch to a colour (`control.switching`)."""
        return await self.switches.switch(wish, caller)

    async def drain(self) -> None:
        """Ask the parent to take the sidecar out."""
        self._parent.leave()

    def note_draining(self) -> None:
        """The parent takes the sidecar out: say "not ready" from now on, and let another replica drive rollouts."""
        self.draining = True
        tasks.start(self.rollouts.leave(), name="give rollouts up")

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
        overlay, warnings = await self._overlay_over(loaded)
        spec = self.rollouts.over(overlaid(loaded.spec, overlay))
        refusals, changed, unsaved = await self._put_in_force(spec, overlay, loaded)
        if refusals:
            return self._refused(refusals)
        before = self._accept(spec, overlay, changed)
        return self._accepted(loaded, before, [*warnings, *unsaved], changed)

    async def _put_in_force(
        self, spec: SnapshotSpec, overlay: Overlay, loaded: Loaded | None
    ) -> tuple[list[str], bool, list[str]]:
        """Steps 2 to 4; why workers refuse, whether anything changed for them, and what could not be written."""
        encoded = encode(spec)
        changed = digest(encoded) != self.digest
        tables = {one.digest: one for one in loaded.lists.values() if one.is_held} if loaded is not None else {}
        if tables:
            self._parent.share({name: one.fd for name, one in tables.items()})
        if changed and (refusals := await self._workers.prepare(encoded)):
            return refusals, changed, []
        unsaved = await self._save(overlay, loaded)
        tokens, process = (loaded.tokens, loaded.process) if loaded else (self.tokens, self._started_with)
        self._parent.keep(
            encoded,
            msgspec.json.encode(self._to_remember(tokens, overlay, loaded)),
            drain_delay=process.drain_delay,
            drain_grace=process.drain_grace,
            compares=checks.wanted(spec),
            lists=tuple(lists_of(spec)),
        )
        for table in tables.values():
            table.release()  # the parent holds it now
        if changed:
            await self._workers.activate()
        return [], changed, unsaved

    def _to_remember(self, tokens: tuple[Token, ...], overlay: Overlay, loaded: Loaded | None) -> Remembered:
        provider = loaded.provider if loaded is not None else self.provider.settings
        store = self.rollouts.settings or (loaded.store if loaded is not None else None)
        return Remembered(tokens, overlay, provider, store)

    def _accept(self, spec: SnapshotSpec, overlay: Overlay, changed: bool) -> SnapshotSpec:
        """What is in force now, known to everybody who asks; the specification that was before."""
        before, self.spec, self.digest, self.overlay = self.spec, spec, digest(encode(spec)), overlay
        if changed:
            self._prober.watch(spec)
        return before

    def _accepted(self, loaded: Loaded, before: SnapshotSpec, warnings: list[str], changed: bool) -> ReloadView:
        findings = [str(warning) for warning in loaded.warnings] + warnings + self._not_yet(loaded)
        findings += self.rollouts.use(loaded.spec, loaded.store)
        self._loaded, self.tokens = loaded, loaded.tokens
        self.provider.use(loaded.provider)
        for finding in findings:
            logger.warning("configuration: %s", finding)
        if loaded.spec.log != before.log:
            configure("controller", loaded.spec.log.format, loaded.spec.log.level)
        logger.info("configuration is in force", extra=fields(digest=self.digest, changed=changed))
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

    # --- what is switched by hand -------------------------------------------------------------------------------------

    async def change(self, change: Change) -> Applied:
        """Put what `change` makes of specification and overlay in force, after whatever reload is under way."""
        async with self._reloading:
            spec, overlay = change(self.spec, self.overlay)
            spec = overlaid(spec, overlay)
            began = time.monotonic()
            refusals, changed, unsaved = await self._put_in_force(spec, overlay, self._loaded)
            if refusals:
                return Applied(refusals=refusals)
            self._accept(spec, overlay, changed)
            return Applied(seconds=time.monotonic() - began, warnings=unsaved)

    async def _cool(self) -> None:
        """Take out what a warm-up of the controller before this one has left, where the file could not do it."""
        if self._left_over and cooled(self.spec) is not self.spec:
            await self.change(lambda spec, overlay: (cooled(spec), overlay))

    async def _overlay_over(self, loaded: Loaded) -> tuple[Overlay, list[str]]:
        """What was switched by hand and holds over this file, and sentences about what does not."""
        overlay, warnings = self.overlay, []
        if loaded.overlay is not None and (self._loaded is None or self._loaded.overlay != loaded.overlay):
            try:
                on_disk = await asyncio.to_thread(read_overlay, loaded.overlay)
            except OverlayError as error:
                warnings.append(str(error))
            else:
                overlay = max(overlay, on_disk, key=lambda one: one.revision)
        overlay, dropped = kept(overlay, loaded.spec)
        warnings += [
            f"the switch of {one.place} to {one.switched.colour} by {one.switched.by} holds no more: {one.why}"
            for one in dropped
        ]
        return overlay, warnings

    async def _save(self, overlay: Overlay, loaded: Loaded | None) -> list[str]:
        """Write the overlay where it has a place on disk and is not there yet; why it could not be, in a sentence.

        A disk that is full must keep nobody from switching back: that goes on without it, and a gauge says so.
        """
        path = loaded.overlay if loaded is not None else None
        if path is None:
            self.overlay_saved = None
            return []
        moved = self._loaded is None or self._loaded.overlay != path
        if self.overlay_saved and not moved and overlay == self.overlay:
            return []
        try:
            if overlay.revision:
                await asyncio.to_thread(write_overlay, path, overlay)
            else:
                await asyncio.to_thread(read_overlay, path)
        except OverlayError as error:
            self.overlay_saved = False
            return [f"{error}; what was switched by hand would be lost by a stop of the sidecar"]
        self.overlay_saved = True
        return []

    # --- health -------------------------------------------------------------------------------------------------------

    def _tell_health(self) -> None:
        self._workers.set_health(self._prober.states())
