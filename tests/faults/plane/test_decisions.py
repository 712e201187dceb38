"""Records of decisions that cannot be written: whatever stops them, traffic goes on and what is lost is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.decide import spec
from stepdown.decide.records import read
from stepdown.telemetry.decisions import DecisionLog
from stepdown.telemetry.lines import LineWriter
from tests.kit import specs
from tests.kit.world import World, world

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
EVERYTHING = spec.Decisions(sample=1.0)
REQUESTS = 400


def recording(*ports: int) -> spec.SnapshotSpec:
    return specs.plain(*ports, decisions=EVERYTHING)


def served(here: World, count: int = REQUESTS) -> None:
    """Requests on one connection, which is never held up."""
    with here.client() as client:
        for number in range(count):
            client.send(GET % number)
            assert client.response().status == 200


def record_to(here: World, log: DecisionLog | None) -> None:
    def use() -> None:
        here.sidecar.plane.decisions = log

    here.thread.run(use)


def counted(here: World) -> tuple[float, float]:
    names = ("stepdown_decisions_recorded_total", "stepdown_decisions_dropped_total")
    recorded, dropped = map(here.sidecar.metric, names)
    return recorded, dropped


def test_a_pipe_that_nobody_empties_costs_records_only() -> None:
    with world(spec=recording) as here:
        reading, writing = os.pipe()
        log = DecisionLog(here.sidecar.slab, EVERYTHING, LineWriter(writing, bound=8192))
        record_to(here, log)
        served(here)
        record_to(here, None)
        recorded, dropped = counted(here)
        assert recorded == REQUESTS
        assert dropped > 0
        os.close(reading)  # what waits is lost, and the thread ends
        log.close()
        os.close(writing)


@pytest.mark.parametrize("target", ["/dev/full", "gone/d.jsonl"], ids=["full disk", "no folder"])
def test_a_disk_that_takes_nothing_costs_records_only(tmp_path: Path, target: str) -> None:
    path = tmp_path / target  # an absolute one stays as it is
    with world(spec=recording) as here:
        log = DecisionLog(here.sidecar.slab, spec.Decisions(sample=1.0, file=str(path)))
        record_to(here, log)
        served(here)
        record_to(here, None)
        log.close()
        assert counted(here) == (REQUESTS, REQUESTS)


def test_a_reader_that_leaves_costs_records_only() -> None:
    with world(spec=recording) as here:
        reading, writing = os.pipe()
        os.close(reading)
        log = DecisionLog(here.sidecar.slab, EVERYTHING, LineWriter(writing))
        record_to(here, log)
        served(here)
        record_to(here, None)
        log.close()
        os.close(writing)
        assert counted(here) == (REQUESTS, REQUESTS)


def test_each_request_of_a_kept_connection_is_recorded_once(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    with world(spec=recording) as here:
        log = DecisionLog(here.sidecar.slab, spec.Decisions(sample=1.0, file=str(file)))
        record_to(here, log)
        served(here, 20)
        record_to(here, None)
        log.close()
        assert counted(here) == (20, 0)
    records = [read(line) for line in file.read_bytes().splitlines()]
    assert [one.path for one in records] == [f"/{number}" for number in range(20)]
    assert {(one.decided.route, one.decided.assigned, one.decided.reason) for one in records} == {
        ("r", "1.0.0", "split")
    }


def test_a_share_is_recorded_exactly(tmp_path: Path) -> None:
    def some(*ports: int) -> spec.SnapshotSpec:
        return specs.plain(*ports, decisions=spec.Decisions(sample=0.1))

    with world(spec=some) as here:
        log = DecisionLog(here.sidecar.slab, spec.Decisions(sample=0.1, file=str(tmp_path / "d.jsonl")))
        record_to(here, log)
        served(here, 200)
        record_to(here, None)
        log.close()
        assert counted(here) == (20, 0)


def test_an_endpoint_that_is_down_makes_one_record_of_one_request(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    with world(spec=lambda _port: specs.plain(1, decisions=EVERYTHING)) as here:
        log = DecisionLog(here.sidecar.slab, spec.Decisions(sample=1.0, file=str(file)))
        record_to(here, log)
        assert here.ask(GET % 1).status == 502
        record_to(here, None)
        log.close()
    assert len(file.read_bytes().splitlines()) == 1
