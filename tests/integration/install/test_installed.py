"""The installed wheel works by itself: no test, nothing of the source tree and no development package is there."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import stepdown
from tests.kit.looping import LoopThread
from tests.kit.upstream import Upstream

pytestmark = pytest.mark.xdist_group("install")

CONFIG = """
listen: 127.0.0.1:0
drain: {delay: 0s, grace: 2s}
models:
  churn:
    versions:
      "1.0.0": {endpoints: [http://127.0.0.1:%d]}
routes:
  churn: {match: {path: /predict}, model: churn}
"""


def say(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env={"PATH": "/usr/bin:/bin"}, text=True, timeout=60,
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with LoopThread() as thread, Upstream(thread) as server:
        yield server


def test_it_says_its_version(installed: Path, tmp_path: Path) -> None:
    ran = say(installed / "stepdown", "--version", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert stepdown.__version__ in ran.stdout


def test_it_checks_a_file_and_refuses_a_wrong_one(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(CONFIG % 9)
    (tmp_path / "wrong.yaml").write_text(CONFIG.replace("model: churn", "model: chum") % 9)
    good = say(installed / "stepdown", "check", "good.yaml", cwd=tmp_path)
    assert good.returncode == 0, good.stderr
    wrong = say(installed / "stepdown", "check", "wrong.yaml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "wrong.yaml:9" in wrong.stdout + wrong.stderr


def test_it_runs_and_answers(installed: Path, tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "stepdown.yaml").write_text(CONFIG % upstream.port)
    command = [str(installed / "stepdown"), "run", "stepdown.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as sidecar:
        try:
            port = _port_of(sidecar)
            answer = httpx.get(f"http://127.0.0.1:{port}/predict")
            assert (answer.status_code, answer.text) == (200, "ok")
            assert answer.headers["x-model-served"] == "1.0.0"
        finally:
            sidecar.send_signal(signal.SIGTERM)
        assert sidecar.wait(20) == 0


def _port_of(sidecar: subprocess.Popen[str]) -> int:
    assert sidecar.stderr is not None
    seen = []
    for line in sidecar.stderr:
        seen.append(line)
        if found := re.search(r"serving.*listen=127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("".join(seen))
