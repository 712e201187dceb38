"""docs/rollouts.md: its example loads and is not driven, and its commands print what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.config.file.guards import GuardKind
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder

PAGE = (ROOT / "docs/rollouts.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
COMMANDS = re.findall(r"^```console\n\$ stepdown ([^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
CONTRACTS = {
    "1.1.0": '{"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}',
    "2.0.0": '{"type": "object", "properties": {"score": {"type": "number"}, "note": {}}, "required": ["score"]}',
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    for version, text in CONTRACTS.items():
        folder.write(f"contracts/churn/{version}.json", text)
    folder.write("stepdown.yaml", EXAMPLE)
    return folder


def printed(tmp_path: Path, command: str, *more: str) -> list[str]:
    """Lines, of which tables' columns are one space apart."""
    file = str(tmp_path / "stepdown.yaml")
    result = CliRunner().invoke(app, [*shlex.split(command), "--config", file, *more])
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_the_example_is_read_and_stable_has_everything(folder: Folder) -> None:
    loaded = folder.load(EXAMPLE)
    assert loaded.spec.routes[0].rules[0].split == (("1.1.0", 1),)
    assert [guard.name for guard in loaded.spec.rollouts[0].guards] == [
        "errors",
        "adapter_failures",
        "contract_violations",
        "latency",
        "ctr",
    ]
    assert len(loaded.warnings) == 2


def test_every_kind_of_guard_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(get_args(GuardKind))


def test_the_plan_is_what_the_command_prints(tmp_path: Path, folder: Folder) -> None:
    (shown,) = (text for command, text in COMMANDS if command.startswith("rollout plan"))
    (command,) = (command for command, _ in COMMANDS if command.startswith("rollout plan"))
    assert printed(tmp_path, command) == [" ".join(line.split()) for line in shown.splitlines()]


@pytest.mark.parametrize("number", [0, 1])
def test_simulations_come_to_what_the_page_shows(number: int, tmp_path: Path, folder: Folder) -> None:
    """In short: what is supposed to the letter, and what became of it as far as a few runs can tell."""
    command, text = COMMANDS[number]
    shown = [" ".join(line.split()) for line in text.splitlines()]
    runs = printed(tmp_path, command, "--runs", "40")
    until = shown.index("what became of it") + 2
    assert shown[0].replace("1,000 times", "40 times") == runs[0]
    assert shown[1:until] == runs[1:until]
    for theirs, ours in zip(shown[until : until + 3], runs[until : until + 3], strict=True):
        assert rolled_back(theirs) == pytest.approx(rolled_back(ours), abs=25)


def rolled_back(row: str) -> float:
    """The first percentage of a row."""
    found = re.search(r"([\d.]+) %", row)
    assert found is not None
    return float(found[1])
