from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from stepdown.registry.digest import (
    NotPlainError,
    files_below,
    open_plain,
    sha256_of_file,
    sha256_of_json,
    sha256_of_listing,
)


def test_a_file_is_hashed_and_seen_piece_by_piece(tmp_path: Path) -> None:
    data = os.urandom(3 * 1024 * 1024 + 7)
    (tmp_path / "a").write_bytes(data)
    seen: list[bytes] = []
    assert sha256_of_file(tmp_path / "a", seen.append) == (hashlib.sha256(data).hexdigest(), len(data))
    assert b"".join(seen) == data
    assert len(seen) > 1


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotPlainError, match=r"symbolic link \(to file\)"):
        open_plain(tmp_path / "link")
    with pytest.raises(NotPlainError, match="no regular file"):
        open_plain(tmp_path / "pipe")
    with pytest.raises(NotPlainError, match="no regular file"):
        open_plain(tmp_path)


def test_a_folder_is_hashed_as_sha256sum_lists_it(tmp_path: Path) -> None:
    for name in ("b", "a", "inner/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    hashes = {name: sha256_of_file(path)[0] for name, path in files_below(tmp_path)}
    assert list(hashes) == ["a", "b", "inner/c"]
    listing = subprocess.run(["sha256sum", *sorted(hashes)], cwd=tmp_path, capture_output=True, check=True).stdout
    assert sha256_of_listing(hashes) == hashlib.sha256(listing).hexdigest()


def test_links_to_folders_are_listed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "way-out").symlink_to(tmp_path / "outside")
    assert [name for name, _ in files_below(tmp_path / "inside")] == ["way-out"]


def test_the_hash_of_a_json_value_is_that_of_its_meaning() -> None:
    assert sha256_of_json({"a": 1, "b": [1.5, "ü"]}) == sha256_of_json({"b": [1.5, "ü"], "a": 1})
    assert sha256_of_json({"a": 1}) != sha256_of_json({"a": "1"})
    for flawed in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(ValueError, match=r"not JSON compliant|surrogates not allowed"):
            sha256_of_json(flawed)
