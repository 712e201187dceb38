"""Every worked example has adapters that `stepdown prove` proves: an example that it refutes teaches a leak."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stepdown.cli.app import app
from tests.docs.repository import ROOT

EXAMPLES = sorted(ROOT.glob("config/*/stepdown.yaml"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_every_chain_of_an_example_is_proved(file: Path) -> None:
    result = CliRunner().invoke(app, ["prove", str(file), "--documents", "200"])
    assert result.exit_code == 0, result.output
    last = result.output.splitlines()[-1]
    assert last.startswith("passed: ")
    assert last.endswith(" PROVED")
    assert "TESTED" not in last
