"""One child process as the parent sees it: started, running on a tether, dead, and started again when it is time."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from stepdown.process import backoff
from stepdown.process.tether import Tether

_FOR_THE_PARENT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Blocked in a child from its first instruction on: a terminal and some service managers signal the whole group, but
who stops when is decided by the parent alone."""


class Child:
    """A place for one process; the place outlives the processes that fill it one after the other."""

    def __init__(self, module: str, index: int = 0) -> None:
        # For life.
        self.module = module
        self.index = index
        self.restarts = 0
        self._early_deaths = 0
        # Per process.
        self.pid = 0
        self.tether: Tether | None = None
        self.start_at: float | None = 0.0
        """Monotonic time of the next start; `None` while it runs and when it is not to be started again."""
        self._started = 0.0
        self.ready = False
        """It has said that it does its work."""

    @property
    def name(self) -> str:
        """For the log."""
        kind = self.module.rpartition(".")[2]
        return f"worker {self.index}" if kind == "worker" else kind

    def start(self, now: float) -> Tether:
        """Run the process; it inherits one descriptor, its end of the tether.

        Raises:
            OSError: the system has no room for a process now; the place stays empty.
        """
        tether, far = Tether.pair()
        command = [sys.executable, "-P", "-m", self.module, str(far.fileno())]
        with far:
            far.set_inheritable(True)
            self.start_at = None
            self._started = now
            self.ready = False
            try:
                self.pid = os.posix_spawn(command[0], command, os.environ, setsigmask=_FOR_THE_PARENT)
            except OSError:
                tether.close()
                self.died(now)
                raise
        self.tether = tether
        return tether

    def hand_on(self) -> list[str]:
        """Arguments with which the program that this process executes next can `adopt` the child."""
        assert self.tether is not None
        os.set_inheritable(self.tether.fileno(), True)
        return [str(self.pid), str(self.tether.fileno())]

    def adopt(self, pid: int, fd: int, now: float) -> Tether:
        """Take over a process that was started before this program was executed."""
        os.set_inheritable(fd, False)
        self.pid, self.start_at, self._started = pid, None, now
        self.tether = Tether.inherited(fd)
        return self.tether

    def died(self, now: float) -> None:
        """The process is gone; sets the time of the next start."""
        self._vacate()
        self.restarts += 1
        self._early_deaths, self.start_at = backoff.after_death(self._early_deaths, self._started, now)

    def left(self) -> None:
        """The process is gone because it was to go: none takes its place."""
        self._vacate()
        self._early_deaths, self.start_at = 0, None

    def _vacate(self) -> None:
        if self.tether is not None:
            self.tether.close()
        self.tether = None
        self.pid = 0
        self.ready = False

    def tell(self, kind: str, fds: Mapping[str, int] | None = None, /, **facts: object) -> None:
        """Send a message if it runs; one that takes no messages any more is stuck, and is killed to be replaced."""
        if self.tether is not None and not self.tether.send(kind, fds, **facts):
            self.kill()

    def kill(self) -> None:
        """End the process now; its death is noticed like any other."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)


def earliest(children: Sequence[Child]) -> float | None:
    """Monotonic time at which the next of these is to be started."""
    return min((child.start_at for child in children if child.start_at is not None), default=None)
