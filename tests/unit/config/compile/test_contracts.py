"""Where the contracts of a file come from, and that requests of older versions fit the newer ones."""

from __future__ import annotations

import json

import pytest

from tests.kit.configuration import Folder, changed

OPENAPI = """
openapi: 3.1.0
info: {title: churn, version: "1"}
paths:
  /predict:
    post:
      operationId: predict
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {rows: {type: array, maxItems: 8}}, required: [rows]}}
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {type: object, properties: {logit: {type: number}}, required: [logit]}}}
"""
SCHEMA_2 = "schema: contracts/2.0.0.json\n"
V1 = "{schema: contracts/1.1.0.json, "
ASKED = '{"type": "object", "properties": {"rows": {"type": "array", "maxItems": 8}}, "required": ["rows"]}'


def contract_of(folder: Folder, text: str, version: str) -> object:
    (model,) = folder.load(text).spec.models
    return next(one.contract for one in model.versions if one.id == version)


@pytest.mark.parametrize(
    "reference",
    [
        "api.yaml::predict",
        "{openapi: api.yaml, operation: predict}",
        "{openapi: api.yaml, operation: predict, status: '200', media_type: application/json}",
        "{json_schema: contracts/2.0.0.json}",
    ],
)
def test_a_contract_is_read_from_what_declares_it(folder: Folder, reference: str) -> None:
    folder.write("api.yaml", OPENAPI)
    found = contract_of(folder, changed((SCHEMA_2, f"schema: {reference}\n")), "2.0.0")
    assert json.dumps(found).count('"logit"') == 2


def test_a_pydantic_model_is_named_by_its_import_path(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("scored_2_0.py", "import pydantic\nclass Scored(pydantic.BaseModel):\n    logit: float\n")
    monkeypatch.syspath_prepend(str(folder.path))
    assert "logit" in contract_of(folder, changed((SCHEMA_2, "schema: scored_2_0:Scored\n")), "2.0.0")["properties"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("{openapi: api.yaml}", "found openapi without operation"),
        ("{openapi: api.yaml, operation: predict, message: M}", "found message beside openapi"),
        ("{openapi: api.yaml, protobuf: a.proto}", "allowed one of json_schema, openapi, protobuf, pydantic, registry"),
        ("{}", "allowed one of json_schema, openapi, protobuf, pydantic, registry"),
        ("api.yaml::predct", "did you mean"),
        ("nowhere.yaml::predict", "the file nowhere.yaml does not exist"),
        ("nowhere_at_all:Model", "the model nowhere_at_all:Model is no usable contract"),
        ("{registry: nowhere}", "nowhere"),
    ],
)
def test_a_contract_that_cannot_be_had_is_told_with_its_place(folder: Folder, reference: str, sentence: str) -> None:
    folder.write("api.yaml", OPENAPI)
    (message,) = folder.refusal(changed((SCHEMA_2, f"schema: {reference}\n")))
    assert message.startswith("stepdown.yaml:10:")
    assert sentence in message


def test_requests_for_an_older_version_must_be_requests_for_the_newer(folder: Folder) -> None:
    folder.write("old.json", ASKED)
    folder.write("new.json", ASKED.replace("8", "4"))
    (message,) = folder.refusal(
        changed((SCHEMA_2, f"{SCHEMA_2}        input: new.json\n"), (V1, f"{V1}input: old.json, "))
    )
    assert message.startswith(
        "stepdown.yaml:15:9: models.churn.adapters[0]: not every request for 1.1.0 is one for 2.0.0"
    )
    assert "/rows" in message
    assert "allowed a request list that makes them so" in message


def test_an_adapter_for_requests_is_trusted_to_make_them_so(folder: Folder) -> None:
    folder.write("old.json", ASKED)
    folder.write("new.json", ASKED.replace("8", "4"))
    folder.load(
        changed(
            (SCHEMA_2, f"{SCHEMA_2}        input: new.json\n"),
            (V1, f"{V1}input: old.json, "),
            ("        response:", "        request: [{slice: {path: /rows, end: 4}}]\n        response:"),
        )
    )


def test_a_request_path_that_the_older_contract_rules_out_is_a_mistake(folder: Folder) -> None:
    folder.write(
        "old.json", '{"type": "object", "properties": {"rows": {"type": "array"}}, "additionalProperties": false}'
    )
    folder.write("new.json", '{"type": "object"}')
    (message,) = folder.refusal(
        changed(
            (SCHEMA_2, f"{SCHEMA_2}        input: new.json\n"),
            (V1, f"{V1}input: old.json, "),
            ("        response:", "        request: [{slice: {path: /row, end: 4}}]\n        response:"),
        )
    )
    assert "models.churn.adapters[0].request[0].slice" in message
    assert "'row'" in message


def test_contracts_that_are_asked_too_little_stop_a_derived_step(folder: Folder) -> None:
    folder.write("old.json", ASKED)
    folder.write("new.json", ASKED.replace("8", "4"))
    messages = folder.refusal(
        changed(
            ('"1.0.0": {schema: contracts/1.0.0.json, ', '"1.0.0": {schema: contracts/1.0.0.json, input: old.json, '),
            (V1, f"{V1}input: new.json, "),
        )
    )
    assert any(
        "1.1.0 -> 1.0.0: no adapter is declared and the contracts differ in what they are asked" in one
        for one in messages
    )
