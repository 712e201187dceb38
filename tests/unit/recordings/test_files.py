"""Names of recorded files, their age, and how many of them there may be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stepdown.recordings.files import Folder, age

AT = 1_790_000_000.25
STAMP = "20260921T141320.250Z"


def begin(folder: Folder, seconds: float) -> str:
    path, fd = folder.begin(seconds)
    os.close(fd)
    return path.name


def test_a_name_says_route_time_and_process(tmp_path: Path) -> None:
    name = begin(Folder(str(tmp_path), "churn", 8), AT)
    assert name == f"churn-{STAMP}-{os.getpid()}-0.jsonl.zst"
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    names = [begin(Folder(str(tmp_path), "churn", 8), AT) for _ in range(3)]
    assert [name.rsplit("-", 1)[1] for name in names] == ["0.jsonl.zst", "1.jsonl.zst", "2.jsonl.zst"]


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / f"churn-{STAMP}-{os.getpid()}-0.jsonl.zst").symlink_to(tmp_path / "elsewhere")
    assert begin(Folder(str(tmp_path), "churn", 8), AT).endswith("-1.jsonl.zst")


def test_the_oldest_go_when_there_are_enough(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), "churn", 3)
    names = [begin(folder, AT + second) for second in (2, 0, 1, 3, 4)]
    # 0 and 1 were the oldest when the fourth and the fifth came.
    assert {path.name for path in folder.files()} == {names[0], names[3], names[4]}
    assert [path.name for path in folder.files()] == [names[0], names[3], names[4]]


def test_files_that_are_not_the_route_s_own_are_left_alone(tmp_path: Path) -> None:
    others = [
        begin(Folder(str(tmp_path), "churn-2", 8), AT),
        begin(Folder(str(tmp_path), f"churn-{STAMP}-1-0", 8), AT),
        "notes.txt",
        f"churn-{STAMP}-1-0.jsonl",
        f"churn-{STAMP}-1.jsonl.zst",
    ]
    for name in others:
        (tmp_path / name).touch()
    mine = [begin(Folder(str(tmp_path), "churn", 1), AT + second) for second in range(3)]
    assert {path.name for path in tmp_path.iterdir()} == {*others, mine[-1]}


@pytest.mark.parametrize("route", ["a/b", "..", "ü" * 200, "x" * 300, "a b\n"])
def test_any_route_has_names_of_its_own(route: str, tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), route, 2)
    names = [begin(folder, AT + second) for second in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names[1:]


def test_long_routes_that_begin_alike_do_not_remove_each_other_s_files(tmp_path: Path) -> None:
    for last in "ab":
        begin(Folder(str(tmp_path), "x" * 300 + last, 1), AT)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"churn-{STAMP}-4711-2.jsonl.zst", (STAMP, 4711, 2)),
        (f"churn-{STAMP}-4711-2.jsonl", (STAMP, 4711, 2)),
        (f"a-{STAMP}-1-1.jsonl.zst-{STAMP}-4711-2.jsonl.zst", (STAMP, 4711, 2)),
        (f"churn-{STAMP}-4711.jsonl.zst", None),
        (f"{STAMP}-4711-2.jsonl.zst", None),
        ("answers.jsonl", None),
    ],
)
def test_the_age_is_read_from_a_name(name: str, expected: tuple[str, int, int] | None) -> None:
    assert age(name) == expected
