"""Every row of the catalogue: two contracts that differ by it, and what the difference means in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from stepdown_adapters.contract.model import Answer, Contract, Envelope, Header
from stepdown_adapters.diff import KINDS, Change, compare
from stepdown_adapters.diff.catalogue import NOT_OF_REQUESTS
from stepdown_adapters.diff.policy import Policy

STRING, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def closed(**properties: Any) -> dict[str, Any]:
    return {**obj(**properties), "additionalProperties": False}


def array(**keywords: Any) -> dict[str, Any]:
    return {"type": "array", **keywords}


def text(**keywords: Any) -> dict[str, Any]:
    return {"type": "string", **keywords}


def number(**keywords: Any) -> dict[str, Any]:
    return {"type": "number", **keywords}


def strings(**keywords: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": STRING, **keywords}


def tagged(name: str, **properties: Any) -> dict[str, Any]:
    return {**obj(kind={"const": name}, **properties), "required": ["kind"]}


def answers(**answers: Answer) -> Contract:
    return Contract({}, "openapi", "test", Envelope({name.strip("_"): one for name, one in answers.items()}))


def json(**headers: Header) -> Answer:
    return Answer({"application/json": {}}, headers)


def proto(*fields: tuple[int, str, str], **note: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {
            "x-protobuf": {"name": name, "json_name": name, "number": number, "type": kind, "cardinality": "implicit"}
        }
        for number, name, kind in fields
    }
    return {**obj(**properties), "x-protobuf": {"message": "churn.Answer", **note}}


def proto_field(**note: Any) -> dict[str, Any]:
    schema = proto((1, "score", "double"))
    schema["properties"]["score"]["x-protobuf"].update(note)
    return schema


def proto_enum(numbers: dict[str, int], **note: Any) -> dict[str, Any]:
    return {"type": "string", "x-protobuf": {"enum": "churn.Label", "closed": False, "numbers": numbers, **note}}


PROBABILITY, LOGIT = {"x-semantic": {"kind": "probability"}}, {"x-semantic": {"kind": "logit"}}
CASES: list[tuple[str, str, Any, Any]] = [
    ("annotation-changed", "", text(title="a"), text(title="b")),
    ("default-changed", "", text(default="a"), text(default="b")),
    ("deprecated-set", "/a", obj(a={}), obj(a={"deprecated": True})),
    ("format-annotation", "", text(format="date"), text(format="date-time")),
    ("prop-added/open-old", "/b", obj(a=STRING), obj(a=STRING, b=NUMBER)),
    ("prop-added/closed-old", "/b", closed(a=STRING), closed(a=STRING, b=NUMBER)),
    ("prop-added/partly-open-old", "/b", strings(), strings(properties={"b": STRING})),
    ("prop-added/partly-open-old-uncovered", "/b", strings(), strings(properties={"b": NUMBER})),
    ("required-removed", "/b", {**obj(b=NUMBER), "required": ["b"]}, obj()),
    ("optional-removed/open-new", "/b", obj(a=STRING, b=NUMBER), obj(a=STRING)),
    ("optional-removed/closed-new", "/b", closed(a=STRING, b=NUMBER), closed(a=STRING)),
    ("optional-removed/partly-open-new", "/b", strings(properties={"b": STRING}), strings()),
    ("optional-removed/partly-open-new-uncovered", "/b", strings(properties={"b": NUMBER}), strings()),
    ("renamed", "/probability", closed(probability=NUMBER), closed(churn_probability=NUMBER)),
    ("moved", "/score", closed(score=NUMBER, result=closed()), closed(result=closed(score=NUMBER))),
    ("became-optional", "/a", {**obj(a=STRING), "required": ["a"]}, obj(a=STRING)),
    ("became-required", "/a", obj(a=STRING), {**obj(a=STRING), "required": ["a"]}),
    ("became-nullable", "", STRING, {"type": ["string", "null"]}),
    ("became-not-nullable", "", {"type": ["string", "null"]}, STRING),
    ("additional-opened", "", closed(a=STRING), obj(a=STRING)),
    ("additional-closed", "", obj(a=STRING), closed(a=STRING)),
    ("additional-widened", "", strings(), obj()),
    ("additional-narrowed", "", obj(), strings()),
    ("pattern-prop-removed", "/*", {**obj(), "patternProperties": {"^s_": STRING}}, obj()),
    ("pattern-prop-removed/closed-new", "/*", {**closed(), "patternProperties": {"^s_": STRING}}, closed()),
    ("pattern-prop-removed/covered", "/*", strings(patternProperties={"^s_": STRING}), strings()),
    ("pattern-prop-removed/uncovered", "/*", strings(patternProperties={"^s_": NUMBER}), strings()),
    ("pattern-prop-added", "/*", obj(), {**obj(), "patternProperties": {"^s_": STRING}}),
    ("pattern-prop-added/closed-old", "/*", closed(), {**closed(), "patternProperties": {"^s_": STRING}}),
    ("pattern-prop-added/covered", "/*", strings(), strings(patternProperties={"^s_": STRING})),
    ("pattern-prop-added/uncovered", "/*", strings(), strings(patternProperties={"^s_": NUMBER})),
    ("property-names/loosened", "", {**obj(), "propertyNames": {"maxLength": 3}}, obj()),
    (
        "property-names/loosened",
        "",
        {**obj(), "propertyNames": {"maxLength": 3}},
        {**obj(), "propertyNames": {"maxLength": 4}},
    ),
    ("property-names/tightened", "", obj(), {**obj(), "propertyNames": {"maxLength": 3}}),
    ("properties-count/loosened", "", {**obj(), "minProperties": 2}, {**obj(), "minProperties": 1}),
    ("properties-count/tightened", "", obj(), {**obj(), "maxProperties": 3}),
    ("dependent/loosened", "", {**obj(), "dependentRequired": {"a": ["b"]}}, obj()),
    ("dependent/loosened", "", {**obj(), "dependentSchemas": {"a": {"required": ["b"]}}}, obj()),
    ("dependent/tightened", "", obj(), {**obj(), "dependentRequired": {"a": ["b"]}}),
    ("dependent/tightened", "", obj(), {**obj(), "dependentSchemas": {"a": {"required": ["b"]}}}),
    ("unevaluated-properties/loosened", "", {**obj(), "unevaluatedProperties": False}, obj()),
    ("unevaluated-properties/tightened", "", obj(), {**obj(), "unevaluatedProperties": False}),
    ("write-only-cleared", "/a", obj(a={"writeOnly": True}), obj(a={})),
    ("write-only-set", "/a", obj(a={}), obj(a={"writeOnly": True})),
    ("type-changed", "", STRING, NUMBER),
    ("type-changed", "", array(items=STRING), strings()),
    ("type-widened", "", INTEGER, NUMBER),
    ("type-widened", "", STRING, {"type": ["string", "number"]}),
    ("type-narrowed", "", NUMBER, INTEGER),
    ("enum-value-added", "", {"enum": ["a"]}, {"enum": ["a", "b"]}),
    (
        "enum-value-added/extensible",
        "",
        {"enum": ["a"], "x-extensible-enum": True},
        {"enum": ["a", "b"], "x-extensible-enum": True},
    ),
    ("enum-value-removed", "", {"enum": ["a", "b"]}, {"enum": ["a"]}),
    ("enum-value-added/announced", "", text(**{"x-extensible-enum": ["a"]}), text(**{"x-extensible-enum": ["a", "b"]})),
    (
        "enum-value-removed/announced",
        "",
        text(**{"x-extensible-enum": ["a", "b"]}),
        text(**{"x-extensible-enum": ["a"]}),
    ),
    ("enum-removed", "", text(enum=["a", "b"]), STRING),
    ("const-removed", "", text(const="a"), STRING),
    ("enum-added", "", STRING, text(enum=["a", "b"])),
    ("const-added", "", STRING, text(const="a")),
    ("const-changed", "", {"const": "a"}, {"const": "b"}),
    ("bound-loosened", "", number(maximum=1), number(maximum=2)),
    ("bound-loosened", "", number(maximum=1), NUMBER),
    ("bound-loosened", "", number(minimum=1), number(minimum=0)),
    ("bound-loosened", "", number(exclusiveMinimum=1), NUMBER),
    ("bound-loosened", "", text(maxLength=3), STRING),
    ("bound-loosened", "", text(minLength=3), text(minLength=2)),
    ("bound-tightened", "", NUMBER, number(minimum=0)),
    ("bound-tightened", "", text(minLength=1), text(minLength=2)),
    ("bound-exclusivity/loosened", "", number(exclusiveMinimum=0), number(minimum=0)),
    ("bound-exclusivity/tightened", "", number(maximum=1), number(exclusiveMaximum=1)),
    ("multiple-of/loosened", "", number(multipleOf=1), number(multipleOf=0.5)),
    ("multiple-of/loosened", "", number(multipleOf=0.01), NUMBER),
    ("multiple-of/tightened", "", number(multipleOf=0.1), number(multipleOf=0.3)),
    ("multiple-of/changed", "", number(multipleOf=2), number(multipleOf=3)),
    ("pattern/added", "", STRING, text(pattern="^a")),
    ("pattern/removed", "", text(pattern="^a"), STRING),
    ("pattern/changed", "", text(pattern="^a"), text(pattern="^b")),
    ("content-changed", "", text(contentEncoding="base64"), text(contentEncoding="base32")),
    ("content-changed", "", text(contentMediaType="image/png"), STRING),
    (
        "items-changed/loosened",
        "/*",
        array(prefixItems=[STRING], items=False),
        array(prefixItems=[STRING], items=STRING),
    ),
    (
        "items-changed/tightened",
        "/*",
        array(prefixItems=[STRING], items=STRING),
        array(prefixItems=[STRING], items=False),
    ),
    ("prefix-removed", "/1", array(prefixItems=[STRING, NUMBER]), array(prefixItems=[STRING])),
    (
        "prefix-removed/covered",
        "/1",
        array(prefixItems=[STRING, NUMBER], items=NUMBER),
        array(prefixItems=[STRING], items=NUMBER | {"title": "n", "maximum": 1}),
    ),
    ("prefix-added", "/1", array(prefixItems=[STRING]), array(prefixItems=[STRING, NUMBER])),
    (
        "prefix-added/uncovered",
        "/1",
        array(prefixItems=[STRING], items=NUMBER),
        array(prefixItems=[STRING, STRING], items=NUMBER),
    ),
    ("items-count/loosened", "", array(maxItems=5), array(maxItems=10)),
    ("items-count/loosened", "", array(minItems=1), array()),
    ("items-count/tightened", "", array(), array(maxItems=5)),
    ("fixed-length", "", array(minItems=2, maxItems=2), array(minItems=3, maxItems=3)),
    ("unique-items/removed", "", array(uniqueItems=True), array()),
    ("unique-items/added", "", array(), array(uniqueItems=True)),
    ("contains/loosened", "", array(contains=STRING), array()),
    ("contains/loosened", "", array(contains=STRING, minContains=2), array(contains=STRING)),
    ("contains/tightened", "", array(contains=STRING), array(contains=text(minLength=1))),
    ("unevaluated-items/loosened", "", array(unevaluatedItems=False), array()),
    ("unevaluated-items/tightened", "", array(), array(unevaluatedItems=False)),
    ("union-branch-added", "", {"anyOf": [STRING, NUMBER]}, {"anyOf": [STRING, NUMBER, {"type": "boolean"}]}),
    (
        "union-branch-added",
        "/*",
        array(items={"oneOf": [tagged("a"), tagged("b")]}),
        array(items={"oneOf": [tagged("a"), tagged("b"), tagged("c")]}),
    ),
    ("union-branch-added/covered", "", {"anyOf": [STRING, NUMBER]}, {"anyOf": [STRING, NUMBER, text(maxLength=2)]}),
    ("union-branch-removed", "", {"anyOf": [STRING, NUMBER]}, STRING),
    ("union-branch-removed/covered", "", {"anyOf": [STRING, NUMBER, text(maxLength=2)]}, {"anyOf": [STRING, NUMBER]}),
    ("wrapped-in-one-of", "", STRING, {"oneOf": [STRING, NUMBER]}),
    ("one-of-overlap", "", {"oneOf": [INTEGER, STRING]}, {"oneOf": [INTEGER, {"type": ["string", "integer"]}]}),
    ("one-of-overlap/ended", "", {"oneOf": [INTEGER, {"type": ["string", "integer"]}]}, {"oneOf": [INTEGER, STRING]}),
    ("all-of/removed", "", {"allOf": [{"pattern": "a"}, {"pattern": "b"}], **STRING}, text(pattern="a")),
    ("all-of/added", "", text(pattern="a"), {"allOf": [{"pattern": "a"}, {"pattern": "b"}], **STRING}),
    ("not/loosened", "", {"not": STRING}, {}),
    ("not/loosened", "", {"not": STRING}, {"not": text(maxLength=2)}),
    ("not/tightened", "", {}, {"not": STRING}),
    ("condition/removed", "", {"if": STRING, "then": {"maxLength": 3}}, {}),
    ("condition/added", "", {}, {"if": STRING, "then": {"maxLength": 3}}),
    (
        "condition/changed",
        "",
        {"if": STRING, "then": {"maxLength": 3}},
        {"if": text(minLength=1), "then": {"maxLength": 2, "minLength": 2}},
    ),
    ("ref-changed", "/a", obj(a=STRING), {**obj(a={"$ref": "#/$defs/s"}), "$defs": {"s": STRING}}),
    (
        "discriminator-changed",
        "",
        {"discriminator": {"propertyName": "kind"}},
        {"discriminator": {"propertyName": "type"}},
    ),
    ("discriminator-added", "", {}, {"discriminator": {"propertyName": "kind"}}),
    (
        "undecided",
        "",
        {**obj(a=STRING), "anyOf": [obj(b={})], "oneOf": [{}, NUMBER]},
        {**obj(a=STRING), "anyOf": [obj(b={}), obj(c=NUMBER)], "oneOf": [{}, NUMBER]},
    ),
    ("status/success-removed", "", answers(_200=json(), _202=json()), answers(_200=json())),
    ("status/other-removed", "", answers(_200=json(), _409=json()), answers(_200=json())),
    ("status/added", "", answers(_200=json()), answers(_200=json(), _409=json())),
    ("media-type/removed", "", answers(_200=Answer({"application/json": {}, "text/csv": {}})), answers(_200=json())),
    ("media-type/generalized", "", answers(_200=json()), answers(_200=Answer({"application/*": {}}))),
    ("media-type/added", "", answers(_200=json()), answers(_200=Answer({"application/json": {}, "text/csv": {}}))),
    ("header/required-removed", "", answers(_200=json(etag=Header(True, STRING))), answers(_200=json())),
    (
        "header/became-optional",
        "",
        answers(_200=json(etag=Header(True, STRING))),
        answers(_200=json(etag=Header(False, STRING))),
    ),
    (
        "header/became-required",
        "",
        answers(_200=json(etag=Header(False, STRING))),
        answers(_200=json(etag=Header(True, STRING))),
    ),
    ("header/optional-removed", "", answers(_200=json(etag=Header(False, STRING))), answers(_200=json())),
    (
        "header/type-changed",
        "",
        answers(_200=json(age=Header(True, STRING))),
        answers(_200=json(age=Header(True, NUMBER))),
    ),
    ("header/added", "", answers(_200=json()), answers(_200=json(etag=Header(False, STRING)))),
    ("stream-framing", "", answers(_200=json()), answers(_200=Answer({"text/event-stream": {}}))),
    ("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "/a", proto((1, "a", "string")), proto(reserved_names=["a"])),
    ("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "/a", proto((1, "a", "string")), proto(reserved_numbers=[[1, 1]])),
    ("FIELD_SAME_NAME", "/score", proto_field(), proto_field(name="probability")),
    ("FIELD_SAME_JSON_NAME", "/score", proto_field(), proto_field(json_name="probability")),
    ("FIELD_SAME_ONEOF", "/score", proto_field(), proto_field(oneof="result")),
    ("FIELD_WIRE_JSON_COMPATIBLE_TYPE", "/score", proto_field(), proto_field(type="int64")),
    ("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "/score", proto_field(), proto_field(cardinality="repeated")),
    ("FIELD_SAME_NUMBER", "/a", proto((1, "a", "string")), proto((2, "a", "string"))),
    ("RESERVED_MESSAGE_NO_DELETE", "", proto(reserved_numbers=[[4, 9]]), proto(reserved_numbers=[[4, 8]])),
    ("RESERVED_ENUM_NO_DELETE", "", proto_enum({}, reserved_names=["OLD"]), proto_enum({})),
    (
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
        "",
        proto_enum({"A": 0, "B": 1}),
        proto_enum({"A": 0}, reserved_names=["B"]),
    ),
    (
        "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
        "",
        proto_enum({"A": 0, "B": 1}),
        proto_enum({"A": 0}, reserved_numbers=[[1, 1]]),
    ),
    ("ENUM_VALUE_SAME_NAME", "", proto_enum({"A": 0}), proto_enum({"B": 0})),
    ("semantic-changed", "", number(**PROBABILITY), number(**LOGIT)),
    ("semantic-removed", "", number(**PROBABILITY), NUMBER),
    ("semantic-added", "", NUMBER, number(**PROBABILITY)),
]
ASSERTED = [
    ("format-asserted/loosened", "", text(format="date"), STRING),
    ("format-asserted/changed", "", text(format="date"), text(format="time")),
    ("format-asserted/tightened", "", STRING, text(format="date")),
]
OF_REQUESTS = {
    "prefix-removed": "prefix-removed/covered",
    "prefix-removed/covered": "prefix-removed",
    "prefix-added": "prefix-added/uncovered",
}
"""Covered is what the accepting side allows, which is the newer one of requests."""
ALL = [*CASES, *ASSERTED]
DIRECTED = [("response", index) for index in range(len(ALL))] + [
    ("request", index) for index, (kind, *_) in enumerate(ALL) if kind not in NOT_OF_REQUESTS
]


def contract(schema: Any) -> Contract:
    return schema if isinstance(schema, Contract) else Contract(schema, "json-schema", "test")


def found(kind: str, path: str, changes: tuple[Change, ...]) -> Change:
    matching = [change for change in changes if (change.kind, change.path) == (kind, path)]
    assert len(matching) == 1, [(change.kind, change.path) for change in changes]
    return matching[0]


@pytest.mark.parametrize("client", ["strict", "tolerant"])
@pytest.mark.parametrize(
    ("direction", "case"), DIRECTED, ids=[f"{direction}-{index}-{ALL[index][0]}" for direction, index in DIRECTED]
)
def test_a_change_is_named_and_judged_as_its_row_says(direction: Any, case: int, client: Any) -> None:
    kind, path, older, newer = ALL[case]
    if direction == "request":
        kind = OF_REQUESTS.get(kind, kind)
    formats: Any = "asserted" if kind.startswith("format-asserted") else "annotation"
    diff = compare(contract(older), contract(newer), direction=direction, client=client, formats=formats)
    change = found(kind, path, diff.changes)
    outcome = Policy(direction, client).outcome(kind)
    if change.reason == "proved to allow nothing new":
        assert (change.compatible, change.bump) == (True, "minor")
        return
    verdict = outcome.strict if client == "strict" else outcome.tolerant
    bump = outcome.bump if client == "strict" else outcome.tolerant_bump
    assert (change.strict, change.tolerant, change.bump) == (outcome.strict, outcome.tolerant, bump)
    assert change.compatible == (verdict == "compatible")


def test_every_row_has_a_case() -> None:
    assert {kind for kind, *_ in [*CASES, *ASSERTED]} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_can_be_filled_in(kind: str) -> None:
    assert KINDS[kind].sentence.format_map({"before": "x", "after": "y", "keyword": "z"})


def test_a_member_that_a_request_no_longer_needs_is_optional_and_undeclared() -> None:
    older, newer = contract({**obj(b=NUMBER), "required": ["b"]}), contract(closed())
    diff = compare(older, newer, direction="request")
    assert [change.kind for change in diff.changes if change.path == "/b"] == [
        "became-optional",
        "optional-removed/closed-new",
    ]
    assert [change.compatible for change in diff.changes if change.path == "/b"] == [True, False]
