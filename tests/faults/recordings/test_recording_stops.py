"""Full disks, folders that go, processes that are killed: recording stops or ends, and what is there can be read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.recordings.reader import Reader
from stepdown.recordings.recorder import RETRY, Recorder
from tests.kit.recordings import a_copy, an_answer, recording

ROOT = Path(__file__).parents[3]
NOISE = os.urandom(100 * 1024).hex().encode()


def add(recorder: Recorder, size: int = 0) -> None:
    recorder.add(a_copy(), NOISE[:size] or b"{}", an_answer(), b"{}")


def ids(folder: Path) -> list[int]:
    return [int(entry.id.rsplit("-", 1)[1]) for entry in Reader([folder])]


def test_a_full_disk_stops_recording_until_there_is_room(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = Recorder(recording(small_disk), "churn", "churn")
    now = 0.0
    while not one.state.stopped:
        add(one, 20_000)
        now += 1.0
        one.flush(now)
        assert now < 100
    written = one.state.counts["recorded"]
    assert written > 3
    assert one.state.stopped.endswith(": No space left on device")
    assert ids(small_disk) == list(range(written))  # nothing of the frame that had no room is left
    assert Reader([small_disk]).cut == 0

    for _ in range(100):  # it is let go, and the disk is left alone
        now += 0.5
        add(one, 20_000)
        one.flush(now)
    assert one.state.counts == {"recorded": written, "stopped": 101, "failed": 0}

    now += RETRY  # tried again, in vain
    one.flush(now)
    add(one, 100_000)
    one.flush(now)
    assert one.state.counts["stopped"] == 102
    assert len(list(small_disk.iterdir())) == 1  # no empty file is left of it

    for file in small_disk.iterdir():
        file.unlink()
    now += RETRY
    one.flush(now)
    add(one)
    one.flush(now + 1)
    assert (one.state.stopped, one.state.counts["recorded"]) == ("", written + 1)
    one.close()
    assert len(ids(small_disk)) == 1
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("the route churn is no longer recorded, and tried again each minute: ")
    assert said[1].startswith("the route churn is recorded again, into ")


def test_a_folder_that_goes_stops_recording_until_it_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    one = Recorder(recording(folder), "churn", "churn")
    add(one)
    one.flush(1.0)
    shutil.rmtree(folder)
    add(one)
    one.flush(2.0)
    assert one.state.stopped == f"{folder}: No such file or directory"
    folder.mkdir()
    add(one)
    one.flush(61.9)
    assert one.state.stopped
    one.flush(62.0)
    add(one)
    one.flush(63.0)
    assert one.state.stopped == ""
    assert one.state.counts == {"recorded": 2, "stopped": 2, "failed": 0}
    assert ids(folder) == [2]


@pytest.mark.parametrize("blocked", ["a folder that is a file", "a folder that may not be written"])
def test_a_folder_that_cannot_be_written_stops_recording(blocked: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    if blocked == "a folder that is a file":
        folder.touch()
    elif os.geteuid() == 0:
        folder = Path("/proc/self")  # where even root makes no files
    else:
        folder.mkdir(mode=0o500)
    one = Recorder(recording(folder), "churn", "churn")
    add(one)
    one.flush(1.0)
    assert str(folder) in one.state.stopped
    one.close()


def test_old_files_that_cannot_be_removed_stop_recording_rather_than_exceed_the_bound(tmp_path: Path) -> None:
    one = Recorder(recording(tmp_path, keep=1), "churn", "churn")
    add(one)
    one.close()
    (file,) = tmp_path.iterdir()
    name = file.name
    file.unlink()
    (tmp_path / name).mkdir()  # no user can unlink a folder
    another = Recorder(recording(tmp_path, keep=1), "churn", "churn")
    add(another)
    another.close()
    assert name in another.state.stopped
    assert len(list(tmp_path.iterdir())) == 1


def test_what_was_flushed_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.kit.recording_process", str(tmp_path)]
    for _ in range(2):  # the next process leaves the first one's files alone
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(10)]
            process.kill()
            said += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        reader = Reader([tmp_path])
        runs: dict[str, list[int]] = {}
        for entry in reader:
            run, _, number = entry.id.rpartition("-")
            runs.setdefault(run, []).append(int(number))
        last = runs[max(runs)]
        assert last == list(range(last[0], last[0] + len(last)))
        assert last[-1] + 1 >= said[-1]
        assert reader.cut <= len(runs)
    assert len(runs) == 2


def test_a_limit_on_the_size_of_files_is_like_a_full_disk(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.kit.recording_process", str(tmp_path), "20000"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    *counts, reason = ended.stdout.splitlines()
    assert reason.endswith(": File too large")
    assert ids(tmp_path) == list(range(int(counts[-1])))
    assert all(path.stat().st_size <= 20_000 for path in tmp_path.iterdir())
