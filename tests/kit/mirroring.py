"""A plane whose route is mirrored: scripted servers, one sidecar, and what it has handed over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from stepdown.decide.copies import ANSWER, Answer, Copy, parse_answer, parse_copy
from stepdown.decide.shadow_spec import Shadow
from stepdown.decide.spec import SnapshotSpec
from stepdown.plane.handoff import Handoff
from stepdown.telemetry.ring import DEFAULT_SIZE, RingReader, RingWriter
from tests.kit.client import Client, Response
from tests.kit.clock import FakeClock
from tests.kit.looping import LoopThread, eventually
from tests.kit.sidecar import Sidecar
from tests.kit.upstream import OK, Script, Upstream, serve

SKIPPED = "stepdown_shadow_skipped_total"
Record = tuple[Copy | Answer, bytes]


def shadow(name: str = "next", version: str = "9.0.0", **options: object) -> Shadow:
    """A shadow of a version that nobody else is served by."""
    return Shadow(**{"name": name, "version": version, **options})  # type: ignore[arg-type]


def in_chunks(body: bytes, step: int) -> bytes:
    """A body in chunks of `step` bytes, and their end."""
    pieces = [body[place : place + step] for place in range(0, len(body), step)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@dataclass
class Mirrored:
    """What a test works with."""

    upstreams: list[Upstream]
    sidecar: Sidecar
    handoff: Handoff
    reader: RingReader
    clock: FakeClock
    thread: LoopThread
    seen: list[Record] = field(default_factory=list)
    """All records so far, in order."""

    def client(self, *, receive_buffer: int = 0) -> Client:
        """A new connection to the sidecar."""
        return Client(self.sidecar.port, receive_buffer=receive_buffer)

    def ask(self, request: bytes, method: str = "POST") -> Response:
        """One request on a connection of its own."""
        with self.client() as client:
            client.send(request)
            return client.response(method)

    def records(self) -> list[Record]:
        """Read what waits in the ring; all records so far."""
        while (record := self.reader.take()) is not None:
            self.seen.append(parse_answer(record) if record[:1] == ANSWER else parse_copy(record))
        return self.seen

    def copies(self) -> list[tuple[Copy, bytes]]:
        """Copies of requests so far, each with its body."""
        return [(about, body) for about, body in self.records() if isinstance(about, Copy)]

    def answers(self) -> list[tuple[Answer, bytes]]:
        """Answers so far, each with its body."""
        return [(about, body) for about, body in self.records() if isinstance(about, Answer)]

    def pair(self) -> tuple[Copy, bytes, Answer, bytes]:
        """The only exchange's copy and answer, once both are there; that there is nothing else, and nothing is left."""
        assert eventually(lambda: len(self.records()) == 2), self.seen
        (about, body), (answer, answered) = self.seen
        assert isinstance(about, Copy)
        assert isinstance(answer, Answer)
        assert answer.id == about.id
        assert self.handoff.gathered == 0
        return about, body, answer, answered

    def skipped(self, reason: str, name: str = "next") -> float:
        """Copies that a shadow did not get."""
        return self.sidecar.metric(SKIPPED, route="r", shadow=name, reason=reason)


@contextmanager
def mirrored(
    script: Script | None = None,
    *,
    spec: Callable[..., SnapshotSpec],
    upstreams: int = 1,
    size: int = DEFAULT_SIZE,
    frozen: bool = False,
) -> Iterator[Mirrored]:
    """Servers that all play `script`, and a sidecar with `spec(port, ...)` that hands over into a ring of `size`.

    With `frozen`, time passes only by `clock`.
    """
    with ExitStack() as stack:
        ring = os.memfd_create("ring")
        stack.callback(os.close, ring)
        os.ftruncate(ring, size)
        writer, reader = RingWriter(ring, size), RingReader(ring, size)
        stack.callback(reader.close)
        stack.callback(writer.close)
        handoff = Handoff(writer, -1)
        thread = stack.enter_context(LoopThread())
        servers = [stack.enter_context(Upstream(thread, script or serve(OK))) for _ in range(upstreams)]
        chosen = spec(*(server.port for server in servers))
        clock = FakeClock(thread)
        sidecar = stack.enter_context(Sidecar(thread, chosen, handoff=handoff, clock=clock if frozen else None))
        yield Mirrored(servers, sidecar, handoff, reader, clock, thread)
        for server in servers:
            assert not server.failures, server.failures
