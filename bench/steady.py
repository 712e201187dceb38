"""Load at a given rate, and how long answers take: an open loop, run as a program of its own on the load's core.

Requests are due at times drawn beforehand (exponential gaps, fixed seed), whether or not earlier ones are answered. A
request's latency counts from when it was due, so a proxy that stalls pays for every request that had to wait, also for
those that found no free connection ("coordinated omission" is what hides this elsewhere). It sleeps between events, for
the model server shares its core; its own delay is some tens of microseconds, the same for every proxy.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import sys
import time
from pathlib import Path

from bench import payload

CONNECTIONS = 32
HIGHEST_STEADY_RATE = 15_000
"""Requests per second that it sends on time beside the model server; measured, at 20,000 its own delay shows."""
PATIENCE = 5.0
"""Seconds without any answer after which the run is given up."""


class OpenLoop:
    """One run against `port`; `run` gives latencies in seconds of the requests that were due after the warm-up."""

    def __init__(self, port: int, rate: float, seconds: float, warm_up: float) -> None:
        self._requests = _requests()
        self._warm_up = warm_up
        self._due = _arrivals(rate, warm_up + seconds)
        self._connections = {connection.fileno(): connection for connection in map(_connect, [port] * CONNECTIONS)}
        self._free = list(self._connections)
        self._asked: dict[int, float] = {}
        self._latencies: list[float] = []
        self._events = select.epoll()
        for number in self._connections:
            self._events.register(number, select.EPOLLIN)

    @property
    def requests(self) -> int:
        """How many are due, those of the warm-up too."""
        return len(self._due)

    def run(self) -> list[float]:
        """Ascending latencies."""
        Path("/proc/self/timerslack_ns").write_text("1")  # else every sleep is up to 50 microseconds too long
        gc.disable()
        self._start = time.perf_counter()
        following = 0
        while following < len(self._due) or self._asked:
            while following < len(self._due) and self._free and self._due[following] <= self._now():
                self._ask(self._free.pop(), following)
                following += 1
            self._wait(self._due[following] if self._free and following < len(self._due) else None)
        return sorted(self._latencies)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _ask(self, connection: int, number: int) -> None:
        self._connections[connection].send(self._requests[number % len(self._requests)])
        self._asked[connection] = self._due[number]

    def _wait(self, until: float | None) -> None:
        """Take the answers that are there, or arrive before `until`."""
        answers = self._events.poll(0)
        if not answers:
            # epoll waits for whole milliseconds, select for microseconds; and a set of events is itself a descriptor.
            pause = PATIENCE if until is None else max(0.0, until - self._now())
            readable, _, _ = select.select([self._events], [], [], pause)
            if until is None and not readable:
                raise RuntimeError(f"no answer for {PATIENCE} seconds")
            answers = self._events.poll(0)
        for connection, _event in answers:
            self._receive(connection)

    def _receive(self, connection: int) -> None:
        chunk = self._connections[connection].recv(65536)
        if not chunk:
            raise RuntimeError("the proxy closed a connection")
        if chunk.endswith(payload.ANSWER_END):
            due = self._asked.pop(connection)
            self._free.append(connection)
            if due >= self._warm_up:
                self._latencies.append(self._now() - due)


def _requests() -> list[bytes]:
    """The same requests as wrk's, each with another x-user-id."""
    head = f"POST {payload.PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    tail = f"Content-Length: {len(payload.REQUEST)}\r\n\r\n{payload.REQUEST}"
    return [f"{head}x-user-id: user-{number:06}\r\n{tail}".encode() for number in range(10_000)]


def _arrivals(rate: float, until: float) -> list[float]:
    """Seconds after the start at which requests are due: a Poisson process, always the same one."""
    draw = random.Random(1)  # noqa: S311 (arrivals, not secrets)
    due, at = [], 0.0
    while at < until:
        at += draw.expovariate(rate)
        due.append(at)
    return due


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def main() -> None:
    """`python -m bench.steady PORT RATE SECONDS`: prints p50 and p99 in microseconds, and what there was, as JSON."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    loop = OpenLoop(port, rate, seconds, warm_up=min(1.0, seconds / 4))
    start = time.perf_counter()
    latencies = loop.run()
    found = {f"p{percent}": latencies[len(latencies) * percent // 100] * 1e6 for percent in (50, 99)}
    print(json.dumps(found | {"requests": loop.requests, "took": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
