from __future__ import annotations

from typing import Any

import pytest

from stepdown.gate.fingerprint import fingerprint
from stepdown_adapters.contract.model import Answer, Contract, Envelope, Header

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["score", "label"],
    "properties": {
        "score": {"type": "number", "minimum": 0, "maximum": 1, "x-semantic": {"kind": "probability"}},
        "label": {"enum": ["stays", "leaves"]},
        "description": {"type": ["string", "null"]},
    },
    "additionalProperties": False,
}


def printed(schema: Any, **options: Any) -> str:
    return fingerprint(Contract(schema, "json-schema", "x.json", **options))


def changed(**changes: Any) -> dict[str, Any]:
    return {**SCHEMA, **changes}


def with_property(name: str, schema: Any) -> dict[str, Any]:
    return changed(properties={**SCHEMA["properties"], name: schema})


@pytest.mark.parametrize(
    "schema",
    [
        dict(reversed(SCHEMA.items())),
        changed(title="Answer", description="What the model thinks.", examples=[{}]),
        changed(required=["label", "score"]),
        changed(type=["object"]),
        with_property("label", {"enum": ["leaves", "stays"]}),
        with_property("score", {**SCHEMA["properties"]["score"], "minimum": 0.0, "default": 0.5}),
        with_property("description", {"type": ["null", "string"], "format": "uuid"}),
        changed(
            properties={**SCHEMA["properties"], "label": {"$ref": "#/$defs/label", "title": "x"}},
            **{"$defs": {"label": {"enum": ["stays", "leaves"]}, "unused": {}}},
        ),
    ],
    ids=["order", "explanations", "set", "one type", "enum", "numbers", "format", "definition"],
)
def test_what_no_client_can_notice_leaves_it_alone(schema: Any) -> None:
    assert printed(schema) == printed(SCHEMA)


@pytest.mark.parametrize(
    "schema",
    [
        changed(required=["score"]),
        changed(additionalProperties=True),
        with_property("score", {**SCHEMA["properties"]["score"], "maximum": 2}),
        with_property("score", {**SCHEMA["properties"]["score"], "x-semantic": {"kind": "logit"}}),
        with_property("label", {"enum": ["stays", "leaves", "unknown"]}),
        with_property("description", {"type": "string"}),
        with_property("title", {"type": "string"}),
        {**SCHEMA, "properties": {name: one for name, one in SCHEMA["properties"].items() if name != "description"}},
    ],
    ids=["required", "closed", "bound", "meaning", "enum", "type", "member called title", "member called description"],
)
def test_what_changes_a_promise_changes_it(schema: Any) -> None:
    assert printed(schema) != printed(SCHEMA)


def test_an_order_that_counts_counts() -> None:
    assert printed({"prefixItems": [{"type": "string"}, {}]}) != printed({"prefixItems": [{}, {"type": "string"}]})
    assert printed({"anyOf": [{"type": "string"}, {}]}) == printed({"anyOf": [{}, {"type": "string"}]})


def tree(name: str, leaf: Any) -> dict[str, Any]:
    node = {"type": "object", "properties": {"below": {"$ref": f"#/$defs/{name}"}, "leaf": leaf}}
    return {"$ref": f"#/$defs/{name}", "$defs": {name: node}}


def test_a_schema_that_contains_itself_has_one_whatever_its_definition_is_called() -> None:
    assert printed(tree("node", {})) == printed(tree("tree", {}))
    assert printed(tree("node", {})) != printed(tree("node", {"type": "string"}))
    assert printed({"properties": {"below": {"$ref": "#"}}}).startswith("sha256:")


def test_definitions_that_contain_each_other_have_one_in_whatever_order_they_are_met() -> None:
    ring = {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"properties": {"a": {"$ref": "#/$defs/a"}}}}
    ring["b"]["required"] = ["a"]  # type: ignore[assignment]
    both = {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/b"}}
    turned = dict(reversed(both.items()))
    assert printed({"properties": both, "$defs": ring}) == printed({"properties": turned, "$defs": ring})


def test_definitions_that_unfold_without_end_are_taken_as_written() -> None:
    def doubling(last: Any) -> dict[str, Any]:
        names = [f"d{number}" for number in range(12)]
        alike = {
            name: {"properties": {str(other): {"$ref": f"#/$defs/{names[other]}"} for other in range(12)}}
            for name in names
        }
        return {"$ref": "#/$defs/d0", "$defs": {**alike, "d11": {**alike["d11"], "not": last}}}

    assert printed(doubling({})) != printed(doubling({"type": "string"}))


def test_statuses_media_types_and_headers_of_an_operation_count() -> None:
    def answers(status: str = "200", required: bool = False) -> Envelope:
        header = Header(required=required, schema={"type": "string"})
        return Envelope({status: Answer({"application/json": SCHEMA}, {"x-model": header})})

    prints = [printed(SCHEMA, envelope=one) for one in (None, answers(), answers("201"), answers(required=True))]
    assert len(set(prints)) == 4
    assert printed(SCHEMA, envelope=answers()) == prints[1]
