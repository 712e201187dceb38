"""The catalogue: what it names is there, holds together, and says what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepdown_adapters import Model, ModelError
from stepdown_adapters.catalogue.entries import (
    USED,
    adapter_file,
    contract_file,
    contracts,
    entry,
    expanded,
    names,
)
from stepdown_adapters.contract.reading import read
from stepdown_adapters.errors import CatalogueError

REASONING = "vllm/reasoning-to-reasoning-content"


def described(folder: Path, name: str) -> Model:
    """A model whose newer version is stepped down by the entry."""
    one = entry(name)
    versions = []
    for version, contract in (("1.0.0", one.older), ("2.0.0", one.newer)):
        asked = ""
        if "request" in one.brings:
            asked = f", input: {{catalogue: {contract}}}"
        versions.append(f'  "{version}": {{schema: {{catalogue: {contract}}}{asked}}}\n')
    text = f'versions:\n{"".join(versions)}adapters:\n  - {{from: "2.0.0", to: "1.0.0", use: {name}}}\n'
    (folder / "model.yaml").write_text(text)
    return Model.load(folder / "model.yaml")


@pytest.mark.parametrize("name", names())
def test_an_entry_holds_together_with_its_contracts(name: str, tmp_path: Path) -> None:
    described(tmp_path, name)


@pytest.mark.parametrize("name", names())
def test_an_entry_has_no_member_that_nobody_reads(name: str) -> None:
    found = read(adapter_file(name), name)
    assert set(found) <= {"title", "from", "to", "lost", "refused", *USED}
    assert {"title", "from", "to"} < set(found)


def test_what_is_not_there_is_refused_with_what_was_probably_meant() -> None:
    with pytest.raises(
        CatalogueError, match=f"there is no adapter 'vllm/reasoning-to-reasoning'; did you mean '{REASONING}'"
    ):
        entry("vllm/reasoning-to-reasoning")
    with pytest.raises(CatalogueError, match="there is no contract 'vllm/chatt'; did you mean 'vllm/chat'"):
        contract_file("vllm/chatt")
    with pytest.raises(CatalogueError, match=r"there is no contract 'vllm/chat\.request'"):
        contract_file("vllm/chat.request")


def test_names_are_those_of_the_files_and_contracts_of_requests_have_none_of_their_own() -> None:
    assert REASONING in names()
    assert {"vllm/chat", "vllm/chat-reasoning-content"} <= set(contracts())
    assert not [name for name in contracts() if "request" in name]
    assert contract_file("vllm/chat", "input") != contract_file("vllm/chat")


def test_what_a_section_says_itself_takes_the_place_of_what_an_entry_brings() -> None:
    section = {"from": "2.0.0", "to": "1.0.0", "use": REASONING, "response": [{"remove": "/usage"}]}
    found = expanded(section)
    assert found["response"] == [{"remove": "/usage"}]
    assert found["stream"] == entry(REASONING).brings["stream"]
    assert "use" not in found
    assert expanded({"from": "2.0.0"}) == {"from": "2.0.0"}


def test_a_section_that_names_nothing_that_is_there_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text('versions: {"1.0.0": {}, "2.0.0": {}}\nadapters:\n  - {from: "2.0.0", to: "1.0.0", use: vllm/x}\n')
    with pytest.raises(ModelError, match=r"model.yaml:3: there is no adapter 'vllm/x'"):
        Model.load(file)


def test_an_entry_between_other_contracts_says_what_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "closed.json").write_text('{"type": "object", "properties": {"a": {}}, "additionalProperties": false}')
    (tmp_path / "model.yaml").write_text(
        'versions: {"1.0.0": {schema: closed.json}, "2.0.0": {schema: closed.json}}\n'
        f'adapters:\n  - {{from: "2.0.0", to: "1.0.0", use: {REASONING}}}\n'
    )
    with pytest.raises(ModelError, match=r"model.yaml:3: response \[0\]: /choices"):
        Model.load(tmp_path / "model.yaml")
