"""What the kernel has counted of the comparer's thread is read in seconds."""

from __future__ import annotations

import os
from pathlib import Path
from time import sleep, thread_time

import pytest

from stepdown.process import comparer
from stepdown.process.comparer import SCHEDSTAT, _meter


def test_a_kernel_that_counts_nothing_gives_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(comparer, "SCHEDSTAT", tmp_path / "schedstat")
    assert _meter() is None


@pytest.mark.skipif(not SCHEDSTAT.exists(), reason="this kernel counts no waiting for the processor")
def test_work_counts_as_run_and_sleep_as_nothing() -> None:
    used = _meter()
    assert used is not None
    sleep(0)  # a new turn: the kernel adds up at the end of one
    before, begun = used(), thread_time()
    while thread_time() - begun < 0.05:
        os.getpid()
    os.sched_yield()
    after = used()
    assert after.ran - before.ran >= 0.04
    assert after.waited >= before.waited
    sleep(0.05)
    assert used().ran - after.ran < 0.04
