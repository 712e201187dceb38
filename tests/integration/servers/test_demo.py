"""`make demo` plays to its end, says what is wrong, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.churn.processes import answers, free_port, is_taken, until
from config.churn.servers import MLSERVER, ROOT

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.xdist_group("mlserver"), pytest.mark.timeout(300)]


class Demo:
    """The demo on free ports, with its output in a file."""

    def __init__(self, folder: Path, *options: str) -> None:
        if not (MLSERVER / "mlserver").exists():
            pytest.skip("MLServer is not installed; `make servers` installs it")
        self.ports = [free_port() for _ in range(4)]
        listen, status, v1, v2 = self.ports
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.churn.demo", "--folder", str(folder), *options],
                cwd=ROOT,
                env={
                    **os.environ,
                    "CHURN_LISTEN": f"127.0.0.1:{listen}",
                    "CHURN_STATUS": f"127.0.0.1:{status}",
                    "CHURN_V1_URL": f"http://127.0.0.1:{v1}",
                    "CHURN_V2_URL": f"http://127.0.0.1:{v2}",
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self._output.read_text()

    def nothing_is_left(self) -> bool:
        return not any(is_taken("127.0.0.1", port) for port in self.ports)

    def wait_until_a_server_answers(self) -> None:
        assert until(lambda: answers(f"http://127.0.0.1:{self.ports[2]}/v2/health/live"), seconds=90), self.text


def test_it_plays_to_its_end(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    assert demo.process.wait(240) == 0, demo.text
    assert "steps held" in demo.text
    assert demo.nothing_is_left()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_it_leaves_nothing_behind(tmp_path: Path, ending: signal.Signals) -> None:
    demo = Demo(tmp_path)
    demo.wait_until_a_server_answers()
    demo.process.send_signal(ending)
    assert demo.process.wait(60) != 0
    assert until(demo.nothing_is_left, seconds=30)


def test_it_says_which_port_is_taken_and_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "config.churn.demo", "--folder", str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "CHURN_LISTEN": f"127.0.0.1:{port}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"Another program listens on port {port}" in done.stdout
    assert "make demo CHURN_LISTEN=127.0.0.1:" in done.stdout
