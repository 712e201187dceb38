"""Whatever a contract was read from, it allows the documents that the source itself would allow, and no others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stepdown_adapters.contract import protobuf_files
from stepdown_adapters.contract.json_schema import load_schema
from stepdown_adapters.contract.mistakes import Mistakes
from stepdown_adapters.contract.source import load_contract
from stepdown_adapters.contract.validator import Validator
from stepdown_adapters.errors import ContractError
from tests.unit.adapters.contract import models

FILES = Path(__file__).parents[2] / "unit/adapters/contract/files"

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["", "a", "ab"])
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
DEFINITIONS = ("x", "y")


def a_draft_7_schema(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with a few keywords, those that draft 7 does not know among them."""
    some = st.lists(inner, min_size=1, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "items": inner | some,
        "additionalItems": inner,
        "contains": inner,
        "minContains": st.integers(0, 2),
        "prefixItems": some,
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "additionalProperties": inner,
        "unevaluatedProperties": st.just(False),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
        "propertyNames": inner,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "dependencies": st.dictionaries(NAMES, inner | st.lists(NAMES, max_size=2, unique=True), max_size=2),
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=1),
        "allOf": some,
        "anyOf": some,
        "oneOf": some,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "const": DOCUMENTS,
        "enum": st.lists(DOCUMENTS, min_size=1, max_size=3),
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "minLength": st.integers(0, 2),
        "maxProperties": st.integers(0, 2),
        "definitions": st.just({"ignored": {"type": "null"}}),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


def references(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """References, some with siblings that draft 7 ignores."""
    one = st.sampled_from([f"#/definitions/{name}" for name in names]).map(lambda target: {"$ref": target})
    return one | one.map(lambda reference: {**reference, "type": "null", "const": 5})


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, a_draft_7_schema, max_leaves=4)


# `x` refers to nothing and `y` to `x` only, so that no reference goes in a circle.
DRAFT_7 = st.builds(
    lambda root, x, y: {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **(root if isinstance(root, dict) else {"allOf": [root]}),
        "definitions": {"x": x, "y": y},
    },
    trees(st.booleans() | references(("x", "y"))),
    trees(st.booleans()),
    trees(st.booleans() | references(("x",))),
)


def written(schema: Any, name: str = "a.json") -> Any:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text(json.dumps(schema))
        return load_schema(Path(folder) / name)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(DRAFT_7, st.lists(DOCUMENTS, min_size=8, max_size=8))
def test_a_contract_allows_what_its_draft_7_schema_allows(schema: dict[str, Any], documents: list[Any]) -> None:
    older = jsonschema_rs.Draft7Validator(schema, validate_formats=False)
    newer = Validator(written(schema))
    for document in documents:
        assert newer.is_valid(document) == older.is_valid(document), document


def an_openapi_schema(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What OpenAPI 3.0 and draft 4 have in common."""
    some = st.lists(inner, min_size=1, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES.filter(lambda name: name != "null"),
        "items": inner,
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "additionalProperties": inner | st.booleans(),
        "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
        "allOf": some,
        "anyOf": some,
        "oneOf": some,
        "not": inner,
        "enum": st.lists(DOCUMENTS, min_size=1, max_size=3, unique_by=json.dumps),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "uniqueItems": st.booleans(),
        "maxLength": st.integers(0, 2),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=3, unique=True)
    exclusive = st.dictionaries(st.sampled_from(["exclusiveMinimum", "exclusiveMaximum"]), st.booleans())
    plain = chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))
    return st.builds(lambda schema, bounds: {**schema, **_of_bounds(schema, bounds)}, plain, exclusive)


def _of_bounds(schema: dict[str, Any], exclusive: dict[str, bool]) -> dict[str, bool]:
    """Draft 4 allows the word only beside its bound."""
    return {name: value for name, value in exclusive.items() if name.removeprefix("exclusive").lower() in schema}


def openapi(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "predict", "responses": {"200": {"content": content, "headers": {}}}}
    return {"openapi": "3.0.3", "paths": {"/p": {"post": operation}}, "components": {"schemas": {"x": {}}}}


OPENAPI_SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(st.just({}), an_openapi_schema, max_leaves=4)
WHOLE_AS_FLOAT = 1.0
"""An integer in 2020-12, and none in draft 4."""


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(OPENAPI_SCHEMAS, st.lists(DOCUMENTS, min_size=6, max_size=6))
def test_a_contract_allows_what_its_openapi_3_0_schema_allows(schema: Any, documents: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "api.json").write_text(json.dumps(openapi(schema)))
        newer = Validator(load_contract("api.json::predict", Path(folder)).schema)
    older = jsonschema_rs.Draft4Validator(schema, validate_formats=False)
    for document in documents:
        if str(WHOLE_AS_FLOAT) not in json.dumps([document, schema]):
            assert newer.is_valid(document) == older.is_valid(document), document


WORDS = st.sampled_from(
    ["$ref", "$id", "$schema", "$defs", "items", "properties", "type", "allOf", "required", "x-semantic", "a", "kind"]
)
VALUES = st.sampled_from(
    ["#", "//[", "#/", "#/$defs/a", "#/%", "//", "x.json", "object", "probability", "\x00", "~", "/~2"]
)
ANYTHING = st.recursive(
    SCALARS | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def refused_elsewhere(file: str, read: Callable[[], object]) -> str | None:
    """The place of a refusal that does not name the file."""
    try:
        read()
    except ContractError as error:
        return None if error.place.startswith(file) else error.place
    return None


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(ANYTHING)
def test_whatever_a_schema_file_holds_it_is_a_contract_or_refused_with_its_place(value: Any) -> None:
    assert refused_elsewhere("a.json", lambda: written(value)) is None


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in inside for place in places(inner, (*at, key)))]


DOCUMENT = openapi({"$ref": "#/components/schemas/x"})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(places(DOCUMENT)[1:]), ANYTHING)
def test_an_openapi_document_with_anything_in_any_place_is_a_contract_or_refused(place: Any, value: Any) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "api.json").write_text(json.dumps(document))
        assert refused_elsewhere("api.json", lambda: load_contract("api.json::predict", Path(folder))) is None


ANSWERS = st.builds(
    models.Answer,
    score=st.floats(0, 1),
    found=st.lists(
        st.builds(models.Label, name=st.text(max_size=3))
        | st.builds(models.Box, corners=st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4)),
        max_size=2,
    ),
    at=st.datetimes(timezones=st.just(UTC)),
    took=st.none() | st.timedeltas(),
    price=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000),
    ident=st.none() | st.uuids(),
    plan=st.sampled_from(models.Plan),
    counts=st.dictionaries(st.integers(), st.integers(), max_size=2),
    tree=st.builds(models.Tree, children=st.lists(st.builds(models.Tree), max_size=2)),
    modelVersion=st.integers(),
    anything=DOCUMENTS,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(ANSWERS, st.sampled_from(["score", "found", "certain", "stray"]))
def test_a_contract_allows_what_its_pydantic_model_is_written_as(answer: models.Answer, name: str) -> None:
    contract = load_contract(f"{models.__name__}:Answer", FILES)
    document = TypeAdapter(models.Answer).dump_python(answer, mode="json", by_alias=True)
    assert Validator(contract.schema).violations(document) == []
    document = {**document, name: 1} if name not in document else {k: v for k, v in document.items() if k != name}
    assert not Validator(contract.schema).is_valid(document)


@cache
def answer_descriptor() -> Descriptor:
    return protobuf_files.message(FILES / "answer.proto", "demo.v1.Answer", FILES, Mistakes())


@cache
def answer_validator() -> Validator:
    return Validator(load_contract("answer.proto::demo.v1.Answer", FILES).schema)


SCALARS_BY_TYPE: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-2, 3) | st.integers(-(2**31), 2**31 - 1),
}
SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "google.protobuf.Struct": st.dictionaries(NAMES, DOCUMENTS, max_size=2),
    "google.protobuf.ListValue": st.lists(DOCUMENTS, max_size=2),
    "google.protobuf.Value": DOCUMENTS,
}
TEXTS = st.text(max_size=4)


def fill(draw: st.DrawFn, message: Message, depth: int) -> None:
    """Sets some fields of a message, of well-known types within their own bounds."""
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = draw(st.integers(-62135596800, 253402300799))  # type: ignore[attr-defined]
        message.nanos = draw(st.sampled_from([0, 1, 1000, 5_000_000, 999_999_999]))  # type: ignore[attr-defined]
    elif name == "google.protobuf.Duration":
        sign = draw(st.sampled_from([-1, 1]))
        message.seconds = sign * draw(st.integers(0, 315576000000))  # type: ignore[attr-defined]
        message.nanos = sign * draw(st.sampled_from([0, 1, 1000, 999_999_999]))  # type: ignore[attr-defined]
    elif name in ("google.protobuf.Struct", "google.protobuf.ListValue", "google.protobuf.Value"):
        json_format.ParseDict(draw(SHAPES[name]), message)
    elif name == "google.protobuf.FieldMask":
        message.paths.extend(draw(st.lists(st.sampled_from(["a", "b_c.d"]), max_size=2)))  # type: ignore[attr-defined]
    elif name != "google.protobuf.Any":
        fields: list[Any] = list(message.DESCRIPTOR.fields)
        for field in draw(st.lists(st.sampled_from(fields), max_size=6)) if depth and fields else ():
            fill_field(draw, message, field, depth - 1)


def fill_field(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        entries = getattr(message, field.name)
        if value.message_type is not None:
            fill(draw, entries[draw(scalar(key))], depth)
        else:
            entries[draw(scalar(key))] = draw(scalar(value))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner = inner.add() if field.is_repeated else inner
        inner.SetInParent()
        fill(draw, inner, max(depth, 1) if field.message_type.full_name.startswith("google.") else depth)
    elif field.is_repeated:
        getattr(message, field.name).append(draw(scalar(field)))
    else:
        setattr(message, field.name, draw(scalar(field)))


def scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=4)
    if field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue":
        return st.just(0)
    return TEXTS if field.type == FieldDescriptor.TYPE_STRING else SCALARS_BY_TYPE[field.cpp_type]


@st.composite
def protobuf_messages(draw: st.DrawFn) -> Message:
    message = GetMessageClass(answer_descriptor())()
    fill(draw, message, 2)
    return message


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(protobuf_messages(), st.booleans())
def test_a_contract_allows_what_its_protobuf_message_is_written_as(message: Message, defaults: bool) -> None:
    document = json_format.MessageToDict(message, always_print_fields_with_no_presence=defaults)
    assert answer_validator().violations(document) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(protobuf_messages(), st.data())
def test_a_contract_refuses_a_protobuf_member_of_another_type(message: Message, data: st.DataObject) -> None:
    document = json_format.MessageToDict(message)
    names = [field.json_name for field in answer_descriptor().fields if field.name not in ("value", "list")]
    document[data.draw(st.sampled_from(names))] = [[["no field is this"]]]
    assert not answer_validator().is_valid(document)
