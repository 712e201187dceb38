"""Load: at the highest rate by wrk, with what the proxy spent meanwhile; and at a given rate, with latencies."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench import payload
from bench.peers import LOAD_CORE, TEMPLATES, Peer
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


def peak(peer: Peer, program: Program, port: int, seconds: float) -> Peak:
    """Load `port`, where `program` runs as `peer`, for `seconds`."""
    cpu, start = program.cpu(), time.perf_counter()
    requests = _wrk(peer, port, seconds)
    spent, took = program.cpu() - cpu, time.perf_counter() - start
    return Peak(rate=requests / took, cpu=spent / requests * 1e6, busy=spent / took)


@dataclass(frozen=True)
class Steady:
    """Latencies at a given rate, in microseconds (how they are taken: `bench.steady`)."""

    p50: float
    p99: float


def steady(port: int, rate: float, seconds: float) -> Steady:
    """Load `port` with `rate` requests per second for `seconds`."""
    return Steady(**found_by("bench.steady", port, rate, seconds))


def found_by(program: str, *arguments: object) -> Any:
    """What a load program prints at its end, as JSON; it runs on the load's core."""
    command = [sys.executable, "-m", program, *map(str, arguments)]
    pinned = ["taskset", "--cpu-list", str(LOAD_CORE), *command]
    return json.loads(subprocess.run(pinned, check=True, capture_output=True).stdout)


def _wrk(peer: Peer, port: int, seconds: float) -> int:
    """Requests answered; raises unless every answer was a good one."""
    command = [
        *("taskset", "--cpu-list", str(LOAD_CORE)),
        *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(TEMPLATES / "load.lua")),
        *(f"http://127.0.0.1:{port}", "--", peer.path, payload.REQUEST, str(peer.asked)),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    summary = json.loads(printed.splitlines()[-1])
    if summary["bad_status"] or summary["broken"]:
        raise RuntimeError(f"not every answer was good:\n{printed}")
    answered: int = summary["requests"]
    return answered
