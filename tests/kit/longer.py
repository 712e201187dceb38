"""How long searches and simulations last: short where everything is tested, longer where somebody takes the time."""

from __future__ import annotations

import os

import pytest

LONGER = int(os.environ.get("STEPDOWN_LONGER", "1"))
"""How many times as many examples are tried as in a short run."""

TIMEOUT = pytest.mark.timeout(300 * LONGER)
"""Of tests that take so many times as long."""
