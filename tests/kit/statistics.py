"""Values to reproduce, from beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "statistics.json"
PRECISION = 1e-9
"""Of logarithms, by the file."""


def vectors(name: str) -> Any:
    """One part of the file; the test is skipped where there is no file."""
    if not VECTORS.exists():
        pytest.skip("the statistics' vectors are not beside the repository")
    return json.loads(VECTORS.read_text(encoding="utf-8"))[name]
