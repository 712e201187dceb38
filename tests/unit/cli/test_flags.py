"""Flags of a provider on the command line: who would be asked, and what if it had said something."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from stepdown.cli.check import check
from stepdown.cli.explain import explain

FILE = """
listen: 127.0.0.1:0
flags:
  provider: tests.kit.commanded_provider:make
  declare: {ranker: string, beta: boolean}
  context: {email: {header: x-email}}
models:
  m:
    default_version: "1.0.0"
    versions:
      "1.0.0": {endpoints: ["http://127.0.0.1:18081"]}
      "2.0.0": {endpoints: ["http://127.0.0.1:18082"]}
    adapters: [{from: "2.0.0", to: "1.0.0"}]
routes:
  r:
    match: {path: /x}
    model: m
    key: [{header: x-user-id}]
    rules:
      - {name: beta, when: {flag: beta}, split: {"2.0.0": 1}}
      - {name: all, flag: {name: ranker, versions: {old: "1.0.0", new: "2.0.0"}, default: "1.0.0"}}
"""
APP = typer.Typer()
APP.command()(explain)
CHECK = typer.Typer()
CHECK.command()(check)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stepdown.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(APP, [str(file), "--path", "/x", "-H", "x-user-id: 7", *arguments])


def test_nobody_is_asked_and_the_default_counts(file: Path) -> None:
    told = run(file, "-H", "x-email: a@b")
    assert told.exit_code == 0
    assert 'commanded_provider:make would be asked, with {"targetingKey": "7", "email": "a@b"}' in told.stdout
    assert "Served by 1.0.0, because the flag gave it the request." in told.stdout


def test_what_if_the_provider_had_said_something(file: Path) -> None:
    told = run(file, "--flag", "ranker=new", "--flag", "beta=false")
    assert "Flag ranker says new (as --flag has it)." in told.stdout
    assert "Passed over rule beta" in told.stdout
    assert "Served by 2.0.0, because the flag gave it the request." in told.stdout
    told = run(file, "--flag", "beta=true")
    assert "Rule beta holds" in told.stdout
    assert "Served by 2.0.0, because it is the assigned version." in told.stdout


@pytest.mark.parametrize(
    ("given", "complaint"),
    [("rankr=new", "no such flag is asked; there are beta, ranker"), ("ranker", "found no NAME=VARIANT")],
)
def test_what_nobody_asks_cannot_be_supposed(file: Path, given: str, complaint: str) -> None:
    told = run(file, "--flag", given)
    assert (told.exit_code, complaint in told.stderr) == (2, True)


def test_flags_of_a_file_are_evaluated_and_not_supposed(file: Path) -> None:
    (file.parent / "flags.json").write_text('{"flags": {}}')
    before, _, after = FILE.partition("flags:\n")
    rules = after.partition("    rules:")[0].partition("models:")[2]
    file.write_text(f"{before}flags: {{file: flags.json}}\nmodels:{rules}    split: {{'1.0.0': 1}}\n")
    told = run(file, "--flag", "ranker=new")
    assert "there is no provider; flags of a file are evaluated" in told.stderr


def test_recorded_requests_have_flags_of_their_own(file: Path) -> None:
    told = CliRunner().invoke(APP, [str(file), "--replay", "-", "--flag", "ranker=new"])
    assert told.exit_code == 2
    assert "--flag" in told.stderr


def test_check_shows_what_is_asked_and_with_what(file: Path) -> None:
    told = CliRunner().invoke(CHECK, [str(file)])
    rows = [line.split() for line in told.stdout.splitlines()]
    context = ["targetingKey,", "email", "(header", "x-email)"]
    assert ["beta", "boolean", *context, "r/beta"] in rows
    assert ["ranker", "string", *context, "r/all"] in rows
    machine = CliRunner().invoke(CHECK, [str(file), "--json"])
    assert '"told": [' in machine.stdout
