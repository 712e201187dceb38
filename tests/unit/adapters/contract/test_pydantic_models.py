import sys
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.dialects import DRAFT_2020_URI
from stepdown_adapters.contract.pydantic_models import contract_of
from stepdown_adapters.contract.semantic import semantics
from stepdown_adapters.errors import ContractError
from tests.unit.adapters.contract import models

HERE = models.__name__


def refused(reference: str) -> str:
    with pytest.raises(ContractError) as error:
        contract_of(reference)
    return str(error.value)


def test_a_model_is_read_as_it_is_written_and_with_its_meaning() -> None:
    contract = contract_of(f"{HERE}:Answer")
    assert (contract.kind, contract.place, contract.envelope, contract.warnings) == (
        "pydantic",
        f"{HERE}:Answer",
        None,
        (),
    )
    assert isinstance(contract.schema, dict)
    assert contract.schema["$schema"] == DRAFT_2020_URI
    assert contract.schema["properties"]["modelVersion"]["type"] == "integer"
    assert contract.schema["properties"]["certain"]["readOnly"] is True
    assert {path: semantic["kind"] for path, semantic in semantics(contract.schema)} == {
        "/score": "probability",
        "/found/*/corners": "box",
    }


def test_what_a_server_is_asked_is_what_the_model_validates() -> None:
    schema = contract_of(f"{HERE}:Answer", side="input").schema
    assert isinstance(schema, dict)
    assert "certain" not in schema["properties"]
    assert schema["required"] == ["score", "found"]


@pytest.mark.parametrize(
    ("name", "type_"),
    [("Point", "object"), ("POINTS", "array"), ("PERCENT", "integer"), ("Outer.Inner", "object"), ("Plan", None)],
)
def test_whatever_pydantic_knows_is_a_contract(name: str, type_: Any) -> None:
    schema = contract_of(f"{HERE}:{name}").schema
    assert isinstance(schema, dict)
    assert schema.get("type") == type_


def test_what_pydantic_warns_about_is_a_warning() -> None:
    (warning,) = contract_of(f"{HERE}:Doubtful").warnings
    assert warning.startswith(f"{HERE}:Doubtful: Default value")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (f"{HERE}:Answr", "there is no member 'Answr'; did you mean 'Answer'?"),
        (f"{HERE}:Outer.Innr", "there is no member 'Innr'; did you mean 'Inner'?"),
        (f"{HERE}:function", "is no type, but a function or a module"),
        (f"{HERE}:Unknowable", "has no JSON Schema: PydanticInvalidForJsonSchema: Cannot generate"),
        (f"{HERE}:Outer", "has no JSON Schema: PydanticSchemaGenerationError: Unable to generate"),
        (f"{HERE}:Wrong", f"{HERE}:Wrong#/properties/score/x-semantic/kind: there is no kind 'probabilty'"),
        (f"{HERE}:Raising", "is no type that Pydantic knows: RuntimeError: no schema today"),
        ("no_such_module.inside:Model", "there is no module 'no_such_module' here: it has to be importable"),
        ("json", "is no import path such as 'package.module:Model'"),
        ("json:", "is no import path"),
        ("os;x:y", "is no import path"),
    ],
)
def test_what_is_no_contract_is_refused(reference: str, sentence: str) -> None:
    message = refused(reference)
    assert sentence in message
    assert message.startswith(reference)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("def broken(:", "cannot be imported: SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
        ("import not_there_at_all", "there is no module 'not_there_at_all' here"),
    ],
    ids=["raises", "syntax", "exits", "imports"],
)
def test_a_module_that_raises_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, code: str, sentence: str
) -> None:
    name = f"broken_models_{request.node.callspec.id}"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert sentence in refused(f"{name}:Model")
    assert name not in sys.modules
