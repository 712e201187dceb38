"""Starts and stops the programs of this example as processes that never outlive who started them.

Each child runs in a session of its own, so that Ctrl-C in a terminal reaches the starter alone, which then ends its
children in order; and the kernel ends a child whose starter died without a word (`PR_SET_PDEATHSIG`).
"""

import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """A program did not come up; the message has the end of its log."""


class Program:
    """One running program, with its output in a file."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                arguments,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_starter,  # noqa: PLW1509 (one system call, no Python lock)
            )

    @property
    def pid(self) -> int:
        """The process's id, which is also its group's."""
        return self._process.pid

    def wait_for(self, url: str, seconds: float = 60.0) -> None:
        """Returns once `url` answers 200.

        Raises:
            StartError: the program ended, or `seconds` went by.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StartError(f"{self.name} ended with code {self._process.returncode}:\n{self.end_of_log()}")
            if answers(url):
                return
            time.sleep(0.05)
        raise StartError(f"{self.name} is not ready after {seconds:.0f} s ({url}):\n{self.end_of_log()}")

    def end_of_log(self, lines: int = 15) -> str:
        """The last lines that the program printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        """Sends SIGTERM and does not wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, seconds: float = 10.0) -> int:
        """Asks the program to end, insists after `seconds` (SIGKILL to its group); returns its exit code."""
        self.ask_to_stop()
        if self._process.poll() is None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


def _die_with_starter() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def answers(url: str) -> bool:
    """Whether `url` answers 200 at once."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_taken(host: str, port: int) -> bool:
    """Whether somebody already listens on an address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return True
        return False


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for `condition`; whether it came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
