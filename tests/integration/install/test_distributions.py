"""What the wheel and the sdist hold."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.docs.repository import ROOT, tracked

pytestmark = pytest.mark.xdist_group("install")


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_both_packages_whole_and_nothing_else(distributions: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    inside = {name for name in names(wheel) if ".dist-info/" not in name}
    roots = {"proxy": ROOT / "proxy", "adapters": ROOT / "adapters"}
    tree = {str((ROOT / path).relative_to(roots[path.parts[0]])) for path in tracked() if path.parts[0] in roots}
    assert tree <= inside
    assert {name.split("/")[0] for name in inside} == {"stepdown", "stepdown_adapters"}


def test_the_wheel_carries_the_licence_and_says_that_it_is_typed(distributions: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    inside = names(wheel)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in inside)
    assert {"stepdown/py.typed", "stepdown_adapters/py.typed"} <= inside


def test_a_wheel_built_from_the_sdist_is_the_same(distributions: Path, tmp_path: Path) -> None:
    [sdist] = distributions.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", str(sdist), "-C", str(tmp_path)], check=True)
    [unpacked] = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
    subprocess.run(command, cwd=unpacked, check=True, capture_output=True)
    [again], [wheel] = (tmp_path / "again").glob("*.whl"), distributions.glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()


def test_the_sdist_carries_the_examples_and_the_documentation(distributions: Path) -> None:
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {Path(name).relative_to(Path(name).parts[0]) for name in archive.getnames()}
    wanted = {Path(name) for name in ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml")}
    assert wanted | {path for path in tracked() if path.parts[0] in {"docs", "config"}} <= inside
