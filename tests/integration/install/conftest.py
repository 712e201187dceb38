from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.repository import ROOT


def uv(*arguments: str) -> None:
    """Run uv from its cache alone, which set-up has filled; from a registry where that is not enough."""
    program = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if program is None:
        pytest.skip("no uv: `make setup` installs it where it is missing")
    for more in (["--offline"], []):
        ran = subprocess.run([program, *more, *arguments], capture_output=True, text=True, timeout=110, check=False)
        if ran.returncode == 0:
            return
    pytest.fail(f"uv {' '.join(arguments)}\n{ran.stderr}")


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment: the locked dependencies and the wheel, nothing of this tree."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    python = environment / "bin/python"
    [wheel] = distributions.glob("*.whl")
    uv("venv", "--quiet", "--python", sys.executable, str(environment))
    uv("pip", "install", "--python", str(python), "--require-hashes", "-r", str(ROOT / "requirements/runtime.txt"))
    uv("pip", "install", "--python", str(python), "--no-deps", str(wheel))
    return python.parent
