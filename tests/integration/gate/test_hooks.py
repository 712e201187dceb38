"""The composite action and the pre-commit hook: well-formed, and their commands run in a real repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stepdown.cli.app import app
from tests.integration.gate.conftest import Project

ROOT = Path(__file__).parents[3]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def test_the_action_is_composite_and_each_of_its_inputs_is_explained_and_used() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert {"file", "base", "policy"} <= ACTION["inputs"].keys()
    text = (ROOT / "action.yml").read_text()
    for name, value in ACTION["inputs"].items():
        assert value["description"], name
        assert f"inputs.{name}" in text
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        assert "run" not in step or step["shell"] == "bash"


def test_no_input_is_written_into_a_script() -> None:
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


@bash
def test_the_scripts_of_the_action_are_scripts() -> None:
    for step in STEPS:
        if "run" in step:
            done = subprocess.run(["bash", "-n"], input=step["run"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """An environment in which `stepdown` is a command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "stepdown"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stepdown "$@"\n')
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def act(project: Project, environ: dict[str, str], folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's judgement as a runner does."""
    (step,) = [step for step in STEPS if step.get("id") == "gate"]
    variables = {"FILE": "stepdown.yaml", "BASE": "main", "DEFAULT_BRANCH": "main", "POLICY": "", "STRICT": "false"}
    assert variables.keys() == step["env"].keys()
    places = {"RUNNER_TEMP": folder, "GITHUB_OUTPUT": folder / "output", "GITHUB_STEP_SUMMARY": folder / "summary"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(
        command,
        cwd=project.path,
        env={**environ, **variables, **inputs, **{name: str(place) for name, place in places.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@bash
def test_the_action_writes_its_reports_and_fails_with_the_gate(
    project: Project, commands: dict[str, str], tmp_path: Path
) -> None:
    project.write("contracts/1.0.0.json", '{"type": "object"}')
    done = act(project, commands, tmp_path)
    assert done.returncode == 1, done.stderr
    assert "[contract-edited]" in done.stdout
    assert '"version": "2.1.0"' in (tmp_path / "stepdown-gate.sarif").read_text()
    assert (tmp_path / "output").read_text() == f"sarif={tmp_path}/stepdown-gate.sarif\n"
    assert (tmp_path / "summary").read_text().startswith("### Stepdown gate: failed")


@pytest.mark.slow
@bash
def test_the_action_fetches_a_base_that_a_shallow_clone_does_not_have(
    project: Project, commands: dict[str, str], tmp_path: Path
) -> None:
    published = project.git("rev-parse", "HEAD")
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    project.write("README", "x")
    project.commit()
    clone = tmp_path / "clone"
    project.git("clone", "--quiet", "--depth=1", f"file://{project.path}", str(clone))
    project.path = clone
    done = act(project, commands, tmp_path, BASE=published)
    assert done.returncode == 0, done.stderr
    assert "compared with FETCH_HEAD (" in done.stdout


@bash
def test_the_action_says_when_nothing_is_installed(project: Project, tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    for name in ("git", "bash"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    done = act(project, {"PATH": str(tmp_path / "bin")}, tmp_path)
    assert done.returncode == 2
    assert "::error::stepdown is not installed" in done.stdout


def test_the_hook_has_what_pre_commit_asks_for() -> None:
    assert {"id", "name", "entry", "language"} <= HOOK.keys()
    assert (HOOK["id"], HOOK["language"], HOOK["pass_filenames"]) == ("stepdown-gate", "python", False)
    assert HOOK["entry"].split()[:2] == ["stepdown", "gate"]
    assert "gate" in {
        command.name or (command.callback and command.callback.__name__) for command in app.registered_commands
    }


@pytest.mark.slow
def test_the_hook_stops_a_commit_that_would_break_clients(project: Project, commands: dict[str, str]) -> None:
    hook = project.write(".git/hooks/pre-commit", f"#!/bin/sh\nexec {HOOK['entry']}\n")
    hook.chmod(0o755)

    def commit() -> subprocess.CompletedProcess[str]:
        environ = {**commands, **{f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER")
                                  for what in ("NAME", "EMAIL")}}  # fmt: skip
        command = ["git", "commit", "--quiet", "--all", "--message", "x"]
        return subprocess.run(command, cwd=project.path, env=environ, capture_output=True, text=True, check=False)

    project.write("contracts/1.0.0.json", '{"type": "object"}')
    refused = commit()
    assert refused.returncode == 1
    assert "[contract-edited] churn 1.0.0" in refused.stdout + refused.stderr
    project.git("checkout", "--quiet", "contracts/1.0.0.json")
    project.change(("listen: 127.0.0.1:8080", "listen: 127.0.0.1:8081"))
    assert commit().returncode == 0
