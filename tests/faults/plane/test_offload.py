"""The process that adapts large bodies never outlives the worker that it belongs to."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.kit.processes import eventually, is_running
from tests.kit.validation import answer, validated


def children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found


def test_a_killed_worker_takes_it_along(tmp_path: Path) -> None:
    large = answer({"score": 0.5, "padding": "x" * 300_000})
    with validated(tmp_path, large, compares=False, share="0%") as scene:
        assert scene.ask() == 200
        worker = scene.sidecar.worker()
        helpers = children(worker)
        assert helpers
        os.kill(worker, signal.SIGKILL)
        eventually(lambda: not any(map(is_running, helpers)))
