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
from bench.shadows.rounds import Row, Turns, measure

pytestmark = [
    pytest.mark.skipif(
        not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0) or not shutil.which("chrt"),
        reason="the benchmark wants two cores, and chrt",
    ),
    pytest.mark.slow,
]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[1], KINDS[-1]], ids=lambda kind: kind.name)
def test_a_round_beside_a_kind_of_shadow(kind: Kind, tmp_path: Path) -> None:
    port = free_port()
    server = [sys.executable, "-m", "bench.shadows.server", str(port), "answers"]
    with running(server, port=port, core=LOAD_CORE, output=tmp_path / "served.log"):
        row = Row(kind)
        measure(row, Upstream(port, port, tmp_path), Turns(2, 0.5, 100), usual=0.001)
    assert len(row.rounds) == len(row.without) == 2
    for found in (*row.rounds, *row.without):
        assert 0 < found.p50 <= found.p99
        assert 0 < min(found.quarters) <= max(found.quarters)
        assert found.cpu > 0
    assert (row.median("sent"), row.median("ended")) == (0, 0) or kind.percent
    assert {(found.sent, found.ended) for found in row.without} == {(0, 0)}
    assert row.times > 0
