"""What the kernel has counted of the comparer's thread is read in seconds."""

from __future__ import annotations

import os
from time import sleep, thread_time

import pytest

from stepdown.process.comparer import SCHEDSTAT, _used


@pytest.mark.skipif(not SCHEDSTAT.exists(), reason="this kernel counts no waiting for the processor")
def test_work_counts_as_run_and_sleep_as_nothing() -> None:
    sleep(0)  # a new turn: the kernel adds up at the end of one
    before, begun = _used(), thread_time()
    while thread_time() - begun < 0.05:
        os.getpid()
    os.sched_yield()
    after = _used()
    assert after.ran - before.ran >= 0.04
    assert after.waited >= before.waited
    sleep(0.05)
    assert _used().ran - after.ran < 0.04
