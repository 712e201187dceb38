"""What is wrong with a state file is said in words that help, and nothing that was there is harmed."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepdown.control.stores import (
    Cell,
    Counts,
    State,
    Store,
    StoreRefusedError,
    StoreUnavailableError,
    Transition,
)
from stepdown.control.stores.sqlite_file import SCHEMA_VERSION
from stepdown.control.stores.sqlite_store import SqliteStore
from tests.kit.stores import SqlitePlace, filling, tell, units

ROOT = Path(__file__).parents[4]


async def nothing(_store: Store) -> None:
    """A story in which nothing happens."""


async def one_state(store: Store) -> None:
    """It is written by a first holder."""
    token = await store.acquire("a", 1000)
    assert token is not None
    await store.write(token, "r", 0, b"kept", [Transition(1.0, 1, "begun")])


def filled(directory: Path) -> SqlitePlace:
    """A file with one state in it, closed."""
    place = SqlitePlace(directory)
    tell(place, one_state)
    return place


def refusal(place: SqlitePlace) -> str:
    """What is said when it is opened."""
    with pytest.raises(StoreRefusedError) as caught:
        tell(place, nothing)
    assert str(place.path) in str(caught.value)
    return str(caught.value)


# --- files that cannot be used --------------------------------------------------------------------------------------


def test_a_new_file_is_for_its_user_alone_and_so_is_its_journal(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)

    async def story(store: Store) -> None:
        await one_state(store)
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
            "state.db": 0o600,
            "state.db-wal": 0o600,
        }

    before = os.umask(0)
    try:
        tell(place, story)
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be opened: No such file or directory" in refusal(SqlitePlace(tmp_path / "missing"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "cannot be opened: Permission denied" in refusal(SqlitePlace(tmp_path))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    place = SqlitePlace(tmp_path)
    make(place.path)
    assert "is no file" in refusal(place) or "Is a directory" in refusal(place)


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    place.path.write_bytes(b"notes of somebody\n" * 1000)
    assert "is no SQLite database" in refusal(place)
    assert place.path.read_bytes() == b"notes of somebody\n" * 1000


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    with sqlite3.connect(place.path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    assert "is a database of something else" in refusal(place)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    place = filled(tmp_path)
    with sqlite3.connect(place.path) as other:
        other.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    other.close()
    assert f"a newer Stepdown (schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION})" in refusal(place)


@pytest.mark.parametrize("page", [1, 2, 5])
def test_a_damaged_file_is_found_out_when_it_is_opened(tmp_path: Path, page: int) -> None:
    place = filled(tmp_path)
    with place.path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xa5" * 4096)
    assert "is damaged; move it away" in refusal(place)


def test_a_file_that_was_cut_short_is_found_out(tmp_path: Path) -> None:
    place = filled(tmp_path)
    os.truncate(place.path, place.path.stat().st_size - 4096)
    assert "is damaged; move it away" in refusal(place)


def test_a_file_that_was_never_finished_is_begun_anew(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    place.path.touch()
    tell(place, one_state)


# --- others ---------------------------------------------------------------------------------------------------------


def test_a_second_process_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)

    async def story(store: Store) -> None:
        await one_state(store)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.kit.batch_writer", str(place.path), "w", "1"),
            cwd=ROOT, stderr=subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
        assert b"is in use by another process" in said
        assert await store.read("r") == State(1, b"kept")

    tell(place, story)
    tell(place, nothing)


def test_one_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    command = [sys.executable, "-m", "tests.kit.batch_writer", str(place.path), "w", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()

    async def story(store: Store) -> None:
        assert await store.acquire("successor", 1000)  # it does not wait for the lease of who was killed

    tell(place, story)


# --- disks ----------------------------------------------------------------------------------------------------------


def test_a_batch_for_which_there_is_no_room_leaves_nothing_behind_and_counts_when_there_is(tmp_path: Path) -> None:
    place = filled(tmp_path)
    full = SqliteStore(place.path, most_bytes=200_000)

    async def story() -> None:
        await full.open()
        counted, why = await filling(full)
        assert "has no room" in why
        assert await full.counted("r", 1, "w") == counted
        assert await full.evidence("r", 1) == {Cell(0, "stable", "click"): Counts(0, 5000 * counted)}
        assert await full.read("r") == State(1, b"kept")
        await full.close()
        roomy = SqliteStore(place.path)
        await roomy.open()
        assert (await roomy.add(units(counted + 1))).new == 5000
        await roomy.close()

    asyncio.run(story())


def limited_writes(path: Path) -> None:
    """A process whose files may not grow beyond 1 MiB, which is how a disk that fails looks to SQLite."""

    async def story() -> None:
        store = SqliteStore(path)
        await store.open()
        counted, why = await filling(store)
        assert "its disk is full or fails" in why, why
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert soft == 1024 * 1024
        assert await store.counted("r", 1, "w") == counted
        assert (await store.add(units(counted + 1))).outcome == "counted"
        await store.close()

    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, resource.RLIM_INFINITY))
    asyncio.run(story())


def test_a_disk_that_fails_is_said_to_and_used_again_when_it_works(tmp_path: Path) -> None:
    code = (
        f"from {__name__} import limited_writes; from pathlib import Path; limited_writes(Path({str(tmp_path)!r}, 'f'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_taken_away_is_missed_at_once_and_begun_anew(tmp_path: Path) -> None:
    place = filled(tmp_path)

    async def story(store: Store) -> None:
        assert await store.read("r") == State(1, b"kept")
        place.path.unlink()
        with pytest.raises(StoreUnavailableError, match="removed or replaced"):
            await store.add(units(1, 1))
        assert await store.read("r") is None

    tell(place, story)


def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        store = SqliteStore(tmp_path / "f")
        await store.open()
        await store.close()
        with pytest.raises(StoreUnavailableError):
            await store.read("r")

    asyncio.run(story())


def test_a_refusal_is_repeated_for_a_while_without_another_look(tmp_path: Path) -> None:
    now = 100.0
    path = tmp_path / "missing" / "f"
    store = SqliteStore(path, clock=lambda: now)

    async def story() -> None:
        nonlocal now
        with pytest.raises(StoreRefusedError):
            await store.open()
        path.parent.mkdir()
        with pytest.raises(StoreRefusedError):
            await store.read("r")
        now += 1.0
        assert await store.read("r") is None
        await store.close()

    asyncio.run(story())
