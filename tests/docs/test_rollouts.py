"""docs/rollouts.md: its example loads, stands where the page says, and its commands print what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown.cli.rollout import rollout
from stepdown.config.file.guards import GuardKind
from stepdown.decide.rollout_spec import Driven
from stepdown.rollout.phases import Phase
from tests.docs.repository import ROOT
from tests.kit.configuration import Folder
from tests.kit.rollout_admin import rollout_admin
from tests.kit.walked import Walked

PAGE = (ROOT / "docs/rollouts.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]
COMMANDS = [
    (command, text)
    for command, text in re.findall(r"^```console\n\$ stepdown ([^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    if not text.startswith("$")
]
SIMULATIONS = [(command, text) for command, text in COMMANDS if command.startswith("rollout simulate")]
DRIVEN = [(command, text) for command, text in COMMANDS if command.split()[1] in {"status", "verdict"}]
ENVIRON = {
    "STEPDOWN_ADMIN_TOKEN": "rollouts-are-driven-with-this",
    "STEPDOWN_FEEDBACK_SECRET": "tokens-are-signed-with-this",
    "SHOP_KEY": "and-posted-back-with-this",
}
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
    result = CliRunner().invoke(app, [*shlex.split(command), "--config", file, *more], env=ENVIRON)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_the_example_is_read_and_stable_has_everything(folder: Folder) -> None:
    loaded = folder.load(EXAMPLE, environ=ENVIRON)
    assert loaded.spec.routes[0].rules[0].split == (("1.1.0", 1),)
    assert [guard.name for guard in loaded.spec.rollouts[0].guards] == [
        "errors",
        "adapter_failures",
        "contract_violations",
        "latency",
        "ctr",
    ]
    assert loaded.warnings == ()


def test_the_example_can_be_driven_by_its_token(folder: Folder) -> None:
    loaded = folder.load(EXAMPLE, environ=ENVIRON)
    assert loaded.process.admin == ("127.0.0.1", 9901)
    assert [token.role for token in loaded.tokens] == ["operate"]


def test_every_place_for_the_state_is_one_that_a_file_may_name(folder: Folder) -> None:
    blocks = re.findall(r"^```yaml\n(state: .*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1:]
    assert len(blocks) == 2
    first, rest = EXAMPLE.split("\n", 1)
    assert first.startswith("state: ")
    stores = [folder.load(block + rest, environ=ENVIRON).store for block in blocks]
    assert [store is not None and (store.file is None, store.redis is None) for store in stores] == [
        (False, True),
        (True, False),
    ]


def test_every_kind_of_guard_has_its_row() -> None:
    table = PAGE.partition("## Guards")[2].partition("\n\nWithout")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(get_args(GuardKind))


def test_the_plan_is_what_the_command_prints(tmp_path: Path, folder: Folder) -> None:
    (shown,) = (text for command, text in COMMANDS if command.startswith("rollout plan"))
    (command,) = (command for command, _ in COMMANDS if command.startswith("rollout plan"))
    assert printed(tmp_path, command) == [" ".join(line.split()) for line in shown.splitlines()]


@pytest.mark.parametrize("number", range(len(SIMULATIONS)))
def test_simulations_come_to_what_the_page_shows(number: int, tmp_path: Path, folder: Folder) -> None:
    """In short: what is supposed to the letter, and what became of it as far as a few runs can tell."""
    command, text = SIMULATIONS[number]
    shown = [" ".join(line.split()) for line in text.splitlines()]
    runs = printed(tmp_path, command, "--runs", "40")
    until = shown.index("what became of it") + 2
    assert shown[0].replace("1,000 times", "40 times") == runs[0]
    assert shown[1:until] == runs[1:until]
    for theirs, ours in zip(shown[until : until + 3], runs[until : until + 3], strict=True):
        assert rolled_back(theirs) == pytest.approx(rolled_back(ours), abs=25)


def test_what_it_shows_of_a_running_rollout_is_what_the_commands_print_of_such_a_position(folder: Folder) -> None:
    """The counts are made up, everything else is worked out from them."""
    rollouts = Walked(folder.load(EXAMPLE, environ=ENVIRON).spec.rollouts[0])
    one = rollouts.one.started()
    first = {"errors": (1, 11), "adapter_failures": (0, 6), "contract_violations": (0, 6), "slow": (6, 114)}
    second = {"errors": (3, 9), "adapter_failures": (2, 4), "contract_violations": (1, 5), "slow": (31, 89)}
    one.sees(10, units=12_000, **first, clicks=(24, 456)).sees(4, units=12_000, **second, clicks=(112, 361))
    driven = Driven(run=1, step=1, weight=25, stable="1.1.0")
    one.walk.rollout = msgspec.structs.replace(one.walk.rollout, driven=driven)
    one.fields["rate"] = 200.0
    assert [command for command, _ in DRIVEN] == ["rollout status churn-2", "rollout verdict churn-2"]
    with rollout_admin(rollouts) as sidecar:
        for command, text in DRIVEN:
            assert sidecar.run(*command.split()[1:]).stdout == text


def test_every_command_and_every_phase_has_its_row() -> None:
    named = {command.name or command.callback.__name__ for command in rollout.registered_commands if command.callback}
    assert set(re.findall(r"^\| `(\w+) \[?NAME\]?` \|", PAGE, re.MULTILINE)) == named - {"simulate", "plan"}
    table = PAGE.partition("## Where it can stand")[2].partition("\n\n**")[0]
    assert [row.strip() for row in re.findall(r"^\| ([a-z ]+) \|", table, re.MULTILINE)][1:] == list(get_args(Phase))


def rolled_back(row: str) -> float:
    """The first percentage of a row."""
    found = re.search(r"([\d.]+) %", row)
    assert found is not None
    return float(found[1])
