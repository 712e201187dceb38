"""Copies sent by a comparer's own code, in this process, to scripted servers: what a test of legs and limits needs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from stepdown.comparer.limits import Budget
from stepdown.comparer.pairing import Pair, Table
from stepdown.comparer.reports import Clocks, Reports
from stepdown.comparer.shadow_tally import ShadowTally
from stepdown.comparer.shadows import Shadows
from stepdown.decide import spec
from stepdown.decide.copies import Answer, Copy
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import digest, encode
from stepdown.telemetry.slab import Slab
from tests.kit import specs
from tests.kit.clock import FakeClock
from tests.kit.counts import counted
from tests.kit.looping import LoopThread, eventually
from tests.kit.upstream import Script, Upstream, serve

BODY = b'{"x": 1}'
SCORED = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"score": 0.5}'
HEAD = b"POST /predict?a=1 HTTP/1.1\r\nHost: model.example\r\nContent-Type: application/json\r\n"
ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def post(*lines: bytes, size: int | None = len(BODY)) -> bytes:
    """The head of a request; `size` is what it says of its body's length."""
    length = [] if size is None else [b"Content-Length: %d" % size]
    return HEAD + b"".join(line + b"\r\n" for line in (*lines, *length)) + b"\r\n"


def a_copy(**changes: Any) -> Copy:
    """A request to `r` that its first shadow gets a copy of."""
    options: dict[str, Any] = {
        "id": 1,
        "digest": "",
        "route": "r",
        "rule": "all",
        "pinned": "1.0.0",
        "assigned": "1.0.0",
        "served": "1.0.0",
        "reason": "split",
        "shadows": (0,),
        "recorded": False,
        "at": 0.0,
        "client": "192.0.2.7",
        "key": "",
        "params": (),
        "head": post(),
    }
    return Copy(**options | changes)


def an_answer(**changes: Any) -> Answer:
    """What 1.0.0 answered to it."""
    options: dict[str, Any] = {
        "id": 1,
        "served": "1.0.0",
        "outcome": "none",
        "status": 200,
        "error": "",
        "elapsed": 2_000_000,
        "upstream": 1_000_000,
        "missing": "",
        "head": ANSWERED,
    }
    return Answer(**options | changes)


def shadowed(*shadows: Shadow, served: int, ports: Sequence[int], **options: Any) -> spec.SnapshotSpec:
    """1.0.0 is served on a port, 2.0.0 has the shadows' servers and an adapter to it, which does nothing or `step`."""
    route_options, snapshot_options = options.pop("route_options", {}), options.pop("snapshot_options", {})
    new = options.pop("new", None) or specs.version("2.0.0", *ports)
    step = spec.Step(source="2.0.0", target="1.0.0", **options.pop("step", {}))
    options.setdefault("chains", (spec.Chain(served="2.0.0", pinned="1.0.0", steps=(step,)),))
    model = specs.model(specs.version("1.0.0", served), new, **options)
    return specs.snapshot(
        specs.route({"1.0.0": 100}, shadows=shadows, **route_options), models=[model], **snapshot_options
    )


class Scene:
    """Shadows on a loop of their own; time passes only by `clock`."""

    def __init__(self, thread: LoopThread, specification: spec.SnapshotSpec, **options: Any) -> None:
        self._thread = thread
        self.clock = FakeClock(thread)
        self.slab = Slab.create()
        self.pairs: list[Pair] = []
        """All that were handed out, in order."""
        self.fails = False
        """Whether what compares them raises instead."""
        self._id = 0
        encoded = encode(specification)
        self.digest = digest(encoded)
        self.shadows: Shadows = thread.run(lambda: self._made(encoded, options))

    def _made(self, encoded: bytes, options: dict[str, Any]) -> Shadows:
        tally = ShadowTally(self.slab, lambda: self.clock.seconds)
        reports = Reports(tally, None, Clocks(lambda: self.clock.seconds, lambda: 1e9, lambda: 0.5))

        def consume(pair: Pair) -> None:
            self.pairs.append(pair)
            if self.fails:
                raise ValueError("it fails")
            reports(pair)

        clock = self.clock.coarse(asyncio.get_running_loop())
        made = Shadows(clock, self.slab, tally, consume, read=lambda: self.clock.seconds, **options)
        reports.adopt(made.adopt(*specs.named(encoded)))
        return made

    def close(self) -> None:
        """Give up what is on its way."""
        self._thread.run(self.shadows.close)
        self.slab.close()
        os.close(self.slab.fd)

    def copy(self, body: bytes = BODY, head: bytes | None = None, *, shadows: Sequence[int] = (0,), **more: Any) -> int:
        """A copy arrives; its id."""
        self._id += 1
        sent = post(size=len(body)) if head is None else head
        about = a_copy(**{"id": self._id, "digest": self.digest, "shadows": tuple(shadows), "head": sent} | more)
        self._thread.run(lambda: self.shadows.copied(0, about, body))
        return self._id

    def answer(self, id: int, body: bytes = b'{"score": 0.5}', head: bytes = ANSWERED, **more: Any) -> None:
        """What was answered to the request arrives."""
        about = an_answer(**{"id": id, "head": head} | more)
        self._thread.run(lambda: self.shadows.answered(0, about, body))

    def held_up(self, seconds: float) -> None:
        """Something stops the loop for so long, and a sweep is the first thing that it gets to."""
        self.clock.advance(seconds)

    def wait(self, seconds: float) -> None:
        """So much time passes, and the loop ticks."""
        self.clock.advance(seconds)
        self.clock.advance(0)

    def counts(self, what: str) -> dict[tuple[str, ...], int]:
        """Of `stepdown_shadow_<what>_total`, by shadow and last label."""
        return {labels[1:]: times for labels, times in counted(self.slab, f"stepdown_shadow_{what}_total").items()}

    def until(self, what: str, expected: dict[tuple[str, ...], int]) -> None:
        """Wait until it has counted so."""
        assert eventually(lambda: self.counts(what) == expected), self.counts(what)

    def nothing_held(self) -> None:
        """Wait until every copy is over and all memory was given back."""
        assert eventually(lambda: not self.shadows.flying and not len(self.shadows.table))
        assert self.shadows.budget.held == 0


Servers = Callable[..., "Staged"]


class Staged:
    """A scene with its servers."""

    def __init__(self, scene: Scene, served: Upstream, shadows: list[Upstream]) -> None:
        self.scene = scene
        self.served = served
        self.upstreams = shadows

    @property
    def upstream(self) -> Upstream:
        """The first server of the shadow's version."""
        return self.upstreams[0]


@contextmanager
def staged(
    script: Script | None = None,
    *shadows: Shadow,
    endpoints: int = 1,
    build: Callable[..., spec.SnapshotSpec] = shadowed,
    budget: Budget | None = None,
    table: Table | None = None,
    **options: Any,
) -> Iterator[Staged]:
    """Servers of the shadow's version that play `script`, a served one, and copies that may be sent to them."""
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        served = stack.enter_context(Upstream(thread, serve(SCORED)))
        servers = [stack.enter_context(Upstream(thread, script or serve(SCORED))) for _ in range(endpoints)]
        chosen = shadows or (Shadow(name="s", version="2.0.0"),)
        specification = build(*chosen, served=served.port, ports=[server.port for server in servers], **options)
        scene = Scene(thread, specification, budget=budget, table=table)
        stack.callback(scene.close)
        yield Staged(scene, served, servers)
        for server in (served, *servers):
            assert not server.failures, server.failures
