"""What is measured of Stepdown alone: cold start, and memory when idle, under large bodies and many connections."""

from __future__ import annotations

import contextlib
import resource
import socket
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import bodies, payload
from bench.peers import LOAD_CORE, Peer, Upstream, proxy
from bench.processes import free_port, running

GIBIBYTE = 1 << 30
IDLE_CONNECTIONS = 10_000
WORKER = "stepdown.process.worker"
"""What a worker's command line holds."""


@dataclass(frozen=True)
class Memories:
    """MiB (proportional set size)."""

    worker: float
    sidecar: float
    body_asked: float
    """The most that a request's body of one GiB added."""
    body_answered: float
    connections: float
    """What 10,000 idle connections added, each after one request."""


def cold_start(peer: Peer, behind: Upstream, times: int) -> float:
    """Median seconds from the command to the end of the first good answer."""
    return statistics.median(_first_answer(peer, behind) for _ in range(times))


def _first_answer(peer: Peer, behind: Upstream) -> float:
    start = time.perf_counter()
    with proxy(peer, behind):
        return time.perf_counter() - start


def memories(peer: Peer, behind: Upstream) -> Memories:
    """All memory rows, each of a sidecar just started."""
    with proxy(peer, behind) as (program, _port):
        program.wait_until_idle()
        worker, sidecar = program.memory(of=WORKER), program.memory()
    large = free_port()
    server = [sys.executable, "-m", "bench.bodies", str(large)]
    with running(server, port=large, core=LOAD_CORE, output=behind.folder / "bodies.log"):
        sink = Upstream(large, large, behind.folder)
        asked = _added_by_body(peer, sink, ask=GIBIBYTE, answer=2)
        answered = _added_by_body(peer, sink, ask=2, answer=GIBIBYTE)
    return Memories(worker, sidecar, asked, answered, _added_by_connections(peer, behind))


def _added_by_body(peer: Peer, behind: Upstream, *, ask: int, answer: int) -> float:
    with proxy(peer, behind) as (program, port):
        program.wait_until_idle()
        before = program.memory()
        most = before
        with ThreadPoolExecutor(1) as client:
            exchange = client.submit(bodies.exchange, port, ask=ask, answer=answer)
            while not exchange.done():
                most = max(most, program.memory())
                time.sleep(0.05)
            exchange.result()
        return most - before


def _added_by_connections(peer: Peer, behind: Upstream) -> float:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the sidecar inherits it
    with proxy(peer, behind) as (program, port), contextlib.ExitStack() as open_connections:
        program.wait_until_idle()
        before = program.memory()
        for _ in range(IDLE_CONNECTIONS):
            connection = open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
            bodies.exchange_on(connection, ask=len(payload.REQUEST), answer=0)
        program.wait_until_idle()
        return program.memory() - before
