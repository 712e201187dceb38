"""Programs of the benchmark: started on one core, waited for, measured whole, stopped.

A program is measured with all its descendants: what a proxy costs is its master, its workers and its helpers together.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path


class Program:
    """A running program, pinned to `core`; what it prints goes to the file `output`."""

    def __init__(self, command: Sequence[str], *, core: int, output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                ["taskset", "--cpu-list", str(core), *command],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def pids(self, of: str = "") -> list[int]:
        """The process and its descendants, as far as their command lines hold `of`."""
        found = [self._process.pid]
        for pid in found:  # grows while it is walked
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (thread / "children").read_text().split())
        return [pid for pid in found if of.encode() in _command(pid)] if of else found

    def cpu(self, of: str = "") -> float:
        """Seconds of CPU, user and system, that all threads of all its processes have used (nanosecond accounting).

        Only of processes whose command line holds `of`.
        """
        total = 0
        for pid in self.pids(of):
            with contextlib.suppress(OSError):  # it, or the thread, ended meanwhile
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self, of: str = "") -> float:
        """MiB that its processes hold now, of those whose command line holds `of`.

        Proportional set size: a page that n processes share counts as one n-th in each.
        """
        total = 0
        for pid in self.pids(of):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return total / 1024

    def wait_until_listening(self, port: int, seconds: float = 60.0) -> None:
        """Return when `port` takes connections; raise with what the program said when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.002)
        raise RuntimeError(f"{self._process.args!r} does not listen:\n{self._output.read_text()[-2000:]}")

    def wait_until_idle(self, seconds: float = 30.0) -> None:
        """Return when its processes rest: what starts beside a first answer, or follows load, is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(0.25)
            if self.cpu() - before < 0.01:
                return
        raise RuntimeError(f"{self._process.args!r} does not come to rest")

    def go_first(self, of: str = "") -> None:
        """Let it run whenever it wants to, whatever else wants its core, as if it had one of its own.

        `of` is as for `pids`. Where that is not allowed, it takes its turn as all do.
        """
        with contextlib.suppress(PermissionError):
            for pid in self.pids(of):
                os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))

    def stop(self) -> None:
        """End it and everything that it started, politely first."""
        family = self.pids()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in family[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):  # it ended meanwhile
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def busy(core: int) -> float:
    """Seconds that a core has worked since the machine started, for anybody (proc_stat(5)); what a host took counts."""
    lines = Path("/proc/stat").read_text().splitlines()
    (fields,) = (line.split()[1:] for line in lines if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _iowait, *interrupts = map(int, fields[:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def environment() -> dict[str, str]:
    """Ours, but Python may keep what it compiled, as an installed sidecar does: else a cold start compiles it anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextlib.contextmanager
def running(command: Sequence[str], *, port: int, core: int, output: Path) -> Iterator[Program]:
    """A program that takes connections on `port`, for the time of the block."""
    program = Program(command, core=core, output=output)
    try:
        program.wait_until_listening(port)
        yield program
    finally:
        program.stop()


def free_port() -> int:
    """A loopback port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
