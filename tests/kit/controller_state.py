"""A controller's state to set by hand, and its status or admin application served on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from msgspec.structs import replace

from stepdown.config import Token
from stepdown.control import serving
from stepdown.control.refusals import SwitchRefusedError
from stepdown.control.reports import Reports
from stepdown.control.rollouts.asking import Rollouts
from stepdown.control.state import ComparerView, HealthView, ReloadView, WorkerView
from stepdown.control.switching import Caller, Report, UnderWay
from stepdown.control.wishes import Wish
from stepdown.decide.colours import NOTHING_SWITCHED, Overlay
from stepdown.decide.spec import (
    Chain,
    Colours,
    Endpoint,
    Match,
    Model,
    Route,
    Rule,
    SnapshotSpec,
    Version,
    digest,
    encode,
)
from stepdown.telemetry.slab import Slab, SlabReader
from tests.kit.looping import LoopThread
from tests.kit.walked import Walked


def a_spec() -> SnapshotSpec:
    """Two models with a route each: `churn`, of which 1.0.0 is a shape only, and `fraud`."""

    def version(model: str, number: str) -> Version:
        return Version(id=number, endpoints=(Endpoint(id=f"http://{model}-{number}:80", host="a", port=80),))

    churn = Model(
        name="churn",
        default_version="1.0.0",
        latest="2.0.0",
        versions=(Version(id="1.0.0", deprecated=1796083200, sunset=1811808000), version("churn", "2.0.0")),
        chains=(Chain(served="2.0.0", pinned="1.0.0", steps=()),),
    )
    fraud = Model(name="fraud", default_version="1.0.0", latest="1.0.0", versions=(version("fraud", "1.0.0"),))
    routes = tuple(
        Route(name=model.name, match=Match(path=f"/{model.name}"), model=model.name, rules=(rule,))
        for model, rule in (
            (churn, Rule(name="everyone", split=(("2.0.0", 100),))),
            (fraud, Rule(name="everyone", split=(("1.0.0", 100),))),
        )
    )
    return SnapshotSpec(models=(churn, fraud), routes=routes)


def with_colours(active: str = "blue") -> SnapshotSpec:
    """The route `churn` switches between 2.0.0 (blue, which the file declares) and 3.0.0 (green)."""
    spec = a_spec()
    churn, fraud = spec.models
    third = Version(id="3.0.0", endpoints=(Endpoint(id="http://churn-3.0.0:80", host="a", port=80),))
    colours = Colours(names=("blue", "green"), active=active, declared="blue")
    split = (("2.0.0", int(active == "blue")), ("3.0.0", int(active == "green")))
    route, other = spec.routes
    return replace(
        spec,
        models=(replace(churn, versions=(*churn.versions, third)), fraud),
        routes=(replace(route, rules=(Rule(name="everyone", split=split, colours=colours),)), other),
    )


CHURN = "churn/2.0.0/http://churn-2.0.0:80"
FRAUD = "fraud/1.0.0/http://fraud-1.0.0:80"
DOWN = HealthView("down", 1.0, "connection refused")
UP = HealthView("up", 1.0, "200")


def a_token(name: str, role: Any, text: str) -> Token:
    """A token as the configuration holds it."""
    return Token(name=name, role=role, sha256=hashlib.sha256(text.encode()).digest())


@dataclass
class SetState:
    """Satisfies `control.state.ControllerState` with what a test has set."""

    spec: SnapshotSpec = field(default_factory=a_spec)
    not_ready: tuple[str, ...] = ()
    draining: bool = False
    workers: tuple[WorkerView, ...] = (WorkerView(index=0, pid=7, alive=True, digest="d", restarts=0),)
    comparer: ComparerView | None = None
    last_reload: ReloadView = field(default_factory=lambda: ReloadView(ok=True, when=1.7e9))
    health: Mapping[str, HealthView] = field(default_factory=dict)
    slabs: tuple[SlabReader, ...] = ()
    tokens: tuple[Token, ...] = ()
    admin_hosts: tuple[str, ...] = ()
    overlay: Overlay = NOTHING_SWITCHED
    overlay_saved: bool | None = None
    flags_ok: bool | None = None
    provider_ok: bool | None = None
    question_counts: Mapping[str, int] = field(default_factory=dict)
    switch_counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reports: Reports = field(default_factory=lambda: Reports(None, lambda *_wish: None))
    rollouts: Rollouts = field(default_factory=Walked)
    under_way: dict[str, UnderWay] = field(default_factory=dict)
    prolonged: float = 0.0
    """Seconds that switches say they take."""
    wishes: list[Wish] = field(default_factory=list)
    """Switches that were asked for."""
    refusal: SwitchRefusedError | None = None
    """How the next one ends, if it does not succeed."""
    patient: bool = False
    """Switches end when their callers have left."""
    next_reload: ReloadView = field(default_factory=lambda: ReloadView(ok=True, when=1.8e9))
    asked: list[str] = field(default_factory=list)
    """What was asked for: `reload`, `drain`."""

    @property
    def ready(self) -> bool:
        return not self.not_ready

    @property
    def digest(self) -> str:
        return digest(encode(self.spec))

    async def worker_status(self) -> list[dict[str, Any]]:
        return [{"index": worker.index, "connections": 3} for worker in self.workers if worker.alive]

    async def reload(self) -> ReloadView:
        self.asked.append("reload")
        self.last_reload = self.next_reload
        return self.next_reload

    async def switch(self, wish: Wish, caller: Caller) -> Report:
        self.wishes.append(wish)
        caller.prolong(self.prolonged)
        while self.patient and caller.still_wanted():
            await asyncio.sleep(0.005)
        if not caller.still_wanted():
            self.asked.append("left")
        if self.refusal is not None:
            raise self.refusal
        return Report(
            place=wish.place, before="blue", colour=wish.colour, changed=True, dry_run=wish.dry_run, forced=wish.force
        )

    async def drain(self) -> None:
        self.asked.append("drain")


@contextlib.contextmanager
def slabs(count: int) -> Iterator[tuple[Slab, ...]]:
    """Slabs that are given back at the end."""
    made = tuple(Slab.create(64 * 1024) for _ in range(count))
    try:
        yield made
    finally:
        for slab in made:
            slab.close()
            os.close(slab.fd)


@dataclass
class Answer:
    """One whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Server:
    """An application that listens on `port`."""

    thread: LoopThread
    port: int

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """One request by aiohttp's client."""

        async def work() -> Answer:
            async with (
                aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session,
                session.request(method, f"http://127.0.0.1:{self.port}{path}", **options) as response,
            ):
                return Answer(response.status, response.headers, await response.read())

        return self.thread.call(work())


@contextlib.contextmanager
def served(make: Callable[[], web.Application], **bounds: Any) -> Iterator[Server]:
    """Serve an application the way the controller does, on a loop of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    with LoopThread() as thread:

        async def start() -> web.AppRunner:
            return await serving.serve(make(), listening, **bounds)

        runner = thread.call(start())
        try:
            yield Server(thread, listening.getsockname()[1])
        finally:
            thread.call(runner.cleanup())
