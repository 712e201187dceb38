"""docs/diff.md shows the catalogue of the code, and its example runs."""

import re
from pathlib import Path

import pytest

from stepdown_adapters.diff.report import catalogue
from stepdown_adapters.diff.sections import SECTIONS

PAGE = (Path(__file__).parents[4] / "docs" / "diff.md").read_text(encoding="utf-8")


def test_the_catalogue_is_the_one_of_the_code() -> None:
    shown = PAGE.partition("## The catalogue\n")[2]
    assert shown[shown.index("### ") :] == catalogue()
    assert shown.count("\n| `") == sum(map(len, SECTIONS.values()))


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_example_in_python_runs(block: str) -> None:
    exec(compile(block, "docs/diff.md", "exec"), {"__name__": "documentation"})
