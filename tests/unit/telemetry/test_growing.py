"""A file that is renamed under those who write to it, and that does not grow for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.telemetry.growing import GrowingFile


def append(file: GrowingFile, data: bytes) -> None:
    os.write(file.descriptor(), data)


def test_a_file_is_begun_by_the_first_write_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"before\n")
    file = GrowingFile(str(path), 1000)
    append(file, b"after\n")
    assert path.read_bytes() == b"before\nafter\n"
    file.close()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = GrowingFile(str(tmp_path / "x"), 1000)
    append(file, b"x")
    assert (tmp_path / "x").stat().st_mode & 0o007 == 0
    file.close()


def test_a_file_that_was_renamed_or_removed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    file = GrowingFile(str(path), 1000)
    append(file, b"1")
    path.rename(tmp_path / "old")
    append(file, b"2")
    assert (path.read_bytes(), (tmp_path / "old").read_bytes()) == (b"2", b"1")
    path.unlink()
    append(file, b"3")
    assert path.read_bytes() == b"3"
    file.close()


def test_at_its_limit_it_is_set_aside_over_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "x"
    file = GrowingFile(str(path), 3)
    for data in (b"aaa", b"bbb", b"ccc"):
        append(file, data)
    assert (path.read_bytes(), (tmp_path / "x.1").read_bytes()) == (b"ccc", b"bbb")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x", "x.1"]
    file.close()


def test_of_two_writers_one_sets_it_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "x"
    files = [GrowingFile(str(path), 100), GrowingFile(str(path), 100)]
    for number in range(18):
        append(files[number % 2], b"%09d\n" % number)
    written = (tmp_path / "x.1").read_bytes() + path.read_bytes()
    assert written == b"".join(b"%09d\n" % number for number in range(18))
    for file in files:
        file.close()


def test_a_writer_that_finds_it_locked_goes_on_with_it(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "x"
    file = GrowingFile(str(path), 1)
    append(file, b"a")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        append(file, b"b")
        assert path.read_bytes() == b"ab"
    append(file, b"c")
    assert path.read_bytes() == b"c"
    file.close()


def test_a_file_that_cannot_be_opened_says_so_and_may_come_back(tmp_path: Path) -> None:
    file = GrowingFile(str(tmp_path / "folder" / "x"), 1000)
    with pytest.raises(FileNotFoundError):
        file.descriptor()
    (tmp_path / "folder").mkdir()
    append(file, b"x")
    file.close()


def test_a_device_is_not_set_aside() -> None:
    file = GrowingFile("/dev/null", 0)
    assert file.descriptor() == file.descriptor()
    file.close()


def test_a_pipe_without_a_reader_is_an_error_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device or address"):
        GrowingFile(str(tmp_path / "pipe"), 1000).descriptor()
