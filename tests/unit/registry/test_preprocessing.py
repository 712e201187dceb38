from __future__ import annotations

from pathlib import Path

import pytest

from stepdown.registry.errors import BadInputError
from stepdown.registry.preprocessing import at_hand, code, drift


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "churning"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('preprocessing code is never run')\n")
    (folder / "features.py").write_text("A = 1\n")
    return folder


def test_file_folder_and_import_path_of_the_same_code_have_the_same_hash(package: Path) -> None:
    beside = package.parent
    assert code("churning", beside).sha256 == code(package).sha256
    assert code("churning.features", beside).sha256 == code("churning/features.py", beside).sha256
    assert code("churning.features:encode", beside).sha256 == code("churning.features", beside).sha256


def test_what_running_leaves_behind_and_line_ends_do_not_count(package: Path) -> None:
    before = code(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "features.cpython-311.pyc").write_bytes(b"x")
    (package / ".git").mkdir()
    (package / ".git" / "HEAD").touch()
    (package / "features.py").write_bytes(b"A = 1\r\n")
    assert code(package).sha256 == before.sha256


def test_every_other_change_counts(package: Path) -> None:
    before = code(package)
    (package / "features.py").rename(package / "other.py")
    renamed = code(package)
    found = drift(before, renamed)
    assert found is not None
    assert (found.changed, found.missing, found.new) == ((), ("features.py",), ("other.py",))
    (package / "other.py").write_text("A = 2\n")
    assert str(drift(renamed, code(package))) == "churning: other.py differs"
    assert drift(before, before) is None


@pytest.mark.parametrize("source", ["none.py", "no_such_package", "churning.none", "../x y", "sys", "a..b", ""])
def test_what_is_not_there_is_said(package: Path, source: str) -> None:
    if source == "":
        package = package / "empty"
        package.mkdir()
    with pytest.raises(BadInputError):
        code(source, package.parent if source else package)


def test_code_that_leads_outside_is_refused(package: Path) -> None:
    (package / "more.py").symlink_to("/etc/hostname")
    with pytest.raises(BadInputError, match="symbolic link"):
        code(package)


def test_the_recorded_name_finds_the_code_again(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package.parent)
    for source in ("churning", "churning/features.py", "churning.features"):
        recorded = code(source)
        assert recorded.source == source
        assert at_hand(recorded) == recorded
    monkeypatch.chdir("/")
    assert at_hand(recorded) is None
