import json
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.errors import ContractError
from tests.unit.adapters.contract import models

API = {
    "openapi": "3.1.0",
    "paths": {
        "/a/{b}": {
            "post": {
                "operationId": "repos/get",
                "requestBody": {"content": {"application/json": {"schema": {"const": "asked"}}}},
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"const": 200}},
                            "text/x": {"schema": {"const": "x"}},
                        }
                    },
                    "4XX": {"content": {"application/json": {"schema": {"const": 400}}}},
                    "default": {"content": {"application/json": {"schema": {"const": 0}}}},
                },
            }
        }
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "api.json").write_text(json.dumps(API))
    (tmp_path / "s.yaml").write_text("const: 5\n")
    (tmp_path / "m.proto").write_text('syntax = "proto3"; package p; message M { bool b = 1; }')
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "const"),
    [
        ("s.yaml", 5),
        ({"json_schema": "s.yaml"}, 5),
        ("api.json::repos/get", 200),
        ("api.json::repos/get/200", 200),
        ("api.json::repos/get/404", 400),
        ("api.json::repos/get/4XX", 400),
        ("api.json::repos/get/default", 0),
        ("api.json::repos/get/200/text/x", "x"),
        ("api.json::POST /a/{b}", 200),
        ("api.json::POST /a/{b}/200/application/json", 200),
        ({"openapi": "api.json", "operation": "repos/get"}, 200),
        ({"openapi": "api.json", "operation": "repos/get", "status": "200", "media_type": "text/x"}, "x"),
        ({"openapi": "api.json", "operation": "repos/get", "status": 404, "media_type": None}, 400),
        ({"openapi": "api.json", "operation": "POST /a/{b}", "side": "input"}, "asked"),
    ],
)
def test_a_reference_finds_its_schema(folder: Path, reference: Any, const: Any) -> None:
    schema = load_contract(reference, folder).schema
    assert isinstance(schema, dict)
    assert schema["const"] == const


def test_the_side_may_come_from_where_the_reference_stands(folder: Path) -> None:
    schema = load_contract("api.json::repos/get", folder, side="input").schema
    assert isinstance(schema, dict)
    assert schema["const"] == "asked"
    answer = load_contract({"pydantic": f"{models.__name__}:Answer"}, folder).schema
    asked = load_contract({"pydantic": f"{models.__name__}:Answer", "side": "input"}, folder).schema
    assert isinstance(answer, dict)
    assert isinstance(asked, dict)
    assert "certain" in answer["properties"]
    assert "certain" not in asked["properties"]


@pytest.mark.parametrize("reference", ["m.proto::p.M", {"protobuf": "m.proto", "message": "p.M"}])
def test_a_message_is_found(folder: Path, reference: Any) -> None:
    assert load_contract(reference, folder).kind == "protobuf"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("", "'': is no contract; write FILE.json"),
        ("contract.txt", "is no contract; write FILE.json"),
        ("package.module", "is no contract"),
        ("a.b:c:d", "is no contract"),
        ("m.proto", "a message belongs behind it, such as 'm.proto::package.Message'"),
        ("api.json::", "an operation belongs after '::'"),
        ("nope.json", "nope.json: cannot be read: No such file or directory"),
        ({}, "exactly one of 'json_schema', 'openapi', 'protobuf', 'pydantic'"),
        ({"openapi": "a.yaml", "protobuf": "b.proto"}, "exactly one of"),
        (5, "5: a contract has exactly one of"),
        ({"protobuf": "m.proto"}, "'protobuf' needs the member 'message' beside it"),
        ({"json_schema": 5}, "'json_schema' is a text, not a number"),
        ({"json_schema": None}, "'json_schema' needs a value"),
        ({"json_schema": "s.yaml", "status": "200"}, "there is no member 'status'"),
        ({"openapi": "api.json", "operation": "x", "side": "left"}, "'side' is 'input' or 'output', not 'left'"),
        ({"openapi": "api.json", "operatoin": "x"}, "there is no member 'operatoin'; did you mean 'operation'?"),
    ],
)
def test_a_wrong_reference_is_refused(folder: Path, reference: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as error:
        load_contract(reference, folder)
    assert sentence in str(error.value)


def test_all_that_is_wrong_with_a_mapping_is_said_at_once(folder: Path) -> None:
    with pytest.raises(ContractError) as error:
        load_contract({"openapi": 5, "operatoin": "x", "side": "left"}, folder)
    assert len(str(error.value).splitlines()) == 4
