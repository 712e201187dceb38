"""What the controller knows, as the status and admin servers may see it: values to read, and what can be asked of it.

The controller (`control.controller`) is the only writer. It serves `status.application(state)` on the status socket and
`admin.application(state)` on the admin socket, each an `aiohttp.web.Application`. Every view is a frozen value made
when it is read, so a handler may keep one across an `await`. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from stepdown.decide.colours import Overlay
from stepdown.decide.spec import SnapshotSpec
from stepdown.telemetry.slab import SlabReader

if TYPE_CHECKING:  # for its annotation only: the controller reads this module before it has time for pydantic
    from stepdown.config import Token
    from stepdown.control.reports import Reports
    from stepdown.control.rollouts.asking import Rollouts
    from stepdown.control.switching import Caller, Report, UnderWay
    from stepdown.control.wishes import Wish


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker process, numbered from 0; the number outlives the process."""

    index: int
    pid: int
    """0 while it is being replaced."""
    alive: bool
    """The process runs and its link to the controller is up."""
    digest: str
    """Of the snapshot it serves with; empty until it has said so."""
    restarts: int


@dataclass(frozen=True, slots=True)
class ComparerView:
    """The comparer process, where the configuration has work for it."""

    pid: int
    """0 while it is being replaced."""
    alive: bool
    """It runs, and has begun to work."""
    restarts: int


@dataclass(frozen=True, slots=True)
class ReloadView:
    """The last time the configuration file was read."""

    ok: bool
    when: float
    findings: tuple[str, ...] = ()
    """Why it was refused, one sentence each; where `ok`, warnings."""


@dataclass(frozen=True, slots=True)
class HealthView:
    """What the active probes say of one endpoint."""

    state: Literal["unknown", "up", "down"]
    since: float
    reason: str
    """One sentence: what the last probe that mattered saw."""

    @property
    def ready(self) -> bool:
        """Whether requests may be sent; an endpoint of which nothing is known yet may be tried."""
        return self.state != "down"


class ControllerState(Protocol):
    """Read-only view of the controller, and what can be asked of it."""

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Why the sidecar should get no traffic, one sentence each; empty when it is ready."""

    @property
    def ready(self) -> bool:
        """Whether `not_ready` is empty."""

    @property
    def draining(self) -> bool:
        """Whether the sidecar is on its way out."""

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """All workers in the order of their numbers."""

    @property
    def comparer(self) -> ComparerView | None:
        """`None` where the configuration has nothing for it."""

    @property
    def spec(self) -> SnapshotSpec:
        """The specification that is in force."""

    @property
    def digest(self) -> str:
        """Its name (`decide.spec.digest`)."""

    @property
    def last_reload(self) -> ReloadView:
        """How reading the file went last time; `ok` is the gauge `stepdown_config_reload_ok`."""

    @property
    def health(self) -> Mapping[str, HealthView]:
        """By `model/version/endpoint-id`; only endpoints that are probed."""

    @property
    def reports(self) -> Reports:
        """What shadows' answers are like."""

    @property
    def rollouts(self) -> Rollouts:
        """What is known of rollouts, and what may be asked of them."""

    @property
    def slabs(self) -> Sequence[SlabReader]:
        """Counters of every worker and of the comparer, also of those that are being replaced."""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Who may call the admin API; those of the last file that was accepted."""

    @property
    def admin_hosts(self) -> tuple[str, ...]:
        """Names under which the admin API may be called, besides its address; those of the last file accepted."""

    async def worker_status(self) -> list[dict[str, Any]]:
        """`Plane.status()` of each worker that answers within a second, with its `index`."""

    async def reload(self) -> ReloadView:
        """Read the file again and put it in force everywhere, or nowhere; never raises for a bad file."""

    @property
    def overlay(self) -> Overlay:
        """What was switched by hand and lies over the file."""

    @property
    def flags_ok(self) -> bool | None:
        """Whether the flag file was good when it was last read; `None` where there is none."""

    @property
    def provider_ok(self) -> bool | None:
        """Whether the provider of flags has started and answers; `None` where there is none."""

    @property
    def question_counts(self) -> Mapping[str, int]:
        """Questions to it, by result (`answered`, `failed`, `late`, `refused`)."""

    @property
    def overlay_saved(self) -> bool | None:
        """Whether that is on disk; `None` where the file names no place for it."""

    @property
    def switch_counts(self) -> Mapping[tuple[str, str], int]:
        """Switches by place and result (`done`, `forced`, `refused`)."""

    @property
    def under_way(self) -> Mapping[str, UnderWay]:
        """Switches that are not over, by place."""

    async def switch(self, wish: Wish, caller: Caller) -> Report:
        """Switch to a colour. Raises `refusals.SwitchRefusedError`, and then nothing has changed."""

    async def drain(self) -> None:
        """Take the whole sidecar out as SIGTERM does; returns at once."""
