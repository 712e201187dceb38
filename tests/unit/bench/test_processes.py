"""What a program of the benchmark spends is told for all of its processes, or for those of one kind."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from time import process_time

import pytest

from bench.processes import Program, busy
from tests.kit.processes import eventually


@pytest.mark.skipif(not shutil.which("taskset"), reason="the benchmark wants taskset")
def test_cpu_is_that_of_the_processes_whose_command_line_is_asked_for(tmp_path: Path) -> None:
    busy = [sys.executable, "-c", "while True: pass", "marked"]
    program = Program(busy, core=min(os.sched_getaffinity(0)), output=tmp_path / "busy.log")
    try:
        eventually(lambda: program.cpu(of="marked") > 0)
        assert program.cpu() > 0
        assert program.cpu(of="another") == 0
    finally:
        program.stop()


def test_a_core_is_busy_for_as_long_as_anybody_works_on_it() -> None:
    cores = os.sched_getaffinity(0)
    core = min(cores)
    os.sched_setaffinity(0, {core})
    try:
        before, spent = busy(core), process_time()
        eventually(lambda: sum(range(100_000)) > 0 and process_time() - spent > 0.2)
        assert busy(core) - before > 0.1  # both counts are in hundredths of a second, and none is exact
    finally:
        os.sched_setaffinity(0, cores)
