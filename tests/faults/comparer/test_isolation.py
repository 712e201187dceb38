"""A comparer that is stopped, or killed again and again, changes no byte of what clients see, and costs copies only."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.isolation import CASES, COPIED, MIB, bytes_of, forget_most, isolated, load, most
from tests.kit.processes import eventually

GIVEN = 2 * 8
"""Copies that a worker gives for nothing: those that two routes' shadows would take."""


@pytest.mark.slow
def test_while_it_is_stopped_it_is_given_no_more_and_clients_see_the_same_bytes(tmp_path: Path) -> None:
    with isolated(tmp_path, deadline="15s") as scene:
        expected = {case: bytes_of(scene.see(case)) for case in CASES}
        eventually(lambda: scene.counted_copies() == COPIED)
        worker, comparer = scene.sidecar.worker(), scene.comparer()
        os.kill(comparer, signal.SIGSTOP)
        assert load(scene.sidecar.port, expected) == []  # as many as may be on their way are given
        before = forget_most(worker)
        assert load(scene.sidecar.port, expected) == []
        assert most(worker) - before < 8 * MIB
        asked = 0
        while scene.metric("stepdown_shadow_skipped_total", reason="full") == 0:  # until then it may just be busy
            asked += 1
            scene.see("whole")
        dropped = scene.metric("stepdown_shadow_skipped_total")
        assert scene.counted_copies() == COPIED + dropped
        assert COPIED * 24 + asked - dropped <= GIVEN
        os.kill(comparer, signal.SIGCONT)
        eventually(lambda: scene.counted_copies() == COPIED * 25 + asked)
        # Copies go on as before.
        answered = scene.metric("stepdown_shadow_copies_total", outcome="answered")
        scene.see("whole")
        eventually(lambda: scene.metric("stepdown_shadow_copies_total", outcome="answered") == answered + 1)
        assert scene.comparer() == comparer


@pytest.mark.slow
def test_killed_again_and_again_it_changes_no_byte_of_what_clients_see(tmp_path: Path) -> None:
    with isolated(tmp_path) as scene:
        expected = {case: bytes_of(scene.see(case)) for case in CASES}
        worker = scene.sidecar.worker()
        with ThreadPoolExecutor(1) as beside:
            loads = beside.submit(load, scene.sidecar.port, expected, clients=3, rounds=4)
            for killed in range(1, 4):
                os.kill(scene.comparer(), signal.SIGKILL)
                scene.sidecar.wait_for("comparer works", count=killed + 1)
            assert loads.result() == []
        assert load(scene.sidecar.port, expected, clients=1, rounds=1) == []
        before = scene.metric("stepdown_shadow_copies_total", outcome="answered")
        eventually(
            lambda: (
                scene.see("whole").status == 200
                and scene.metric("stepdown_shadow_copies_total", outcome="answered") > before
            )
        )
        assert scene.sidecar.worker() == worker
        assert scene.metric("stepdown_comparer_restarts_total") == 3
