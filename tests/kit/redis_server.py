"""A real Redis on a free port of the loopback, which a test may stop, freeze, kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.kit.looping import PATIENCE

PROGRAM = shutil.which("redis-server")
MISSING = "Redis is not installed (apt: redis-server)"


class RedisServer:
    """A running server; a context manager that leaves no process behind. What it acknowledged outlives a kill."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._directory = directory
        self._arguments = arguments
        self.port = 0

    @property
    def url(self) -> str:
        """Of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        for _ in range(5):  # somebody else may take a port between our looking and its binding
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            if self.start():
                return self
        raise AssertionError((self._directory / "redis.log").read_text())

    def __exit__(self, *_exception: object) -> None:
        self.kill()

    def start(self) -> bool:
        """Start it, with what it has on its disk; whether it answers."""
        assert PROGRAM is not None
        with (self._directory / "redis.log").open("ab") as log:
            fixed = f"--port {self.port} --bind 127.0.0.1 --appendonly yes --appendfsync always".split()
            arguments = [*fixed, "--dir", str(self._directory), "--save", "", *self._arguments]
            self._process = subprocess.Popen([PROGRAM, *arguments], stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.01)
        self.kill()
        return False

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def freeze(self) -> None:
        """It takes connections, by its kernel, and answers nothing any more."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
