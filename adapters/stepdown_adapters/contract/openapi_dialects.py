"""How OpenAPI writes schemas: 3.0's own dialect, and 3.1's, which is 2020-12 with four words more.

    OpenAPI 3.0                              2020-12
    type: T, nullable: true                  type: [T, null]
    minimum: 0, exclusiveMinimum: true       exclusiveMinimum: 0
    example: v                               examples: [v]
    $ref with siblings                       $ref alone
    words of JSON Schema that 3.0 lacks      nothing, and a warning

As OpenAPI 3.0.3 has it, `nullable` adds null to the `type` beside it and does nothing else: without a `type`, or with
an `enum` that does not list null, it changes nothing, and there is a warning. `discriminator` stays as an annotation;
`xml` and `externalDocs` go.
"""

from __future__ import annotations

from typing import Any

from stepdown_adapters.contract.dialects import DRAFT_2020, GONE, Dialect, Inner, Warn, metaschema, rebuilt

_NOT_NEGATIVE = {"type": "integer", "minimum": 0}
_ONE = {"$ref": "#/$defs/schema"}
_SOME = {"type": "array", "items": _ONE, "minItems": 1}
_TEXT = {"type": "string"}
_YES_OR_NO = {"type": "boolean"}
_WORDS_OF_3_0: dict[str, Any] = {
    "additionalProperties": {"if": {"type": "boolean"}, "else": _ONE},
    "allOf": _SOME,
    "anyOf": _SOME,
    "default": True,
    "deprecated": _YES_OR_NO,
    "description": _TEXT,
    "discriminator": {"type": "object", "properties": {"propertyName": _TEXT}, "required": ["propertyName"]},
    "enum": {"type": "array", "minItems": 1},
    "example": True,
    "exclusiveMaximum": _YES_OR_NO,
    "exclusiveMinimum": _YES_OR_NO,
    "externalDocs": True,
    "format": _TEXT,
    "items": _ONE,
    "maxItems": _NOT_NEGATIVE,
    "maxLength": _NOT_NEGATIVE,
    "maxProperties": _NOT_NEGATIVE,
    "maximum": {"type": "number"},
    "minItems": _NOT_NEGATIVE,
    "minLength": _NOT_NEGATIVE,
    "minProperties": _NOT_NEGATIVE,
    "minimum": {"type": "number"},
    "multipleOf": {"type": "number", "exclusiveMinimum": 0},
    "not": _ONE,
    "nullable": _YES_OR_NO,
    "oneOf": _SOME,
    "pattern": _TEXT,
    "properties": {"type": "object", "additionalProperties": _ONE},
    "readOnly": _YES_OR_NO,
    "required": {"type": "array", "items": _TEXT, "uniqueItems": True},
    "title": _TEXT,
    "type": {"enum": ["array", "boolean", "integer", "number", "object", "string"]},
    "uniqueItems": _YES_OR_NO,
    "writeOnly": _YES_OR_NO,
    "xml": True,
}
_METASCHEMA_3_0 = {
    **_ONE,
    "$defs": {
        "schema": {
            "type": "object",
            "if": {"required": ["$ref"]},
            "then": {"properties": {"$ref": _TEXT}},
            "else": {"properties": _WORDS_OF_3_0},
        }
    },
}
_NO_VALIDATION = frozenset(["externalDocs", "xml"])


def _from_3_0(schema: dict[str, Any], inner: Inner, warn: Warn) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    foreign = {keyword for keyword in schema if keyword not in _WORDS_OF_3_0 and not keyword.startswith("x-")}
    for keyword in sorted(foreign):
        warn(f'OpenAPI 3.0 has no {keyword!r}, so it is ignored; with "openapi: 3.1.0" it counts')
    copy = rebuilt(schema, inner, GONE | _NO_VALIDATION | foreign)
    for bound in ("minimum", "maximum"):
        exclusive = "exclusive" + bound.capitalize()
        if copy.pop(exclusive, False) and bound in copy:
            copy[exclusive] = copy.pop(bound)
    if copy.pop("nullable", False):
        _make_nullable(copy, warn)
    return _with_examples(copy)


def _make_nullable(copy: dict[str, Any], warn: Warn) -> None:
    if "type" not in copy:
        warn("'nullable' adds null to the 'type' beside it, and there is none, so it changes nothing")
        return
    copy["type"] = [copy["type"], "null"]
    if None not in copy.get("enum", [None]):
        warn("it is nullable, but its 'enum' does not list null, so null is not allowed")


def _from_3_1(schema: dict[str, Any], inner: Inner, warn: Warn) -> dict[str, Any]:
    copy = DRAFT_2020.convert(schema, inner, warn)
    for keyword in _NO_VALIDATION & copy.keys():
        del copy[keyword]
    return _with_examples(copy)


def _with_examples(copy: dict[str, Any]) -> dict[str, Any]:
    if "example" in copy:
        copy.setdefault("examples", [copy.pop("example")])
        copy.pop("example", None)
    return copy


OPENAPI_3_0 = Dialect("openapi-3.0", metaschema(_METASCHEMA_3_0), _from_3_0)
OPENAPI_3_1 = Dialect("openapi-3.1", DRAFT_2020.metaschema, _from_3_1)
BASE_DIALECT_3_1 = "https://spec.openapis.org/oas/3.1/dialect/base"
"""What `jsonSchemaDialect` is when an OpenAPI 3.1 document does not say."""
