"""The examples of docs/library.md run, in a copy of config/library."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from stepdown_adapters import Model
from stepdown_adapters.integrations.expectations import OldClient
from tests.docs.repository import ROOT

PAGE = (ROOT / "docs/library.md").read_text(encoding="utf-8")


def blocks(language: str, mark: str = "") -> list[str]:
    """The blocks in a language; with a mark, those under the comment `<!-- mark -->`, else those under none."""
    found = re.findall(r"^(<!-- (\w+) -->\n)?```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [text for _, under, written, text in found if written == language and under == mark]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "config/library", tmp_path / "library")
    monkeypatch.chdir(tmp_path / "library")
    return tmp_path / "library"


def test_the_examples_in_python_run_one_after_another(folder: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "documentation"}
    assert len(blocks("python")) == 8
    for block in blocks("python"):
        exec(compile(block, "docs/library.md", "exec"), namespace)


def test_the_example_for_pytest_passes(folder: Path) -> None:
    [ini], [tests] = blocks("ini"), blocks("python", "pytest")
    (folder / "pytest.ini").write_text(ini)
    (folder / "test_old_clients.py").write_text(tests)
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ["-p", "no:cacheprovider", "-p", "stepdown_adapters.integrations.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "5 passed" in ran.stdout


def test_a_failure_reads_as_the_page_shows(folder: Path) -> None:
    [shown] = blocks("text")
    client = OldClient(Model.load("churn.yaml"), "1.0.0", "1.1.0")
    with pytest.raises(AssertionError) as caught:
        client({"probability": 1.5})
    assert str(caught.value) == shown.rstrip()


def test_the_example_for_fastapi_answers_old_clients(folder: Path) -> None:
    [block], [console] = blocks("python", "application"), blocks("console")
    module: dict[str, Any] = {"__name__": "documentation"}
    exec(compile(block.replace('"churn.yaml"', repr(str(folder / "churn.yaml"))), "docs/library.md", "exec"), module)
    body = re.search(r"--json '(.*?)'", console)
    assert body is not None

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(module["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {"x-model-version": "1.0.0", "content-type": "application/json"}
            return await client.post("/predict", content=body[1], headers=headers)

    import asyncio

    assert asyncio.run(ask()).text == console.splitlines()[1]
