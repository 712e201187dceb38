"""Recording: when lines are written, into how many files, and what the state says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.decide.shadow_spec import Recording
from stepdown.recordings.entry import Entry
from stepdown.recordings.reader import Reader
from stepdown.recordings.recorder import Recorder
from tests.kit.recordings import KEY, a_copy, an_answer, recording

NOISE = os.urandom(400 * 1024).hex().encode()


class Wall:
    """Unix time, that goes on when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


def recorder(settings: Recording, wall: Wall | None = None) -> Recorder:
    return Recorder(settings, "churn", "churn", wall=wall or Wall(), key=KEY)


def add(recorder: Recorder, body: bytes = b"{}") -> None:
    recorder.add(a_copy(), body, an_answer(), b"{}")


def entries(folder: Path) -> list[Entry]:
    return list(Reader([folder]))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_lines_wait_for_a_second(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path))
    add(one)
    one.flush(10.0)
    add(one)
    one.flush(10.9)
    assert one.state.counts == {"recorded": 1, "stopped": 0, "failed": 0}
    assert len(entries(tmp_path)) == 1
    one.flush(11.0)
    assert len(entries(tmp_path)) == 2
    assert one.state.counts["recorded"] == 2


def test_much_does_not_wait(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path))
    one.flush(10.0)
    add(one, NOISE[: 200 * 1024])
    assert not files(tmp_path)
    add(one, NOISE[: 200 * 1024])
    assert len(entries(tmp_path)) == 2


def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path))
    add(one)
    one.flush(10.0)
    add(one)
    one.close()
    one.close()
    assert [entry.id[-2:] for entry in entries(tmp_path)] == ["-0", "-1"]


def test_without_anything_to_write_there_is_no_file(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path))
    one.flush(10.0)
    one.close()
    assert not files(tmp_path)
    assert one.state.stopped == one.state.file == ""


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    wall = Wall()
    size = 64 * 1024
    one = recorder(recording(tmp_path, max_size=size, keep=3), wall)
    for number in range(60):
        wall.seconds += 1
        add(one, NOISE[number * 1000 : number * 1000 + 20_000])
        one.flush(wall.seconds)
        assert len(files(tmp_path)) <= 3
        assert all(path.stat().st_size <= size for path in files(tmp_path))
    assert one.state.file == str(files(tmp_path)[-1])
    kept = [int(entry.id.rsplit("-", 1)[1]) for entry in entries(tmp_path)]
    assert kept == list(range(60 - len(kept), 60))
    assert len(kept) > 10


def test_a_frame_that_is_larger_than_a_file_has_one_for_itself(tmp_path: Path) -> None:
    wall = Wall()
    one = recorder(recording(tmp_path, max_size=1, keep=2), wall)
    for _ in range(4):
        wall.seconds += 1
        add(one)
        one.flush(wall.seconds)
    assert len(files(tmp_path)) == 2
    assert len(entries(tmp_path)) == 2


def test_processes_that_come_one_after_the_other_keep_each_other_s_files(tmp_path: Path) -> None:
    for _ in range(3):  # at the same time, with the same id, as in a container that starts anew
        one = recorder(recording(tmp_path))
        add(one)
        one.close()
    assert len(files(tmp_path)) == 3
    assert len(entries(tmp_path)) == 3


def test_a_file_that_was_taken_away_is_begun_anew(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path))
    for second in (1.0, 2.0):
        add(one)
        one.flush(second)
        (file,) = tmp_path.glob("churn-*")
        file.rename(tmp_path / f"{second}.jsonl.zst")
    assert one.state.counts["recorded"] == 2
    assert [len(list(Reader([file]))) for file in files(tmp_path)] == [1, 1]


def test_an_exchange_of_which_no_line_can_be_made_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = recorder(recording(tmp_path))
    for _ in range(2):
        one.add(a_copy(head=b"no head"), b"", an_answer(), b"")
    add(one)
    one.close()
    assert one.state.counts == {"recorded": 1, "stopped": 0, "failed": 2}
    assert [record.getMessage() for record in caplog.records] == [
        "an exchange of the route churn cannot be recorded; the next are only counted"
    ]


def test_what_is_hidden_has_the_same_digest_in_all_recordings_of_a_process(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        one = Recorder(recording(tmp_path / name, redact=("/a",)), name, "churn")
        one.add(a_copy(), b'{"a": 1}', an_answer(), b"")
        one.close()
    first, second = entries(tmp_path / "one") + entries(tmp_path / "other")
    assert (first.request.content, first.key) == (second.request.content, second.key)
    assert b"redacted" in (first.request.content or b"")


def test_a_recording_without_bodies_has_none(tmp_path: Path) -> None:
    one = recorder(recording(tmp_path, max_body=0))
    add(one)
    one.close()
    (entry,) = entries(tmp_path)
    assert (entry.request.missing, entry.request.content) == ("too-large", None)
