"""What a streamed event costs a running sidecar, adapted or not: `python -m bench.streams --help`; a minute or two."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench import page
from bench.page import Table
from bench.peers import stepdown
from bench.processes import Program, free_port, running
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
BOUND = 10.0
"""Microseconds that adapting an event may take."""


def main() -> None:
    """Measure and print."""
    options = _options()
    console = page.console()
    with _running() as (port, sidecar):
        cost = {name: [_cost(port, sidecar, name, options) for _ in range(options.rounds)] for name in _WAYS}
        first = {name: _first(port, name) for name in _WAYS}
        late = {name: _late(port, name, options) for name in _WAYS}
    rows = [
        (
            name,
            f"{min(cost[name]):.1f}",
            f"{statistics.median(cost[name]):.1f}",
            f"{first[name] / 1e6:.2f}",
            f"{statistics.quantiles(late[name], n=1000)[-1] / 1e6:.1f}",
            f"{max(late[name]) / 1e6:.1f}",
        )
        for name in _WAYS
    ]
    columns = (
        "an event",
        "µs of CPU",
        "median µs",
        "first after ms",
        f"p99.9 late ms, {options.streams} streams",
        "worst",
    )
    apart = min(cost["adapted"]) - min(cost["passed"])
    later = (first["adapted"] - first["passed"]) / 1e6
    worst = max(late["adapted"]) / 1e6
    promises = [
        Promise("µs that adapting an event takes", apart, BOUND),
        Promise("ms that the first event is later for it", later, 1.0),
        Promise(f"ms that the latest event of {options.streams} streams is late", worst, 50.0),
    ]
    conditions = (
        f"{page.measured_on()}. Events of {SIZE} bytes, one in a chunk; the sidecar with one worker has one core, "
        f"server and clients share the other. CPU: of the whole sidecar, {options.rounds} rounds of 100 streams; "
        "first: the median of 300 streams one by one."
    )
    page.show(console, [Table(columns, rows), page.promised(promises)], conditions)


_WAYS = {"passed": b"2.0.0", "adapted": b"1.0.0"}
"""The version that a client pins for each."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description="Streams through a running sidecar.")
    parser.add_argument("--rounds", type=int, default=5, help="of each way (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=1000, help="at once (default: %(default)s)")
    parser.add_argument("--events", type=int, default=100, help="of each of them (default: %(default)s)")
    return parser.parse_args()


@contextmanager
def _running() -> Iterator[tuple[int, Program]]:
    """A server and clients on one core, a sidecar on the other; its port."""
    sidecars, others = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, {others})
    with tempfile.TemporaryDirectory() as folder:
        server, listen, status = free_port(), free_port(), free_port()
        file = Path(folder) / "stepdown.yaml"
        file.write_text(CONFIGURATION.format(server=server, listen=listen, status=status))
        serve = [sys.executable, "-m", "bench.streams.server", str(server)]
        with (
            running(serve, port=server, core=others, output=Path(folder) / "server.log"),
            running(stepdown(file), port=listen, core=sidecars, output=Path(folder) / "sidecar.log") as sidecar,
        ):
            yield listen, sidecar


def _cost(port: int, sidecar: Program, name: str, options: argparse.Namespace) -> float:
    """Microseconds of the sidecar's CPU for each event of a hundred streams."""
    before = sidecar.cpu()
    late, _ = uvloop.run(read(port, [f"/v1/chat/{options.events}/10"] * 100, _WAYS[name]))
    return (sidecar.cpu() - before) / len(late) * 1e6


def _first(port: int, name: str) -> float:
    """Nanoseconds from a request to the first event."""
    return statistics.median(uvloop.run(read(port, ["/v1/chat/1/0"], _WAYS[name]))[1][0] for _ in range(300))


def _late(port: int, name: str, options: argparse.Namespace) -> list[int]:
    """How late the events of many streams are, which began over a second."""
    paths = [f"/v1/chat/{options.events // 2}/100"] * options.streams
    return uvloop.run(read(port, paths, _WAYS[name], spread=1.0))[0]


if __name__ == "__main__":
    main()
