from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stepdown.config import watch as watching
from stepdown.config.watch import folders_of, watch
from stepdown.config.watched import NOTHING, Watched, matching, stamp
from tests.kit.configuration import GOOD, SCHEMA_2_0, Folder

PATIENCE = 30.0
"""Seconds after which a test gives up; a change is noticed in a fraction of one."""


def watched(*files: Path, globs: tuple[str, ...] = ()) -> Watched:
    return Watched({file: stamp(file) for file in files}, {pattern: matching(pattern) for pattern in globs})


def after(change: Callable[[], object], before: Watched) -> Watched:
    """What `watch` yields when the change is made while it waits."""

    async def run() -> Watched:
        waiting = asyncio.create_task(anext(watch(before)))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        change()
        return await asyncio.wait_for(waiting, PATIENCE)

    return asyncio.run(run())


def replace(file: Path, text: str) -> None:
    """As editors do."""
    other = file.with_name(f".{file.name}.new")
    other.write_text(text)
    other.rename(file)


@pytest.mark.parametrize("change", [Path.write_text, replace])
def test_a_change_is_seen_whether_written_or_renamed_over(
    tmp_path: Path, change: Callable[[Path, str], object]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    now = after(lambda: change(file, "abc"), watched(file))
    assert now.stamps[file] == stamp(file)


def test_a_file_that_goes_or_comes_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    assert after(file.unlink, watched(file)).stamps[file] is None
    assert after(lambda: file.write_text("a"), watched(file)).stamps[file] is not None


def test_a_new_file_that_matches_a_pattern_is_a_change(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/*.yaml"
    now = after((tmp_path / "b.yaml").touch, watched(globs=(pattern,)))
    assert now.globs[pattern] == (tmp_path / "b.yaml",)


def test_a_config_map_that_kubernetes_replaces_is_a_change(tmp_path: Path) -> None:
    def publish(name: str, text: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "stepdown.yaml").write_text(text)
        (tmp_path / "..data_tmp").symlink_to(name)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    publish("..2026_01", "a")
    file = tmp_path / "stepdown.yaml"
    file.symlink_to("..data/stepdown.yaml")
    before = watched(file)
    assert after(lambda: publish("..2026_02", "a"), before) != before


def test_a_change_made_before_watching_began_is_seen_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    before = watched(file)
    file.write_text("abc")
    assert asyncio.run(asyncio.wait_for(anext(watch(before)), PATIENCE)) == watched(file)


def test_what_happens_to_other_files_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")

    async def run() -> None:
        waiting = asyncio.create_task(anext(watch(watched(file))))
        for number in range(5):
            (tmp_path / f"{number}.log").write_text("x")
            await asyncio.sleep(0.05)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(run())


def test_a_change_is_complete_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED_AFTER", 0.3)
    file = tmp_path / "a.yaml"
    file.write_text("a")

    async def run() -> Watched:
        waiting = asyncio.create_task(anext(watch(watched(file))))
        for length in range(2, 6):
            await asyncio.sleep(0.05)
            file.write_text("a" * length)
        return await asyncio.wait_for(waiting, PATIENCE)

    assert asyncio.run(run()) == watched(file)


def test_without_notifications_looking_now_and_then_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.05)
    gone = tmp_path / "folder" / "a.yaml"
    before = watched(gone)
    assert list(folders_of(before)) == []

    def appear() -> None:
        gone.parent.mkdir()
        gone.touch()

    assert after(appear, before).stamps[gone] is not None


def test_the_folders_of_links_on_the_way_are_watched(tmp_path: Path) -> None:
    for name in ("real", "links"):
        (tmp_path / name).mkdir()
    (tmp_path / "real" / "a.yaml").touch()
    (tmp_path / "links" / "conf").symlink_to(tmp_path / "real")
    file = tmp_path / "links" / "conf" / "a.yaml"
    assert set(folders_of(watched(file))) == {tmp_path / "links" / "conf", tmp_path / "real", tmp_path / "links"}


def test_a_loaded_file_watches_all_that_was_read_and_looked_for(folder: Folder) -> None:
    folder.write("token.txt", "a-token-that-is-long")
    loaded = folder.load(
        GOOD
        + 'include: more/*.yaml\nadmin: {listen: ":0", tokens: [{name: a, role: view, token: {file: token.txt}}]}\n'
    )
    folder.write("contracts/shared.json", "{}")
    assert loaded.watched.again() == loaded.watched
    for name in ("stepdown.yaml", "contracts/2.0.0.json", "token.txt"):
        text = (folder.path / name).read_text()
        folder.write(name, text + " ")
        assert loaded.watched.again() != loaded.watched
        folder.write(name, text)
        os.utime(folder.path / name, ns=(0, loaded.watched.stamps[folder.path / name][3]))
        assert loaded.watched.again() == loaded.watched
    folder.write("more/a.yaml", "{}")
    assert loaded.watched.again() != loaded.watched


def test_what_contracts_may_refer_to_is_watched_in_each_of_their_folders(folder: Folder) -> None:
    parts = folder.write("contracts/parts.yaml", "{}"), folder.write("others/parts.json", "{}")
    folder.write("others/2.0.0.json", SCHEMA_2_0)
    loaded = folder.load(GOOD.replace("contracts/2.0.0.json", "others/2.0.0.json"))
    assert {*parts, folder.path / "others/2.0.0.json"} <= loaded.watched.stamps.keys()
    for part in parts:
        before = loaded.watched.again()
        part.write_text('{"type": "object"}')
        assert loaded.watched.again() != before


def test_a_refused_file_says_what_to_watch_for_its_correction(folder: Folder) -> None:
    from stepdown.config import RefusedError

    folder.write("stepdown.yaml", GOOD.replace("contracts/2.0.0.json", "contracts/2.json"))
    with pytest.raises(RefusedError) as refused:
        folder.load()
    assert refused.value.watched.again() == refused.value.watched
    folder.write("contracts/2.json", "{}")
    assert refused.value.watched.again() != refused.value.watched


def test_nothing_to_watch_never_changes() -> None:
    assert NOTHING.again() == NOTHING
