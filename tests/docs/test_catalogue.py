"""docs/catalogue.md has a row for each adapter with the grades that it really gets, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepdown_adapters.catalogue.entries import names
from tests.docs.repository import ROOT
from tests.kit.catalogue import row
from tests.kit.configuration import Folder

PAGE = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def parts() -> tuple[str, str]:
    """The table, and what stands behind it."""
    _, _, rest = PAGE.partition("<!-- grades -->\n")
    table, _, sections = rest.partition("\n\n")
    return table, sections


def test_the_table_has_a_row_for_each_adapter_and_no_other() -> None:
    shown, _ = parts()
    assert re.findall(r"^\| `([^`]+)`", shown, re.MULTILINE)[1:] == list(names())


@pytest.mark.parametrize("name", names())
def test_the_row_of_an_adapter_has_its_grades(name: str) -> None:
    shown, _ = parts()
    assert row(name) in shown.split("\n"), "python -m tests.kit.catalogue NAME prints the row"


@pytest.mark.parametrize("name", names())
def test_an_adapter_has_a_word_of_its_own_beside_the_table(name: str) -> None:
    _, sections = parts()
    assert f"`{name}`" in sections


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(models:.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_examples_are_configurations(block: str, tmp_path: Path) -> None:
    secrets = dict.fromkeys(re.findall(r"\{env: (\w+)\}", block), "secret")
    assert Folder(tmp_path).load(block, environ=secrets).spec.models
