from __future__ import annotations

import json

from typer.testing import CliRunner

from stepdown.cli.app import app
from stepdown_adapters.catalogue.entries import adapter_file, contract_file, contracts, names

NAME = "vllm/reasoning-to-reasoning-content"


def test_all_adapters_and_contracts_are_listed() -> None:
    output = CliRunner().invoke(app, ["catalogue"]).output
    assert all(f"  {name} " in output for name in (*names(), *contracts()))
    machines = json.loads(CliRunner().invoke(app, ["catalogue", "--json"]).output)
    assert [one["name"] for one in machines["adapters"]] == list(names())
    assert machines["contracts"] == list(contracts())


def test_one_is_printed_as_its_file_is() -> None:
    for arguments, file in (
        ([NAME], adapter_file(NAME)),
        (["vllm/chat"], contract_file("vllm/chat")),
        (["vllm/chat", "--request"], contract_file("vllm/chat", "input")),
    ):
        assert CliRunner().invoke(app, ["catalogue", *arguments]).output == file.read_text()
    assert json.loads(CliRunner().invoke(app, ["catalogue", NAME, "--json"]).output)["newer"] == "vllm/chat"


def test_what_is_not_there_is_an_error_with_the_name_that_was_meant() -> None:
    result = CliRunner().invoke(app, ["catalogue", "vllm/reasoning-to-reasoning"])
    assert result.exit_code == 2
    assert f"did you mean '{NAME}'" in result.output
