"""Load at a given rate, and how long answers take: an open loop, run as a program of its own on the load's core.

Requests are due at times drawn beforehand (exponential gaps, fixed seed), whether or not earlier ones are answered. A
request that finds no free connection counts from when it was due, so a proxy that stalls pays for every request that
had to wait ("coordinated omission" is what hides this elsewhere); any other counts from when it was sent. An answer's
time is the kernel's, of when its bytes reached this program's socket (`bench.arrivals`): that this program
shares its core with the model server, and may be late to send or to read, is no proxy's doing.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import arrivals, payload

CONNECTIONS = 32
HIGHEST_STEADY_RATE = 15_000
"""Requests per second that it sends on time beside the model server; measured, at 20,000 its own delay shows."""
PATIENCE = 5.0
"""Seconds without any answer after which the run is given up."""


class OpenLoop:
    """One run against `port`: `requests` one after the other, over and over, at the times `due`.

    `run` gives when each request was due, and how long its answer took; all times are nanoseconds since the start.
    """

    def __init__(self, port: int, due: Sequence[int], requests: Sequence[bytes]) -> None:
        self._due = due
        self._requests = requests
        self._connections = {connection.fileno(): connection for connection in map(_connect, [port] * CONNECTIONS)}
        self._free = list(self._connections)
        self._freed = 0
        """When there was a free connection again, after there was none."""
        self._asked: dict[int, tuple[int, int]] = {}
        self._answered: list[tuple[int, int]] = []
        self._events = select.epoll()
        for number in self._connections:
            self._events.register(number, select.EPOLLIN)

    def run(self) -> list[tuple[int, int]]:
        """In the order of their answers."""
        Path("/proc/self/timerslack_ns").write_text("1")  # else every sleep is up to 50 microseconds too long
        gc.disable()
        self._start = time.time_ns()  # the kernel notes arrivals by this clock
        following = 0
        while following < len(self._due) or self._asked:
            while following < len(self._due) and self._free and self._due[following] <= (now := self._now()):
                self._ask(self._free.pop(), following, now)
                following += 1
            self._wait(self._due[following] if self._free and following < len(self._due) else None)
        return self._answered

    def _now(self) -> int:
        return time.time_ns() - self._start

    def _ask(self, connection: int, number: int, now: int) -> None:
        due = self._due[number]
        self._asked[connection] = due, due if due < self._freed else now
        self._connections[connection].send(self._requests[number % len(self._requests)])

    def _wait(self, until: int | None) -> None:
        """Take the answers that are there, or arrive before `until`."""
        answers = self._events.poll(0)
        if not answers:
            # epoll waits for whole milliseconds, select for microseconds; and a set of events is itself a descriptor.
            pause = PATIENCE if until is None else max(0.0, (until - self._now()) / 1e9)
            readable, _, _ = select.select([self._events], [], [], pause)
            if until is None and not readable:
                raise RuntimeError(f"no answer for {PATIENCE} seconds")
            answers = self._events.poll(0)
        for connection, _event in answers:
            self._receive(connection)

    def _receive(self, connection: int) -> None:
        chunk, arrived = arrivals.receive(self._connections[connection])
        if not chunk:
            raise RuntimeError("the proxy closed a connection")
        if chunk.endswith(payload.ANSWER_END):
            if not self._free:
                self._freed = self._now()
            due, begun = self._asked.pop(connection)
            self._free.append(connection)
            if arrived is not None:
                self._answered.append((due, arrived - self._start - begun))


def requests(path: str = payload.PATH) -> list[bytes]:
    """The same requests as wrk's, each with another x-user-id."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    tail = f"Content-Length: {len(payload.REQUEST)}\r\n\r\n{payload.REQUEST}"
    return [f"{head}x-user-id: user-{number:06}\r\n{tail}".encode() for number in range(10_000)]


def poisson(rate: float, until: float, seed: int = 1) -> list[int]:
    """Nanoseconds at which requests are due, before `until` in seconds: a Poisson process, the same for each seed."""
    draw = random.Random(seed)  # noqa: S311 (arrivals, not secrets)
    due, at = [], draw.expovariate(rate)
    while at < until:
        due.append(int(at * 1e9))
        at += draw.expovariate(rate)
    return due


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    arrivals.note(connection)
    return connection


def percentile(latencies: Iterable[int], percent: int) -> float:
    """In microseconds."""
    ascending = sorted(latencies)
    return ascending[len(ascending) * percent // 100] / 1e3


def main() -> None:
    """`python -m bench.steady PORT RATE SECONDS`: prints p50 and p99 in microseconds as JSON."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    warm_up = min(1.0, seconds / 4)
    loop = OpenLoop(port, poisson(rate, warm_up + seconds), requests())
    latencies = [latency for due, latency in loop.run() if due >= warm_up * 1e9]
    print(json.dumps({f"p{percent}": percentile(latencies, percent) for percent in (50, 99)}))


if __name__ == "__main__":
    main()
