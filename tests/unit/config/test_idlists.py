"""Lists of ids in files: how they are written, what is refused, and what a change does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.config.idlists import IdListError, read_ids
from stepdown.decide.inputs import lists_of
from tests.kit.configuration import Folder, changed

SEGMENT = "segments:\n  beta: {key_in: ids.txt}\n"
TEXT = changed(("{header: {x-plan: beta}}", "{segment: beta}")) + SEGMENT


def read(path: Path, content: bytes) -> set[str]:
    file = path / "ids.txt"
    file.write_bytes(content)
    found = read_ids(file, None)
    table = found.key_set()
    known = {one for one in ("a", "b", "c d", "ü", "#x", "x#y", "") if one.encode() in table}
    assert found.count == table.count
    return known


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"a\nb\n", {"a", "b"}),
        (b"a\nb", {"a", "b"}),
        (b"\xef\xbb\xbfa\r\n\r\n  b \t\r\n", {"a", "b"}),
        (b"# beta users\na # not a comment\nb\n#x\nx#y\n", {"b", "x#y"}),
        (b"a\n" + b" " * 1021 + b"b\r\n", {"a", "b"}),
        (b"c d\n\xc3\xbc\n", {"c d", "ü"}),
        (b"\n\n\n", set()),
        (b"", set()),
    ],
)
def test_a_list_has_one_id_a_line(content: bytes, ids: set[str], tmp_path: Path) -> None:
    assert read(tmp_path, content) == ids


@pytest.mark.parametrize(
    ("content", "why", "line"),
    [
        (b"a\nb\n\xff\n", "is not UTF-8 in line 3", 3),
        ("a\nb\n".encode("utf-16"), "is not UTF-8 in line 1", 1),
        (b"a\n" + b"b" * 1025 + b"\n", "has more than 1024 bytes in line 2", 2),
        (b"a" * 5_000_000, "has more than 1024 bytes in line 1", 1),
        (b"a\n#" + b"c" * 1024 + b"\n", "has more than 1024 bytes in line 2", 2),
        (b"\n" * 4_000_001, "has 4000002 lines, and at most 4000000 are allowed", 1),
    ],
    ids=["utf-8", "utf-16", "long", "one line", "comment", "many"],
)
def test_a_file_that_is_no_list_says_why(content: bytes, why: str, line: int, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(content)
    with pytest.raises(IdListError) as refused:
        read_ids(file, None)
    assert (str(refused.value), refused.value.line) == (why, line)


def test_a_million_ids_take_16_mib_and_are_shared_memory(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"\n".join(b"user-%d" % number for number in range(1_000_000)))
    found = read_ids(file, None)
    assert found.count == 1_000_000
    assert os.fstat(found.fd).st_size == 32 + 8 * 2**21
    table = found.key_set()
    assert b"user-999999" in table
    assert b"user-1000000" not in table
    steps = [_steps(table, f"user-{number}".encode()) for number in range(0, 1_000_000, 997)]
    assert max(steps) < 100
    assert sum(steps) / len(steps) < 2


def _steps(table: object, one: bytes) -> int:
    """How many slots are looked at for an id."""

    class Counted:
        def __init__(self, slots: memoryview) -> None:
            self.slots, self.asked = slots, 0

        def __getitem__(self, slot: int) -> int:
            self.asked += 1
            return self.slots[slot]

    slots = table._slots  # type: ignore[attr-defined]
    counted = Counted(slots)
    table._slots = counted  # type: ignore[attr-defined]
    assert one in table  # type: ignore[operator]
    table._slots = slots  # type: ignore[attr-defined]
    return counted.asked


def test_a_descriptor_is_let_go_with_its_list(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"a\n")
    found = read_ids(file, None)
    assert found.is_held
    found.release()
    found.release()
    assert not found.is_held
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(found.fd)


def test_a_list_is_read_again_when_its_file_changed_and_not_else(folder: Folder) -> None:
    folder.write("ids.txt", "u1\n")
    first = folder.load(TEXT)
    again = folder.load(previous=first)
    assert [*again.lists.values()] == [*first.lists.values()]
    assert again.spec == first.spec
    folder.write("other.txt", "u1\nu2\n").rename(folder.path / "ids.txt")
    later = folder.load(previous=again)
    (found,) = later.lists.values()
    assert (found.count, b"u2" in found.key_set()) == (2, True)
    assert list(lists_of(later.spec)) == [found.digest]
    assert later.spec != first.spec
    assert folder.path / "ids.txt" in later.watched.stamps


@pytest.mark.parametrize("content", [None, b"\xff", b"a" * 2000], ids=["gone", "broken", "long"])
def test_a_list_that_breaks_stays_as_it_was_read_and_holds_nothing_up(content: bytes | None, folder: Folder) -> None:
    file = folder.write("ids.txt", "u1\nu2\n")
    first = folder.load(TEXT)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    later = folder.load(TEXT.replace('"1.1.0": 95', '"1.1.0": 90'), previous=first)
    assert later.spec.segments == first.spec.segments
    assert later.spec.routes != first.spec.routes
    (warning,) = later.warnings
    assert "the list that was read before, of 2 ids, stays in force" in str(warning)
    assert folder.load(previous=later).spec == later.spec


def test_the_first_load_has_no_list_to_stay_with(folder: Folder) -> None:
    assert folder.refusal(TEXT) == [
        "stepdown.yaml:30:18: segments.beta.key_in: the file ids.txt does not exist; allowed a file with one id a line"
    ]


def test_a_list_of_nobody_is_doubtful(folder: Folder) -> None:
    folder.write("ids.txt", "# nobody yet\n")
    assert folder.warnings(TEXT) == [
        "stepdown.yaml:30:18: warning: segments.beta.key_in: the file ids.txt has no ids in it; allowed one id a line"
    ]


def test_a_list_lies_beside_the_file_that_names_it(folder: Folder) -> None:
    folder.write("teams/ids.txt", "u1\n")
    folder.write("teams/segments.yaml", SEGMENT)
    loaded = folder.load("include: teams/segments.yaml\n" + TEXT.replace(SEGMENT, ""))
    assert [one.count for one in loaded.lists.values()] == [1]
