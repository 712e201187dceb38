"""Where a proxy's time goes: perf beside the load, by library and by function. `python -m bench --profile NAME`.

Functions of Python code show as the interpreter's own (`_PyEval_EvalFrameDefault`); what the kernel, the event loop and
each extension module take shows by name.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from rich.console import Console

from bench.load import peak
from bench.peers import Peer, Upstream, proxy
from bench.rounds import warm_up

SHOWN = 25


def profile(peer: Peer, behind: Upstream, seconds: float, console: Console) -> None:
    """Load `peer` at the highest rate and print its shares of CPU, by library and then by function."""
    data = behind.folder / "perf.data"
    with proxy(peer, behind) as (program, port):
        warm_up(peer, program, port)
        pids = ",".join(map(str, program.pids()))
        command = ["perf", "record", "--quiet", "--output", str(data), "--pid", pids]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as recorder:
            measured = peak(peer, program, port, seconds)
            recorder.terminate()
    console.print(f"{peer.name}: {measured.cpu:.1f} CPU µs per request while perf looked on")
    for key in ("dso", "dso,symbol"):
        print(_report(data, key))


def _report(data: Path, key: str) -> str:
    command = ["perf", "report", "--stdio", "--input", str(data), "--sort", key, "--percent-limit", "0.5"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line.rstrip(" -") for line in printed.splitlines() if "%" in line and not line.startswith("#")]
    return "\n".join(lines[:SHOWN])
