"""What is said of the proxies: the tables of their rows and promises, and under which conditions they were measured."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from bench.page import Table, measured_on, promised
from bench.peers import ENVOY, found
from bench.promises import Promise
from bench.rounds import Row

SECTION = "measured"

# Requests per second at the highest rate; CPU of all of the proxy's processes per request, and how far its rounds lie
# apart; share of its core that the proxy used; latencies at a given rate; memory (proportional) after the load.
COLUMNS = ("proxy", "requests/s", "CPU µs", "spread", "core", "p50 µs", "p99 µs", "MiB")


def tables(rows: Sequence[Row], promises: Sequence[Promise]) -> list[Table]:
    """The rows, then the promises."""
    return [Table(COLUMNS, [_cells(row) for row in rows]), promised(promises)]


def _cells(row: Row) -> tuple[str, ...]:
    latency = (f"{row.p50:.0f}", f"{row.p99:.0f}") if row.p50 and row.p99 else ("", "")
    numbers = (f"{row.rate:,.0f}", f"{row.cpu:.1f}", f"{row.spread:.0%}", f"{row.busy:.0%}")
    return (row.peer.name, *numbers, *latency, f"{row.memory:.0f}")


def describe(rounds: int, seconds: float, rate: float | None) -> str:
    """When, on what, with which versions, for how long."""
    why = "half of the lowest of those rows' highest rates, or what the load program sends on time"
    at_rate = f" Latencies are at {rate:,.0f} requests/s, {why}." if rate else ""
    return (
        f"{measured_on()}, nginx {_version('nginx', '-v')}, "
        f"HAProxy {_version('haproxy', '-v')}, Envoy {_version(str(ENVOY), '--version')}. "
        f"Medians of {rounds} interleaved rounds of {seconds:g} s each.{at_rate}"
    )


def _version(program: str, option: str) -> str:
    try:
        said = subprocess.run([found(program), option], capture_output=True, text=True, check=False)
    except OSError:
        return "absent"
    number = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
    return number[0] if number else "unknown"
