"""Reading recordings: which files, in which order, and what is done about what cannot be read."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from stepdown.recordings import entry as entries
from stepdown.recordings import lines as recorded_lines
from stepdown.recordings.compression import compressed
from stepdown.recordings.lines import RecordingError
from stepdown.recordings.reader import Reader
from tests.kit.recordings import an_entry


def line(name: str) -> bytes:
    return entries.write(an_entry(name=name))


def ids(reader: Reader) -> list[str]:
    return [entry.id for entry in reader]


def write(path: Path, *names: str, compress: bool = True) -> Path:
    pieces = [line(name) for name in names]
    path.write_bytes(b"".join(map(compressed, pieces) if compress else pieces))
    return path


def test_files_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    write(tmp_path / "b-20260921T141320.250Z-1-0.jsonl.zst", "2")
    write(tmp_path / "a-20260921T141320.250Z-1-1.jsonl", "3", compress=False)
    write(tmp_path / "a-20260921T141321.000Z-1-0.jsonl.zst", "4", "5")
    write(tmp_path / "a-20260920T141321.000Z-9-0.jsonl.zst", "1")
    write(tmp_path / "other.jsonl", "0", compress=False)
    (tmp_path / "notes.txt").write_text("no recording")
    (tmp_path / "empty.jsonl").touch()
    assert ids(Reader([tmp_path])) == ["0", "1", "2", "3", "4", "5"]
    named = [tmp_path / "a-20260921T141321.000Z-1-0.jsonl.zst", tmp_path, tmp_path / "other.jsonl"]
    assert ids(Reader(named)) == ["0", "1", "2", "3", "4", "5"]


def test_what_a_file_is_called_does_not_say_whether_it_is_compressed(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.jsonl", "1"), write(tmp_path / "b.zst", "2", compress=False)
    assert ids(Reader([one, other])) == ["1", "2"]


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.jsonl", *map(str, range(500)), compress=False)
    reader = Reader([tmp_path])
    assert (reader.done, reader.total) == (0, sum(file.stat().st_size for file in reader.files))
    seen = [reader.done for _ in reader]
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert (reader.done, reader.entries) == (reader.total, 1000)


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_that_ends_in_the_middle_is_read_that_far(compress: bool, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", "1", "2", compress=compress)
    write(tmp_path / "b.jsonl", "3")
    file.write_bytes(file.read_bytes()[:-5])
    reader = Reader([tmp_path])
    assert ids(reader) == ["1", "3"]
    assert (reader.cut, reader.broken) == (1, 0)


def test_a_line_in_the_middle_of_a_frame_is_cut_once(tmp_path: Path) -> None:
    names = [str(number) for number in range(2000)]
    data = compressed(b"".join(map(line, names)))
    (tmp_path / "a.jsonl.zst").write_bytes(data[: -len(data) // 3])
    reader = Reader([tmp_path])
    found = ids(reader)
    assert found == names[: len(found)]
    assert 0 < len(found) < 2000
    assert reader.cut == 1


def test_a_last_line_without_an_end_counts_where_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line("1") + b"\n  \n" + line("2").rstrip())
    reader = Reader([tmp_path])
    assert (ids(reader), reader.cut) == (["1", "2"], 0)


BROKEN = b'{"recording":1,"id":'


def test_what_is_broken_in_the_middle_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(line("1") + b"\n" + BROKEN + b"\n" + b'{"recording":2}\n' + line("2"))
    with pytest.raises(RecordingError, match=r"a\.jsonl:3: is no recorded exchange: Input data was truncated"):
        ids(Reader([file]))
    lenient = Reader([file], lenient=True)
    assert ids(lenient) == ["1", "2"]
    assert lenient.broken == 2
    assert lenient.named[1] == f"{file}:4: is no recorded exchange: has the format 2, and this version reads 1"


def test_a_damaged_frame_is_an_error_or_the_end_of_its_file(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl.zst", "1", "2")
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    write(tmp_path / "b.jsonl.zst", "3")
    with pytest.raises(RecordingError, match=r"a\.jsonl\.zst: cannot be decompressed: .*checksum"):
        ids(Reader([tmp_path]))
    lenient = Reader([tmp_path], lenient=True)
    assert ids(lenient)[:1] == ["1"]
    assert ids(Reader([tmp_path], lenient=True))[-1] == "3"
    assert (lenient.broken, lenient.cut) == (1, 0)


@pytest.mark.parametrize("ended", [True, False])
def test_a_line_that_is_too_long_is_refused_without_being_held(ended: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.zst"
    much = json.dumps("x" * 50 * 1024 * 1024).encode()
    file.write_bytes(compressed(line("1") + much + b"\n" * ended) + (compressed(line("2")) if ended else b""))
    with pytest.raises(RecordingError, match=r"a\.jsonl\.zst:2: is longer than 16,777,216 bytes"):
        ids(Reader([file]))
    tracemalloc.start()
    reader = Reader([file], lenient=True)
    assert ids(reader) == (["1", "2"] if ended else ["1"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 45 * 1024 * 1024
    assert reader.broken == 1


def test_the_longest_line_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = line("1")
    monkeypatch.setattr(recorded_lines, "LONGEST", len(text) - 1)
    (tmp_path / "a.jsonl").write_bytes(text)
    assert ids(Reader([tmp_path])) == ["1"]


def test_a_file_that_goes_while_others_are_read_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "1")
    write(tmp_path / "b.jsonl", "2")
    reader = Reader([tmp_path])
    found = iter(reader)
    assert next(found).id == "1"
    (tmp_path / "b.jsonl").unlink()
    assert list(found) == []
    assert reader.gone == 1


def test_what_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="none: cannot be read: No such file"):
        Reader([tmp_path / "none"])
    with pytest.raises(RecordingError, match=r"has no recording; the names of recordings end with \.jsonl or"):
        Reader([tmp_path])
