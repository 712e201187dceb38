"""config/llm: the example is good as it is, its demo holds or says what it lacks, and its page shows what it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.llm.demo import OPENAI, equal_but_for_text, missing, streamed
from stepdown.cli.app import app
from tests.docs.repository import ROOT

FOLDER = ROOT / "config/llm"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def demo(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "config.llm.demo"]
    environ = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=110, check=False)


def test_the_example_is_good_and_steps_down_whoever_is_in_the_trial() -> None:
    environ = {"STEPDOWN_ADMIN_TOKEN": "a-secret-of-this-test"}
    result = CliRunner().invoke(app, ["check", str(FOLDER / "stepdown.yaml")], env=environ)
    assert result.exit_code == 0, result.output
    assert "warning" not in result.output
    assert re.search(r"trial +x-trial=yes +2\.0\.0 100 %", result.stdout)
    assert re.search(r"1\.0\.0 .* native +adapted", result.stdout)
    assert "100 % of requests" in result.stdout


def executable(file: Path, script: str) -> Path:
    """A program that stands for a Python."""
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


@pytest.mark.slow
@pytest.mark.real
def test_the_demo_holds_and_prints_what_the_page_shows() -> None:
    if lacks := missing():
        pytest.skip(lacks)
    ran = demo()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "NOT HELD" not in ran.stdout
    (shown,) = re.findall(r"^```text\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    printed = " ".join(ran.stdout.split())
    for line in re.sub(r"^(  '.*':) [^:]*[|].*$", r"\1", shown, flags=re.MULTILINE).splitlines():  # not the nonsense
        assert line == "..." or " ".join(line.split()) in printed, line


def test_without_the_server_the_demo_says_what_is_missing_and_is_no_failure(tmp_path: Path) -> None:
    ran = demo(STEPDOWN_LLAMA_PYTHON=str(tmp_path / "python"))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Skipped. ")
    assert "installed" in ran.stdout


@pytest.mark.skipif(not Path(OPENAI).exists(), reason="openai-python is not installed in .envs/openai")
@pytest.mark.parametrize(
    ("script", "told"),
    [
        (None, "No such file or directory"),
        ("echo Traceback >&2; echo \"No module named 'llama_cpp'\" >&2; exit 1", "No module named 'llama_cpp'"),
        ("exit 1", "it does not say why"),
    ],
)
def test_it_says_what_is_wrong_with_the_python_that_was_named(script: str | None, told: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    if script is not None:
        executable(python, script)
    ran = demo(STEPDOWN_LLAMA_PYTHON=str(python))
    assert ran.returncode == 0, ran.stderr
    assert f"{python}: {told})" in ran.stdout


@pytest.mark.skipif(not Path(OPENAI).exists(), reason="openai-python is not installed in .envs/openai")
@pytest.mark.parametrize(
    ("fails", "told"),
    [
        ("*model.py*", "the model of server-1 cannot be written: no space left"),
        ("*llama_cpp.server*--model*", "server-1 ended with code 1:\nno space left"),
    ],
)
def test_a_server_that_does_not_come_up_is_told_in_a_sentence(fails: str, told: str, tmp_path: Path) -> None:
    script = f'case "$*" in {fails}) echo no space left >&2; exit 1;; esac'
    ran = demo(STEPDOWN_LLAMA_PYTHON=str(executable(tmp_path / "python", script)))
    assert ran.returncode == 1
    assert (ran.stdout, ran.stderr.strip()) == ("", told)


@pytest.mark.parametrize(
    "wrong",
    [
        {"error": "BadRequestError"},
        {"served": "1.0.0"},
        {"object": "chat.completion.chunk"},
        {"finish": None},
        {"pieces": ["ab"]},
        {"text": "other"},
    ],
)
def test_an_answer_that_is_no_whole_stream_of_the_older_shape_does_not_hold(wrong: dict[str, object]) -> None:
    good = {"error": "", "served": "2.0.0", "object": "text_completion", "finish": "stop", "pieces": ["a", "b"]}
    assert streamed([{**good, "text": "ab"}], "2.0.0")
    assert not streamed([{**good, "text": "ab", **wrong}], "2.0.0")


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, True),
        ({"paths": [{"path": "/choices/*/finish_reason"}]}, True),
        ({"compared": 9}, False),
        ({"paths": [{"path": "/object"}]}, False),
        ({"contract": {"checked": 0, "invalid_candidate": 0}}, False),
        ({"contract": {"checked": 5, "invalid_candidate": 1}}, False),
    ],
)
def test_a_report_holds_where_enough_was_compared_and_no_more_than_the_text_differs(
    changed: dict[str, object], holds: bool
) -> None:
    contract = {"checked": 5, "invalid_candidate": 0}
    report = {"compared": 10, "paths": [{"path": "/choices/*/text"}], "contract": contract, **changed}
    assert equal_but_for_text(report, 10) is holds
    assert not equal_but_for_text({}, 10)


def test_every_command_of_the_page_names_what_is_there() -> None:
    for path in re.findall(r"(?<=[ (])(?:config/llm/)?([\w.]+\.(?:py|yaml))\b", README):
        assert (FOLDER / path).is_file(), path
    assert re.search(r"^demo-llm:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
