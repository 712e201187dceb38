"""A client's view of the world in one line: scripted upstreams, and a real sidecar in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from stepdown.decide.spec import SnapshotSpec
from tests.kit import specs
from tests.kit.client import Client, Response
from tests.kit.clock import FakeClock
from tests.kit.looping import LoopThread
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import OK, Script, Upstream, serve


@dataclass
class World:
    """What a test works with."""

    thread: LoopThread
    upstreams: list[Upstream]
    sidecar: Sidecar
    clock: FakeClock

    @property
    def upstream(self) -> Upstream:
        """The first upstream."""
        return self.upstreams[0]

    def client(self, *, receive_buffer: int = 0) -> Client:
        """A new connection to the sidecar."""
        return Client(self.sidecar.port, receive_buffer=receive_buffer)

    def ask(self, request: bytes, method: str = "GET") -> Response:
        """One request on a connection of its own."""
        with self.client() as client:
            client.send(request)
            return client.response(method)


@contextmanager
def world(
    script: Script | None = None,
    *,
    spec: Callable[..., SnapshotSpec] = specs.plain,
    upstreams: int = 1,
    frozen: bool = False,
) -> Iterator[World]:
    """Upstreams that all play `script`, and a sidecar with `spec(port, ...)`; `frozen`: time passes only by `clock`."""
    with ExitStack() as stack:
        thread = stack.enter_context(LoopThread())
        servers = [stack.enter_context(Upstream(thread, script or serve(OK))) for _ in range(upstreams)]
        clock = FakeClock(thread)
        chosen = spec(*(server.port for server in servers))
        sidecar = stack.enter_context(Sidecar(thread, chosen, clock=clock if frozen else None))
        yield World(thread, servers, sidecar, clock)
        for server in servers:
            assert not server.failures, server.failures
