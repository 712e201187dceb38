"""flagd's own engines, asked in batches: one process of another environment for thousands of evaluations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "tests" / "integration" / "flags" / "engine.py"


def ask(generation: int, flags: dict[str, Any], questions: list[Any], folder: Path) -> list[list[Any]]:
    """Answers `[value, variant, reason, error code]` to `[kind, flag, context, default]`; skips without the engine."""
    python = ROOT / ".envs" / f"flagd-{generation}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"flagd's engine of generation {generation} is not installed; `make servers` installs it")
    file = folder / f"flags-{generation}.json"
    file.write_text(json.dumps(flags), encoding="utf-8")
    asked = subprocess.run(
        [python, ENGINE, file], input=json.dumps(questions), capture_output=True, text=True, timeout=100, check=False
    )
    assert asked.returncode == 0, asked.stderr[-2000:]
    answers: list[list[Any]] = json.loads(asked.stdout)
    return answers
