import json
from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters.contract.dialects import DRAFT_2020_URI
from stepdown_adapters.contract.model import Header
from stepdown_adapters.contract.openapi import contract_of
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.errors import ContractError

ANSWER = {
    "type": "object",
    "required": ["score", "secret"],
    "properties": {
        "score": {"$ref": "#/components/schemas/Score"},
        "secret": {"type": "string", "writeOnly": True},
        "id": {"type": "string", "readOnly": True},
        "parent": {"$ref": "#/components/schemas/Answer"},
    },
}


def document(version: str = "3.0.3", answer: Any = ANSWER, **more: Any) -> dict[str, Any]:
    """One operation that answers with `answer` and takes the same."""
    content = {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    responses = {
        "default": {"description": "", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
        "201": {"$ref": "#/components/responses/Made"},
        "4XX": {"description": "", "content": {"text/plain": {}}},
        "204": {"description": "nothing"},
        "x-note": 1,
    }
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/predict/{id}": {
                "parameters": [],
                "post": {"operationId": "predict", "requestBody": {"content": content}, "responses": responses},
                "get": {"responses": {}},
            }
        },
        "components": {
            "schemas": {"Answer": answer, "Score": {"type": "number", "minimum": 0, "exclusiveMinimum": True}},
            "responses": {
                "Made": {
                    "description": "",
                    "content": content,
                    "headers": {
                        "X-Rate": {"required": True, "schema": {"type": "integer", "example": 3}},
                        "X-Other": {"$ref": "#/components/headers/Other"},
                        "Content-Type": {"schema": {"type": "string"}},
                    },
                }
            },
            "headers": {"Other": {"content": {"application/json": {"schema": {"type": "array", "items": {}}}}}},
        },
        **more,
    }


def written(folder: Path, value: Any, name: str = "api.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def schema_of(folder: Path, answer: Any, version: str = "3.0.3") -> Any:
    """The answer's schema alone, without what every contract's root has."""
    schema = contract_of(written(folder, document(version, {"allOf": [answer]})), "predict").schema
    assert isinstance(schema, dict)
    return schema["$defs"]["Answer"]["allOf"][0]


def refused(path: Path, operation: str = "predict", **choice: Any) -> str:
    with pytest.raises(ContractError) as error:
        contract_of(path, operation, **choice)
    return str(error.value)


def test_an_answer_is_read_with_its_references_and_without_what_only_requests_have(tmp_path: Path) -> None:
    contract = contract_of(written(tmp_path, document()), "predict")
    assert contract.schema == {
        "$schema": DRAFT_2020_URI,
        "$ref": "#/$defs/Answer",
        "$defs": {
            "Answer": {
                "type": "object",
                "required": ["score"],
                "properties": {
                    "score": {"$ref": "#/$defs/Score"},
                    "id": {"type": "string", "readOnly": True},
                    "parent": {"$ref": "#/$defs/Answer"},
                },
            },
            "Score": {"type": "number", "exclusiveMinimum": 0},
        },
    }
    assert contract.kind == "openapi"
    assert contract.place == ("api.json#/components/responses/Made/content/application~1json; charset=utf-8/schema")


def test_a_request_is_read_without_what_only_answers_have(tmp_path: Path) -> None:
    contract = contract_of(written(tmp_path, document()), "POST /predict/{id}", side="input")
    assert isinstance(contract.schema, dict)
    assert list(contract.schema["$defs"]["Answer"]["properties"]) == ["score", "secret", "parent"]
    assert contract.schema["$defs"]["Answer"]["required"] == ["score", "secret"]
    assert contract.envelope is None


def test_the_envelope_has_all_statuses_media_types_and_headers(tmp_path: Path) -> None:
    contract = contract_of(written(tmp_path, document()), "predict")
    assert contract.envelope is not None
    answers = contract.envelope.answers
    assert {status: list(answer.media_types) for status, answer in answers.items()} == {
        "default": ["application/problem+json"],
        "201": ["application/json; charset=utf-8"],
        "4XX": ["text/plain"],
        "204": [],
    }
    assert answers["201"].media_types["application/json; charset=utf-8"] == contract.schema
    assert answers["4XX"].media_types["text/plain"] is True
    assert answers["201"].headers == {
        "x-rate": Header(True, {"$schema": DRAFT_2020_URI, "type": "integer", "examples": [3]}),
        "x-other": Header(False, {"$schema": DRAFT_2020_URI, "type": "array", "items": {}}),
    }


@pytest.mark.parametrize(
    ("status", "media_type", "place"),
    [
        ("201", "application/json", "#/components/responses/Made/content/application~1json; charset=utf-8/schema"),
        ("404", "text/plain", "#/paths/~1predict~1{id}/post/responses/4XX/content/text~1plain"),
        ("500", None, "#/paths/~1predict~1{id}/post/responses/default/content/application~1problem+json/schema"),
    ],
)
def test_a_status_is_found_exactly_then_by_its_class_then_as_default(
    tmp_path: Path, status: str, media_type: str | None, place: str
) -> None:
    contract = contract_of(written(tmp_path, document()), "predict", status=status, media_type=media_type)
    assert contract.place == f"api.json{place}"


def test_references_lead_into_other_files_and_back(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    written(
        tmp_path,
        "Path: {put: {operationId: place, responses: {200: {$ref: '#/Ok'}}}}\n"
        "Ok: {content: {application/json: {schema: {$ref: 'parts/part.json#/definitions/P'}}}}\n",
        "more.yaml",
    )
    part = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {
            "P": {"items": [{"$ref": "#/definitions/Q"}], "not": {"$ref": "../api.json#/components/schemas/N"}},
            "Q": {"type": "string"},
        },
    }
    written(tmp_path / "parts", part, "part.json")
    api = {
        "openapi": "3.1.0",
        "paths": {"/place": {"$ref": "more.yaml#/Path"}},
        "components": {"schemas": {"N": {"const": 1}}},
    }
    contract = contract_of(written(tmp_path, api), "place")
    assert isinstance(contract.schema, dict)
    assert contract.schema["$defs"] == {
        "P": {"prefixItems": [{"$ref": "#/$defs/Q"}], "not": {"$ref": "#/$defs/N"}},
        "Q": {"type": "string"},
        "N": {"const": 1},
    }


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True}, {}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"exclusiveMaximum": True}, {}),
        ({"example": 1, "x-mine": 2, "xml": {}, "externalDocs": {}}, {"examples": [1], "x-mine": 2}),
        ({"const": 1, "patternProperties": {}, "type": "string"}, {"type": "string"}),
        (
            {"discriminator": {"propertyName": "kind"}, "additionalProperties": {"type": "string", "nullable": True}},
            {"discriminator": {"propertyName": "kind"}, "additionalProperties": {"type": ["string", "null"]}},
        ),
        ({"$ref": "#/components/schemas/Score", "type": "string"}, {"$ref": "#/$defs/Score"}),
    ],
)
def test_the_words_of_3_0_become_those_of_2020_12(tmp_path: Path, older: Any, newer: Any) -> None:
    assert schema_of(tmp_path, older) == newer


def test_3_1_is_2020_12_with_siblings_of_references(tmp_path: Path) -> None:
    schema = {"$ref": "#/components/schemas/Score", "type": ["number", "null"], "example": 1, "nullable": True}
    api = document("3.1.0", {"allOf": [schema]})
    api["components"]["schemas"]["Score"] = {"exclusiveMinimum": 0}
    loaded = contract_of(written(tmp_path, api), "predict").schema
    assert isinstance(loaded, dict)
    assert loaded["$defs"]["Answer"]["allOf"] == [
        {"$ref": "#/$defs/Score", "type": ["number", "null"], "nullable": True, "examples": [1]}
    ]


def test_a_3_1_document_may_name_its_own_dialect(tmp_path: Path) -> None:
    api = document("3.1.0", {"items": [{}]}, jsonSchemaDialect="http://json-schema.org/draft-07/schema#")
    api["components"]["schemas"]["Answer"] = {"items": [True]}
    loaded = contract_of(written(tmp_path, api), "predict").schema
    assert isinstance(loaded, dict)
    assert loaded["$defs"]["Answer"] == {"prefixItems": [True]}
    api["jsonSchemaDialect"] = "https://example.com/mine"
    assert "api.json#/jsonSchemaDialect: 'https://example.com/mine' is neither" in refused(written(tmp_path, api))


def test_what_3_0_does_not_say_is_warned_about(tmp_path: Path) -> None:
    answer = {
        "properties": {
            "a": {"allOf": [{"type": "object"}], "nullable": True},
            "b": {"type": "string", "enum": ["x"], "nullable": True},
            "c": {"if": {}, "type": "string"},
        }
    }
    warnings = contract_of(written(tmp_path, document(answer=answer)), "predict").warnings
    assert [line.partition("/properties/")[2] for line in warnings] == [
        "a: 'nullable' adds null to the 'type' beside it, and there is none, so it changes nothing",
        "b: it is nullable, but its 'enum' does not list null, so null is not allowed",
        "c: OpenAPI 3.0 has no 'if', so it is ignored; with \"openapi: 3.1.0\" it counts",
    ]


def test_a_mark_is_seen_behind_a_reference_and_across_all_of(tmp_path: Path) -> None:
    api = document(
        "3.1.0",
        {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"required": ["secret", "x"], "properties": {"x": {"$ref": "#/components/schemas/Hidden"}}},
            ],
            "required": ["x", "y"],
        },
    )
    api["components"]["schemas"] |= {
        "Base": {"properties": {"secret": {"writeOnly": True}}},
        "Hidden": {"$ref": "#/components/schemas/Deeper"},
        "Deeper": {"writeOnly": True},
    }
    schema = contract_of(written(tmp_path, api), "predict").schema
    assert isinstance(schema, dict)
    assert schema["$defs"]["Answer"] == {"allOf": [{"$ref": "#/$defs/Base"}, {"properties": {}}], "required": ["y"]}
    assert schema["$defs"]["Base"] == {"properties": {}}


def test_json_is_chosen_among_media_types(tmp_path: Path) -> None:
    api = document()
    content: dict[str, Any] = {
        "text/html": {},
        "application/vnd.x+json": {},
        "*/*": {},
        "Application/JSON": {"schema": {}},
    }
    api["components"]["responses"]["Made"]["content"] = content
    path = written(tmp_path, api)
    chosen = [
        contract_of(path, "predict", media_type=name).place for name in (None, "application/pdf", "text/HTML;q=1")
    ]
    ends = [place.partition("/content/")[2] for place in chosen]
    assert ends == ["Application~1JSON/schema", "*~1*", "text~1html"]
    del content["Application/JSON"]
    assert contract_of(written(tmp_path, api), "predict").place.endswith("/application~1vnd.x+json")


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"operation": "predct"}, "api.json#/paths: there is no operation 'predct'; did you mean 'predict'?"),
        ({"operation": "zzz"}, "there is 'predict', 'GET /predict/{id}', 'POST /predict/{id}'"),
        ({"operation": "PUT /predict/{id}"}, "did you mean 'POST /predict/{id}'?"),
        ({"operation": "GET /predict/{id}"}, "get/responses: there is no status '2XX'; there is none"),
        ({"operation": "GET /predict/{id}", "side": "input"}, "has no 'requestBody'"),
        ({"status": "204"}, "post/responses/204: has no 'content'"),
        (
            {"status": "201", "media_type": "text/plain"},
            "no media type 'text/plain'; there is 'application/json; charset",
        ),
        ({"status": "404"}, "4XX/content: there is no JSON media type; name one of 'text/plain'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(tmp_path: Path, choice: Any, sentence: str) -> None:
    assert sentence in refused(written(tmp_path, document()), **choice)


@pytest.mark.parametrize(
    ("api", "sentence"),
    [
        ({"swagger": "2.0", "paths": {}}, "api.json#/swagger: is Swagger 2.0; convert the document"),
        ({"openapi": "4.0.0"}, "api.json#/openapi: '4.0.0' is neither OpenAPI 3.0 nor 3.1"),
        ({"openapi": 3.1}, "3.1 is neither OpenAPI 3.0 nor 3.1, such as '3.1.0'"),
        ({"type": "object"}, "has no member 'openapi', so it is no OpenAPI document"),
        ([], "an OpenAPI document is an object"),
        ({"openapi": "3.0.0"}, "has no 'paths'"),
        ({"openapi": "3.0.0", "paths": []}, "api.json#/paths: is an object"),
        ({"openapi": "3.0.0", "paths": {"/a": {"get": 5}}}, "api.json#/paths/~1a/get: is an object"),
        ({"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}, "refers on and on"),
        ({"openapi": "3.0.0", "paths": {"/a": {"$ref": 5}}}, "api.json#/paths/~1a/$ref: a reference is a string"),
        ({"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/nope"}}}, "api.json#/paths/~1a/$ref: #/nope leads nowhere"),
        ({"openapi": "3.0.0", "paths": {"/a": {"$ref": "http://x.y/z"}}}, "http://x.y/z is remote"),
        ({"openapi": "3.0.0", "paths": {"/a": {"get": {"operationId": "predict"}}}}, "has no 'responses'"),
        (
            {"openapi": "3.0.0", "paths": {f"/{way}": {"get": {"operationId": "predict"}} for way in "ab"}},
            "api.json#/paths/~1b/get: has the operationId 'predict', and so has api.json#/paths/~1a/get",
        ),
        ('{"openapi": "3.0.0", ', "api.json:1:22: is not JSON"),
    ],
)
def test_a_broken_document_is_refused(tmp_path: Path, api: Any, sentence: str) -> None:
    assert sentence in refused(written(tmp_path, api))


def test_all_mistakes_of_its_schemas_are_named_at_once(tmp_path: Path) -> None:
    api = document(answer={"type": ["string", "null"], "properties": {"a": True}, "required": [1], "enum": []})
    api["components"]["schemas"]["Score"]["type"] = "float"
    api["components"]["responses"]["Made"]["headers"]["X-Rate"]["schema"] = {"$ref": "#/nope"}
    lines = refused(written(tmp_path, api)).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == [
        "api.json#/components/responses/Made/headers/X-Rate/schema/$ref",
        "api.json#/components/schemas/Answer/enum",
        "api.json#/components/schemas/Answer/properties/a",
        "api.json#/components/schemas/Answer/required/0",
        "api.json#/components/schemas/Answer/type",
    ]


def test_recursion_through_a_document_is_fine(tmp_path: Path) -> None:
    validator = Validator(contract_of(written(tmp_path, document()), "predict").schema)
    assert validator.is_valid({"score": 1, "parent": {"score": 0.5}})
    assert not validator.is_valid({"score": 1, "parent": {"score": 0}})


def test_anchors_of_components_are_found(tmp_path: Path) -> None:
    api = document("3.1.0", {"$ref": "#score"})
    api["components"]["schemas"]["Score"] = {"$anchor": "score", "const": 5}
    schema = contract_of(written(tmp_path, api), "predict").schema
    assert isinstance(schema, dict)
    assert schema["$defs"]["Answer"] == {"$ref": "#/$defs/Score"}
