"""A short form of the benchmark of shadows: it loads, counts and comes to an end."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bench.peers import LOAD_CORE, PROXY_CORE, Upstream
from bench.processes import free_port, running
from bench.shadows.kinds import KINDS, Kind
from bench.shadows.rounds import Row, Runs, measure

pytestmark = [
    pytest.mark.skipif(
        not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0) or not shutil.which("chrt"),
        reason="the benchmark wants two cores, and chrt",
    ),
    pytest.mark.slow,
]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[1], KINDS[-1]], ids=lambda kind: kind.name)
def test_a_run_beside_a_kind_of_shadow(kind: Kind, tmp_path: Path) -> None:
    port = free_port()
    server = [sys.executable, "-m", "bench.shadows.server", str(port), "answers"]
    with running(server, port=port, core=LOAD_CORE, output=tmp_path / "served.log"):
        row = Row(kind)
        measure(row, Upstream(port, port, tmp_path), Runs(1, 2, 100), usual=0.001)
    assert len(row.beside) == len(row.without) == 2
    for found in (*row.beside, *row.without):
        assert 0 < found.p50 <= found.p99
        assert found.quiet > 0
        assert found.cpu > 0
        assert found.requests > 0
    assert [each.requests for each in row.beside] == [each.requests for each in row.without]
    assert (row.sent[0] > 0, row.copies[0] > 0) == (kind.name == "healthy",) * 2 or kind.name == "floods"  # left alone
    assert row.times("quiet") > 0
