"""What a streamed event costs a running sidecar, adapted or not: `python -m bench.streams --help`; a minute or two."""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import uvloop

from bench import page
from bench.page import Table
from bench.peers import stepdown
from bench.processes import Program, busy, free_port, running
from bench.promises import Promise
from bench.streams.clients import read
from bench.streams.server import SIZE

CONFIGURATION = """\
listen: 127.0.0.1:{listen}
status: 127.0.0.1:{status}
workers: 1
drain: {{delay: 0s, grace: 1s}}
models:
  llm:
    default_version: "1.0.0"
    versions:
      "1.0.0": {{}}
      "2.0.0": {{endpoints: [http://127.0.0.1:{server}]}}
    adapters:
      - from: "2.0.0"
        to: "1.0.0"
        stream:
          on:
            /choices/*/delta/reasoning:
              - in: /choices/*/delta
                where: {{path: /reasoning_content, exists: false}}
                do: [{{move: {{from: /reasoning, to: /reasoning_content, on_missing: skip}}}}]
routes:
  chat:
    match: {{path_prefix: /v1/chat/}}
    model: llm
    rules: [{{split: {{"2.0.0": 100}}}}]
"""
SECTION = "streams"
BOUND = 10.0
"""Microseconds that adapting an event may take."""


def main() -> None:
    """Measure and print."""
    options = _options()
    console = page.console()
    with _running() as sidecar:
        cost = {name: [_cost(sidecar, name, options) for _ in range(options.rounds)] for name in _WAYS}
        first = {name: _first(sidecar, name) for name in _WAYS}
        late = {name: _late(sidecar, name, options) for name in _WAYS}
        direct = _late(sidecar._replace(listen=sidecar.server), "passed", options)
    rows = [
        (
            name,
            f"{min(cost[name]):.1f}" if name in cost else "-",
            f"{statistics.median(cost[name]):.1f}" if name in cost else "-",
            f"{first[name] / 1e6:.2f}" if name in first else "-",
            *(f"{figure:.1f}" for figure in (found.usual, found.worst, found.read, found.others)),
        )
        for name, found in {"without a sidecar": direct, **late}.items()
    ]
    columns = (
        "an event",
        "µs of CPU",
        "median µs",
        "first after ms",
        f"p99.9 late ms, {options.streams} streams",
        "worst",
        "worst as read",
        "% of the sidecar's core taken by others",
    )
    apart = min(cost["adapted"]) - min(cost["passed"])
    later = (first["adapted"] - first["passed"]) / 1e6
    promises = [
        Promise("µs that adapting an event takes", apart, BOUND),
        Promise("ms that the first event is later for it", later, 1.0),
        Promise(f"ms that the latest event of {options.streams} streams is late", late["adapted"].worst, 50.0),
    ]
    conditions = (
        f"{page.measured_on()}. Events of {SIZE} bytes, one in a chunk; the sidecar with one worker has one core, "
        f"server and clients share the other. CPU: of the whole sidecar, {options.rounds} rounds of 100 streams; "
        "first: the median of 300 streams one by one. Late: from when the server says an event to when the kernel has "
        "it for its client; as read: to when the client reads it. What others take of the sidecar's core meanwhile, "
        "the kernel's own work included, makes events late too."
    )
    shown = [Table(columns, rows), page.promised(promises)]
    page.show(console, shown, conditions)
    if options.write:
        page.write(SECTION, shown, conditions)


class Sidecar(NamedTuple):
    """What runs."""

    listen: int
    """Its port."""
    server: int
    """The server's."""
    core: int
    """Its core."""
    program: Program


class Lateness(NamedTuple):
    """How late the events of many streams were, in milliseconds."""

    usual: float
    """But for one in a thousand."""
    worst: float
    read: float
    """The worst by the time when its client read it."""
    others: float
    """Percent of the sidecar's core that neither it nor nobody had meanwhile."""


_WAYS = {"passed": b"2.0.0", "adapted": b"1.0.0"}
"""The version that a client pins for each."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-streams", description="Streams through a running sidecar.")
    parser.add_argument("--rounds", type=int, default=5, help="of each way (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=1000, help="at once (default: %(default)s)")
    parser.add_argument("--events", type=int, default=100, help="of each of them (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {page.PAGE.name}")
    return parser.parse_args()


@contextmanager
def _running() -> Iterator[Sidecar]:
    """A server and clients on one core, a sidecar on the other."""
    sidecars, others = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, {others})
    with tempfile.TemporaryDirectory() as folder:
        server, listen, status = free_port(), free_port(), free_port()
        file = Path(folder) / "stepdown.yaml"
        file.write_text(CONFIGURATION.format(server=server, listen=listen, status=status))
        serve = [sys.executable, "-m", "bench.streams.server", str(server)]
        with (
            running(serve, port=server, core=others, output=Path(folder) / "server.log"),
            running(stepdown(file), port=listen, core=sidecars, output=Path(folder) / "sidecar.log") as program,
        ):
            program.wait_until_idle()
            yield Sidecar(listen, server, sidecars, program)


def _cost(sidecar: Sidecar, name: str, options: argparse.Namespace) -> float:
    """Microseconds of the sidecar's CPU for each event of a hundred streams."""
    before = sidecar.program.cpu()
    late, _ = uvloop.run(read(sidecar.listen, [f"/v1/chat/{options.events}/10"] * 100, _WAYS[name]))
    return (sidecar.program.cpu() - before) / len(late.read) * 1e6


def _first(sidecar: Sidecar, name: str) -> float:
    """Nanoseconds from a request to the first event."""
    paths = ["/v1/chat/1/0"]
    return statistics.median(uvloop.run(read(sidecar.listen, paths, _WAYS[name]))[1][0] for _ in range(300))


def _late(sidecar: Sidecar, name: str, options: argparse.Namespace) -> Lateness:
    """How late the events of many streams are, which began over a second."""
    paths = [f"/v1/chat/{options.events // 2}/100"] * options.streams
    gc.collect()
    gc.freeze()  # the clients' own collections would show as lateness
    used, spent = busy(sidecar.core), sidecar.program.cpu()
    begun = monotonic()
    late, _ = uvloop.run(read(sidecar.listen, paths, _WAYS[name], spread=1.0))
    taken = (busy(sidecar.core) - used) - (sidecar.program.cpu() - spent)
    share = max(taken / (monotonic() - begun), 0.0) * 100
    arrived = statistics.quantiles(late.arrived, n=1000)[-1]
    return Lateness(arrived / 1e6, max(late.arrived) / 1e6, max(late.read) / 1e6, share)


if __name__ == "__main__":
    main()
