"""The console block of docs/registry.md does what it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_readme import BLOCK, COMMAND, matches

PAGE = Path(__file__).parents[3] / "docs" / "registry.md"


@pytest.mark.slow
def test_the_console_block_prints_what_it_shows(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "STEPDOWN_REGISTRY"}
    environ |= {"PATH": f"{Path(sys.executable).parent}:{environ['PATH']}"}
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for command, shown in COMMAND.findall(block):
        ran = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environ, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert matches(shown, ran.stdout), f"$ {command}\n{ran.stdout}\n--- shown:\n{shown}"
