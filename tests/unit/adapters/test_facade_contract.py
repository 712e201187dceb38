"""`Contract`: loaded or made, held against documents, compared; and what the package exports."""

import subprocess
import sys
from pathlib import Path

import pytest

import stepdown_adapters
from stepdown_adapters import BrokenContractError, Contract, ContractError, compare
from stepdown_adapters.contract import model

CONTRACTS = Path(__file__).parents[3] / "config" / "library" / "contracts"


def test_a_contract_is_loaded_relative_to_a_folder() -> None:
    contract = Contract.load("1.0.0.json", CONTRACTS)
    assert contract.is_valid({"probability": 0.5, "label": "stay"})
    assert contract.is_valid(b'{"probability": 0.5, "label": "stay"}')
    assert Contract.load(CONTRACTS / "1.0.0.json").schema == contract.schema
    assert Contract.load({"json_schema": "1.0.0.json"}, CONTRACTS).kind == "json-schema"
    with pytest.raises(ContractError):
        Contract.load("gone.json", CONTRACTS)


def test_a_schema_in_memory_is_a_contract() -> None:
    contract = Contract.of({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}, "n")
    assert (contract.is_valid(1), contract.is_valid("1"), contract.place) == (True, False, "n")
    assert Contract.of(True).is_valid({"a": 1})
    with pytest.raises(ContractError, match="n#/type"):
        Contract.of({"type": "nummer"}, "n")
    with pytest.raises(ContractError, match="none that could refer to files"):
        Contract.of({"$ref": "other.json"})


def test_violations_have_paths_without_the_documents_own_names_unless_exact_ones_are_asked_for() -> None:
    contract = Contract.of({"additionalProperties": {"items": {"type": "number"}}})
    document = {"ann@example.com": [1, "high"]}
    [private], [exact] = contract.violations(document), contract.violations(document, exact=True)
    assert (private.path, exact.path) == ("/*/*", "/ann@example.com/1")
    assert private.message == exact.message == "is a string, not of type number"


def test_a_broken_contract_is_an_error_with_every_violation() -> None:
    contract = Contract.load("1.0.0.json", CONTRACTS)
    contract.validate({"probability": 1, "label": "churn"})
    with pytest.raises(BrokenContractError) as caught:
        contract.validate({"probability": 1.5, "more": 1})
    assert {violation.keyword for violation in caught.value.violations} == {
        "maximum",
        "required",
        "additionalProperties",
    }
    assert str(caught.value).count("\n") == 3
    assert "  /probability is above 1" in str(caught.value).splitlines()


def test_contracts_are_compared() -> None:
    older, newer = (Contract.load(f"{version}.json", CONTRACTS) for version in ("1.0.0", "2.0.0"))
    diff = older.compare(newer)
    assert diff.bump == "major"
    assert diff == compare(older, newer)
    assert older.compare(older).compatible


def test_a_contract_is_one_of_the_rest_of_the_library() -> None:
    plain = model.Contract({"type": "number"}, "json-schema", "here", warnings=("w",))
    held = Contract.of(plain)
    assert isinstance(held, model.Contract)
    assert (held.schema, held.place, held.warnings) == (plain.schema, "here", ("w",))


def test_every_exported_name_is_there() -> None:
    for name in stepdown_adapters.__all__:
        assert getattr(stepdown_adapters, name).__name__ == name
    assert dir(stepdown_adapters) == sorted(stepdown_adapters.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Adaptor'"):
        _ = stepdown_adapters.Adaptor


def test_the_package_alone_imports_nothing_heavy() -> None:
    code = "import sys, stepdown_adapters; print([m for m in ('yaml', 'msgspec', 'jsonschema_rs') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
