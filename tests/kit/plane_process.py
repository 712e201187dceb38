"""A plane in a process of its own, for tests that measure it: `python -m tests.kit.plane_process`.

The encoded specification comes on standard input and the port goes to standard output; with its input the process ends.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import uvloop

from stepdown.decide.spec import SnapshotSpec, encode
from stepdown.plane.plane import Plane
from stepdown.telemetry.slab import Slab

ROOT = Path(__file__).parents[2]


class PlaneProcess:
    """Starts and measures one; a context manager."""

    def __init__(self, spec: SnapshotSpec, *, descriptors: int = 0) -> None:
        self._spec = spec
        self._descriptors = descriptors
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.plane_process", str(self._descriptors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        data = encode(self._spec)
        self._process.stdin.write(b"%d\n" % len(data) + data)
        self._process.stdin.flush()
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)

    def resident(self) -> int:
        """Bytes in memory now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes that were in memory at once."""
        return self._status("VmHWM")

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _serve(encoded: bytes) -> None:
    loop = asyncio.get_running_loop()
    plane = Plane(loop=loop, slab=Slab.create())
    plane.activate(plane.prepare(encoded))
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listening.setblocking(False)
    await plane.listen(listening)
    print(listening.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    await plane.drain(0.0)


if __name__ == "__main__":
    if limit := int(sys.argv[1]):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    uvloop.run(_serve(sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))))
