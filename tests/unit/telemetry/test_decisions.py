"""The log of decisions: whole lines, bounded, and what is lost is counted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.decide.records import Decided, Record, read
from stepdown.decide.spec import Decisions
from stepdown.telemetry.decisions import BATCH, DecisionLog
from stepdown.telemetry.lines import LINE_LIMIT, LineWriter
from stepdown.telemetry.slab import Slab


def record(path: str = "/infer") -> Record:
    return Record(
        event="decision",
        time="2027-01-15T08:00:00Z",
        config="c",
        sample=1.0,
        method="GET",
        path=path,
        decided=Decided(),
    )


@pytest.fixture
def slab() -> Iterator[Slab]:
    slab = Slab.create()
    yield slab
    slab.close()


def counted(slab: Slab) -> tuple[int, int]:
    """Recorded and dropped."""
    names = ("stepdown_decisions_recorded_total", "stepdown_decisions_dropped_total")
    recorded, dropped = (slab.cells[slab.counter(name, ())] for name in names)
    return recorded, dropped


def test_records_are_in_the_file_after_it_is_closed(slab: Slab, tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    log = DecisionLog(slab, Decisions(sample=1.0, file=str(file)))
    for number in range(BATCH + 3):
        log.add(record(f"/{number}"))
    log.close()
    assert [read(line).path for line in file.read_bytes().splitlines()] == [f"/{one}" for one in range(BATCH + 3)]
    assert counted(slab) == (BATCH + 3, 0)


def test_a_record_that_is_too_long_is_cut_to_what_a_pipe_takes_at_once(slab: Slab, tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    log = DecisionLog(slab, Decisions(sample=1.0, file=str(file)))
    log.add(record("/" + "x" * 10_000))
    log.close()
    assert len(file.read_bytes()) <= LINE_LIMIT
    assert json.loads(file.read_bytes())["cut"] == ["path"]


def test_what_finds_no_room_is_dropped_and_counted(slab: Slab) -> None:
    reading, writing = os.pipe()
    log = DecisionLog(slab, Decisions(sample=1.0), LineWriter(writing, bound=2 * LINE_LIMIT))
    for _ in range(5000):
        log.add(record())
    log.flush()
    recorded, dropped = counted(slab)
    assert recorded == 5000
    assert dropped > 4000 - 65536 // 100
    os.close(reading)
    log.close()
    os.close(writing)


def test_a_folder_that_is_gone_costs_records_and_nothing_else(
    slab: Slab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = DecisionLog(slab, Decisions(sample=1.0, file=str(tmp_path / "gone" / "d.jsonl")))
    log.add(record())
    log.flush()
    log.add(record())
    log.close()
    assert counted(slab) == (2, 2)
    assert [one.message for one in caplog.records] == [
        f"{tmp_path}/gone/d.jsonl cannot be written: No such file or directory; lines are dropped and counted"
    ]


def test_a_full_disk_costs_records_and_the_next_one_begins_a_line(slab: Slab, tmp_path: Path) -> None:
    link = tmp_path / "d.jsonl"
    link.symlink_to("/dev/full")
    log = DecisionLog(slab, Decisions(sample=1.0, file=str(link)))
    log.add(record("/1"))
    log.flush()
    assert log._writer.drain(10)
    link.unlink()
    log.add(record("/2"))
    log.close()
    assert counted(slab) == (2, 1)
    assert read(link.read_bytes()).path == "/2"


def test_a_line_after_one_that_was_torn_stands_on_its_own(tmp_path: Path) -> None:
    """A limit on the size of files tears a line as a full disk does."""
    import subprocess
    import sys

    file = tmp_path / "x"
    script = (
        "import resource, signal, sys; from stepdown.telemetry.lines import FileWriter;"
        "from stepdown.telemetry.growing import GrowingFile; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "w = FileWriter(GrowingFile(sys.argv[1], 10**6)); resource.setrlimit(resource.RLIMIT_FSIZE, (15, -1));"
        "w.put([b'123456789\\n']); w.drain(9); w.put([b'abcdefghi\\n']); w.drain(9);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)); w.put([b'the next\\n']); w.close(9); print(w.lost)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert file.read_bytes() == b"123456789\nabcde\nthe next\n"
