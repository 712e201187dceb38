"""docs/adapters.md is about the operations that there are, and its examples run."""

import re
from pathlib import Path

import pytest
import yaml

from stepdown_adapters.operations import parse
from stepdown_adapters.operations.case import Case
from stepdown_adapters.operations.envelope import HEAD_EDITS
from stepdown_adapters.operations.table import CONVERSIONS, EDITS
from stepdown_adapters.operations.within import In

PAGE = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
KINDS = {kind.name: kind for kind in (In, Case, *EDITS.values(), *CONVERSIONS.values(), *HEAD_EDITS.values())}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_table_has_every_operation_in_the_order_of_the_code_with_its_loss() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (\w+): (.*) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == list(KINDS)
    for name, _, _, loss, note in rows:
        assert (loss, note) == (KINDS[name].loss.value, KINDS[name].note)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_examples_in_yaml_are_valid(block: str) -> None:
    assert parse(yaml.safe_load(block))


def test_the_example_in_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("python")
    exec(compile(block, "docs/adapters.md", "exec"), {"__name__": "documentation"})
    assert "def response(body, context):" in capsys.readouterr().out
