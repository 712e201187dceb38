"""Load: at the highest rate by wrk, with what the proxy spent meanwhile; and at a given rate, with latencies."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass

from bench import payload
from bench.peers import LOAD_CORE, TEMPLATES
from bench.processes import Program

CONNECTIONS = 32


@dataclass(frozen=True)
class Peak:
    """One round of load."""

    rate: float
    """Requests per second."""
    cpu: float
    """Microseconds of the proxy's CPU per request."""
    busy: float
    """Share of its core that the proxy used; well under 1 means that something else was the bottleneck."""


def peak(proxy: Program, port: int, seconds: float, *, routes: int = 1) -> Peak:
    """Load `port` for `seconds`; of more than one route, another one for each request."""
    cpu, start = proxy.cpu(), time.perf_counter()
    requests = _wrk(port, seconds, routes)
    spent, took = proxy.cpu() - cpu, time.perf_counter() - start
    return Peak(rate=requests / took, cpu=spent / requests * 1e6, busy=spent / took)


@dataclass(frozen=True)
class Steady:
    """Latencies at a given rate, in microseconds (how they are taken: `bench.steady`)."""

    p50: float
    p99: float


def steady(port: int, rate: float, seconds: float) -> Steady:
    """Load `port` with `rate` requests per second for `seconds`."""
    command = [sys.executable, "-m", "bench.steady", str(port), str(rate), str(seconds)]
    pinned = ["taskset", "--cpu-list", str(LOAD_CORE), *command]
    return Steady(**json.loads(subprocess.run(pinned, check=True, capture_output=True).stdout))


def _wrk(port: int, seconds: float, routes: int) -> int:
    """Requests answered; raises unless every answer was a good one."""
    path = payload.PATH if routes == 1 else payload.numbered_path("#")
    command = [
        *("taskset", "--cpu-list", str(LOAD_CORE)),
        *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(TEMPLATES / "load.lua")),
        *(f"http://127.0.0.1:{port}", "--", path, payload.REQUEST, str(routes)),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    summary = json.loads(printed.splitlines()[-1])
    if summary["bad_status"] or summary["broken"]:
        raise RuntimeError(f"not every answer was good:\n{printed}")
    answered: int = summary["requests"]
    return answered
