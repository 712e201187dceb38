from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stepdown.registry.errors import BadInputError, StorageError
from stepdown.registry.training import commit, completed, loaded_libraries, read


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_the_code_and_says_when_files_differ(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    (tmp_path / "train.py").write_text("1\n")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "--quiet", "--message", "One")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert commit(tmp_path) == head
    (tmp_path / "train.py").write_text("2\n")
    assert commit(tmp_path) == f"{head}-dirty"


def test_libraries_are_those_that_the_training_process_has_loaded() -> None:
    program = "from stepdown.registry.training import loaded_libraries; print(loaded_libraries())"
    run = [sys.executable, "-c", program]
    assert subprocess.run(run, capture_output=True, check=True, text=True).stdout == "{}\n"
    assert "numpy" not in loaded_libraries() or "numpy" in sys.modules


def test_what_was_given_goes_before_what_was_found(tmp_path: Path) -> None:
    told = completed({"commit": "abc", "libraries": {"torch": "2"}, "rows": 5}, tmp_path)
    assert told == {"commit": "abc", "libraries": {"torch": "2"}, "rows": 5}


@pytest.mark.parametrize("value", [float("inf"), object(), {1, 2}, "\ud800"])
def test_what_is_no_json_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(BadInputError, match="has no JSON form"):
        completed({"value": value}, tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"), [("[1]", "is a JSON object"), ("{", "is not JSON"), ('"a', "is not JSON")]
)
def test_a_file_of_metadata_is_a_json_object(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "training.json").write_text(text)
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path / "training.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"training\.json: No such file"):
        read(tmp_path / "training.json")
