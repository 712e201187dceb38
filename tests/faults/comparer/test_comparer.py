"""Whatever happens to the comparer, no request notices; what was not looked at is counted."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.kit.load import Load
from tests.kit.processes import eventually, is_running
from tests.kit.validation import NATIVE, answer, validated

SKIPPED = "stepdown_validations_skipped_total"
GOOD = answer({"score": 0.5})
LARGE = answer({"score": 0.5, "padding": "x" * 200_000})


def resident(pid: int) -> int:
    """Bytes in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(pid)


def test_killed_under_load_it_is_replaced_and_no_request_fails_and_its_counters_go_on(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        for _ in range(5):
            scene.ask()
        scene.counted(5, **NATIVE)
        first = scene.comparer()
        with Load(scene.sidecar.port, keep_alive=True) as load:
            os.kill(first, signal.SIGKILL)
            scene.sidecar.wait_for("comparer works", count=2)
            load.more(50)
        assert load.failures == {}
        second = scene.comparer()
        assert second != first
        died = scene.sidecar.wait_for("died", child="comparer")
        assert (died["pid"], died["exit_code"]) == (first, -9)
        eventually(lambda: scene.metric("stepdown_comparer_up") == 1)
        assert scene.metric("stepdown_comparer_restarts_total") == 1
        asked = 5 + load.outcomes["200"]
        # What it had in its hands when it died is lost: one sample at most.
        eventually(lambda: scene.metric("stepdown_validations_total", **NATIVE) >= asked - 1)

        # It gives way to everybody else.
        process = Path(f"/proc/{second}")
        niceness = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[16])
        assert niceness == min(os.nice(0) + 10, 19)
        assert os.sched_getscheduler(second) == os.SCHED_IDLE
        assert process.joinpath("oom_score_adj").read_text() == "800\n"


@pytest.mark.slow
def test_whoever_is_replaced_nothing_that_waits_is_lost(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        first = scene.comparer()
        os.kill(first, signal.SIGSTOP)
        for _ in range(20):
            assert scene.ask() == 200
        assert scene.metric("stepdown_validations_total") == 0
        os.kill(scene.sidecar.worker(), signal.SIGKILL)
        scene.sidecar.wait_for("worker listens", count=2)
        assert scene.ask() == 200
        os.kill(first, signal.SIGKILL)
        scene.counted(21, **NATIVE, result="valid")
        assert scene.metric(SKIPPED) == 0
        second = scene.comparer()
        os.kill(scene.sidecar.controller(), signal.SIGKILL)
        scene.sidecar.wait_for("configuration is in force", count=2)
        assert scene.ask() == 200
        scene.counted(22, **NATIVE)
        assert scene.comparer() == second
        eventually(lambda: scene.metric("stepdown_comparer_up") == 1)


def test_stopped_it_holds_up_nobody_and_memory_does_not_grow(tmp_path: Path) -> None:
    with validated(tmp_path, LARGE) as scene:
        comparer, worker = scene.comparer(), scene.sidecar.worker()
        os.kill(comparer, signal.SIGSTOP)
        with Load(scene.sidecar.port, keep_alive=True) as load:
            eventually(lambda: scene.metric(SKIPPED, reason="full") > 0)
            before = resident(worker)
            load.more(100)
            assert resident(worker) - before < 8 * 1024 * 1024
        assert load.failures == {}
        dropped = scene.metric(SKIPPED, reason="full")
        assert dropped >= 100
        os.kill(comparer, signal.SIGCONT)
        # Both sides of each answer were sampled, and each sample was either dropped or is looked at now.
        eventually(
            lambda: scene.metric("stepdown_validations_total") + scene.metric(SKIPPED) == 2 * load.outcomes["200"]
        )
        assert scene.ask() == 200


@pytest.mark.slow
def test_a_stopped_one_that_is_not_wanted_any_more_is_ended(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        comparer = scene.comparer()
        os.kill(comparer, signal.SIGSTOP)
        scene.rewrite(share="0%")
        scene.sidecar.wait_for("comparer stopped")
        assert not is_running(comparer)
        assert scene.ask() == 200


def test_it_does_not_outlive_the_sidecar(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        comparer = scene.comparer()
        os.kill(comparer, signal.SIGSTOP)
        scene.sidecar.signal(signal.SIGTERM)
        assert scene.sidecar.exit_code() == 0
        eventually(lambda: not is_running(comparer))


@pytest.mark.slow
def test_it_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    with validated(tmp_path, GOOD) as scene:
        comparer = scene.comparer()
        os.kill(comparer, signal.SIGSTOP)
        scene.sidecar.process.kill()
        scene.sidecar.exit_code()
        eventually(lambda: not is_running(comparer))
