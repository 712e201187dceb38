"""What a program of the benchmark spends is told for all of its processes, or for those of one kind."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bench.processes import Program
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
