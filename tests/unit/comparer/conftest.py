"""A slab to count in."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stepdown.telemetry.slab import Slab


@pytest.fixture
def slab() -> Iterator[Slab]:
    made = Slab.create()
    yield made
    made.close()
    os.close(made.fd)
