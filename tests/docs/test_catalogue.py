"""docs/catalogue.md has a row for each adapter with the grades that it really gets, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepdown_adapters.catalogue.entries import names
from tests.docs.repository import ROOT
from tests.kit.catalogue import table
from tests.kit.configuration import Folder

PAGE = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def test_the_table_has_the_grade_of_each_adapter() -> None:
    _, _, rest = PAGE.partition("<!-- grades -->\n")
    shown, _, _ = rest.partition("\n\n")
    assert shown + "\n" == table(), "python -m tests.kit.catalogue prints the table"


def test_every_adapter_has_a_word_of_its_own_beside_the_table() -> None:
    _, _, rest = PAGE.partition("<!-- grades -->\n")
    _, _, sections = rest.partition("\n\n")
    assert [name for name in names() if f"`{name}`" not in sections] == []


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(models:.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_examples_are_configurations(block: str, tmp_path: Path) -> None:
    assert Folder(tmp_path).load(block).spec.models
