"""Whatever happens while a version is added, it is there whole or not at all, and says what happened."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepdown.registry import BusyError, RefusedError, Registry, StorageError
from stepdown.registry.layout import LOCK
from stepdown.registry.writing import locked
from tests.kit.model_registry import MORE, Workshop

NOBODY = 65534


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def in_child(act: Callable[[], object]) -> int:
    """Runs `act` in a forked process; its wait status: 0 where it returned, 256 where it raised, else its signal."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_at(number: int, act: Callable[[], object]) -> Callable[[], object]:
    """`act`, killed by SIGKILL just before its `number`th call of the file system that is below the registry."""
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if (event == "open" or event.startswith(("os.", "shutil."))) and "model_registry" in str(arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        sys.addaudithook(hook)
        act()

    return run


def test_killed_at_any_point_it_leaves_a_version_whole_or_none(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    saved, points = workshop.saved_model(), 0
    while True:
        points += 1
        status = in_child(killed_at(points, lambda: workshop.add("1.1.0", output=MORE, path=saved)))
        assert workshop.registry.verify().damages == (), f"killed at point {points}"
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert points > 15
    assert not workshop.add("1.1.0", output=MORE, path=saved).new
    assert workshop.registry.verify().leftovers == ()


def test_what_a_kill_left_behind_is_said_and_goes_with_the_next_addition(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    folder = workshop.at("1.0.0").parent / ".adding-01234567"
    folder.mkdir()
    (folder / "half").write_bytes(b"x")
    assert workshop.registry.verify().leftovers == (folder,)
    assert workshop.registry.versions("churn")[-1].triple == (1, 0, 0)
    workshop.add("1.0.1")
    assert not folder.exists()


def test_two_who_add_the_same_version_at_once_make_one(workshop: Workshop) -> None:
    contract = workshop.contract(MORE)
    artifacts = [workshop.artifact(f"model {number}", f"{number}.pkl") for number in range(4)]
    made: list[bool] = []
    refused: list[RefusedError] = []

    def add(path: Path) -> None:
        try:
            made.append(workshop.registry.add("churn", "1.0.0", path, output=contract, beside=workshop.folder).new)
        except RefusedError as error:
            refused.append(error)

    threads = [threading.Thread(target=add, args=(path,)) for path in artifacts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True]
    assert len(refused) == 3
    assert workshop.registry.verify().damages == ()


def test_two_who_add_different_versions_at_once_are_judged_one_after_the_other(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    contract, artifact = workshop.contract(MORE), workshop.artifact("model")

    def add(version: str) -> None:
        workshop.registry.add("churn", version, artifact, output=contract, beside=workshop.folder)

    threads = [threading.Thread(target=add, args=(f"1.{minor}.0",)) for minor in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(workshop.registry.versions("churn")) == 5
    assert workshop.registry.verify().damages == ()


def test_who_waits_too_long_for_the_lock_is_told(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    with locked(workshop.registry.folder, 0), pytest.raises(BusyError, match="another program is adding"):
        workshop.add("1.0.1", wait=0)
    assert workshop.add("1.0.1", wait=0).new


def test_reading_takes_no_lock(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    with locked(workshop.registry.folder, 0):
        assert workshop.registry.verify().damages == ()
        assert workshop.registry.load("churn", "latest", trusted=True) == "model"


def test_where_no_more_can_be_written_nothing_is_added(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    artifact = workshop.artifact("x" * 100_000, "large.pkl")

    def add() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        with pytest.raises(StorageError, match="nothing was added"):
            workshop.add("1.0.1", path=artifact)

    assert in_child(add) == 0
    assert os.listdir(workshop.registry.folder / "churn") == ["1.0.0"]
    assert workshop.registry.verify().damages == ()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
def test_who_may_not_write_is_told_where_and_can_still_read(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    artifact, contract = workshop.artifact("model"), workshop.contract(MORE)
    os.chmod(workshop.registry.folder / LOCK, 0o666)
    folder = workshop.folder

    def act() -> None:
        for parent in (folder, *folder.parents[:-2]):
            os.chmod(parent, 0o755)
        os.setuid(NOBODY)
        registry = Registry(folder / "model_registry")
        assert registry.load("churn", "latest", trusted=True) == "model"
        for name in ("churn", "other"):
            with pytest.raises(StorageError, match=r"model_registry.*this user may not do that here"):
                registry.add(name, "1.1.0", artifact, output=contract, beside=folder)
        with pytest.raises(StorageError, match="this user may not do that here"):
            Registry(folder / "another").add("churn", "1.1.0", artifact, output=contract, beside=folder)

    assert in_child(act) == 0
    assert workshop.registry.verify().damages == ()


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
@pytest.mark.parametrize(("options", "said"), [("ro", "read-only"), ("size=64k", "the disk is full")])
def test_a_read_only_or_full_file_system_is_told(workshop: Workshop, options: str, said: str) -> None:
    workshop.add("1.0.0")
    artifact = workshop.artifact("x" * 200_000, "large.pkl")
    place = workshop.folder / "mounted"
    place.mkdir()

    def act() -> None:
        if os.system("unshare --mount true 2>/dev/null") != 0:
            os._exit(77)
        inner = (
            f"mount -t tmpfs -o {options} none {place} && "
            f"exec {sys.executable} -m stepdown registry add churn 1.0.1 {artifact} --output contract.json "
            f"--registry {place}/model_registry 2>&1 | tee said"
        )
        os.chdir(workshop.folder)
        os._exit(os.waitstatus_to_exitcode(os.system(f"unshare --mount bash -c '{inner}' >/dev/null")))

    status = in_child(act)
    if os.WEXITSTATUS(status) == 77:
        pytest.skip("no mounts here")
    assert said in (workshop.folder / "said").read_text()
