"""config/canary: the example is good as it is, and its simulations say that its demo can be relied on."""

from __future__ import annotations

import random
import re
import shlex

import msgspec
import pytest
from typer.testing import CliRunner

from config.canary.population import items_of_1, items_of_2
from config.canary.server import FINDS, GENRES, Recommender
from stepdown.cli.app import app
from stepdown.config import load
from stepdown_adapters.context import Context
from stepdown_adapters.generate import compile_chain
from tests.docs.repository import ROOT

FOLDER = ROOT / "config/canary"
FILE = FOLDER / "stepdown.yaml"
ENVIRON = {
    name: f"a-long-secret-of-this-test-{number}"
    for number, name in enumerate(["STEPDOWN_ADMIN_TOKEN", "CANARY_FEEDBACK_SECRET", "CANARY_FEEDBACK_KEY"])
}
README = (FOLDER / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```console\n\$ stepdown (rollout [^\n]*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def printed(command: str, *more: str) -> list[str]:
    """What a command says, in lines without what depends on the width of a terminal."""
    result = CliRunner().invoke(app, [*shlex.split(command), "--config", str(FILE), *more], env=ENVIRON)
    assert result.exit_code == 0, result.output
    return words(result.stdout)


def words(text: str) -> list[str]:
    """All of them: neither columns nor line breaks count."""
    return text.split()


def test_the_example_is_good_and_stable_serves_everybody_until_it_is_started() -> None:
    result = CliRunner().invoke(app, ["check", str(FILE)], env=ENVIRON)
    assert result.exit_code == 0, result.output
    assert "2.0.0 100 %" in result.stdout
    assert "5 % for 12 s, 25 % for 12 s, 50 % for 12 s, 100 % for 12 s" in result.stdout


@pytest.mark.parametrize(
    ("number", "limit"), [(0, "--max-rolled-back=2%"), (1, "--min-rolled-back=98%"), (2, "--min-rolled-back=98%")]
)
def test_simulations_print_what_the_page_shows_and_say_that_each_build_ends_as_it_should(
    number: int, limit: str
) -> None:
    command, shown = COMMANDS[number]
    assert printed(command, limit)[: len(words(shown))] == words(shown)


def test_the_plan_is_what_the_command_prints_and_finds_both_faults_at_the_first_steps() -> None:
    command, shown = COMMANDS[3]
    assert printed(command) == words(shown)
    assert "contract_violations from 0.05 % to 20 % is found in time at 5 %" in shown
    assert re.search(r"click-through from 41 % to 20\.9 % is found in time at (5|25) %", shown)


def test_builds_are_clicked_as_often_as_the_simulations_suppose() -> None:
    """4 of 5 answers have something that users like, of which half are clicked, and a twentieth of the others."""
    rates = {build: finds * 0.5 + (1 - finds) * 0.05 for build, finds in FINDS.items()}
    assert rates["good"] == pytest.approx(0.41)
    assert rates["dull"] == pytest.approx(0.41 * (1 - 0.49), abs=0.002)


@pytest.mark.parametrize("version", ["2.0.0", "3.0.0"])
def test_old_applications_can_read_all_answers_of_a_good_build_and_not_of_an_empty_one(
    version: str,
) -> None:
    [model] = load(FILE, ENVIRON).spec.models
    ways = {(chain.served, chain.pinned): compile_chain(chain.steps) for chain in model.chains}
    readable = {}
    for build in ("good", "empty"):
        server = Recommender(version, build, random.Random(1))
        answers = [msgspec.json.encode(server.answer(GENRES[number % 5])) for number in range(100)]
        old = [msgspec.json.decode(ways[version, "1.0.0"].response(answer, Context())) for answer in answers]
        readable[build] = sum(items_of_1(answer) is not None for answer in old)
    assert readable["good"] == 100
    assert 60 <= readable["empty"] <= 95


def test_applications_of_today_can_read_an_answer_of_3_0_0() -> None:
    [model] = load(FILE, ENVIRON).spec.models
    (steps,) = (chain.steps for chain in model.chains if (chain.served, chain.pinned) == ("3.0.0", "2.0.0"))
    answer = Recommender("3.0.0", "good", random.Random(1)).answer("opera")
    assert items_of_2(answer) is None
    items = items_of_2(msgspec.json.decode(compile_chain(steps).response(msgspec.json.encode(answer), Context())))
    assert items is not None
    assert len(items) == 3


def test_every_command_of_the_readme_names_what_is_there() -> None:
    for path in re.findall(r"(?<=[ (])(?:config/canary/)?([\w.]+\.(?:py|yaml))\b", README):
        assert (FOLDER / path).is_file(), path
    for module in re.findall(r"python -m config\.canary\.(\w+)", README):
        assert (FOLDER / f"{module}.py").is_file(), module
    assert re.search(r"^demo-canary:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
