"""A diff never calls a change compatible that lets a document through which was not valid before."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from stepdown_adapters.contract.model import Contract
from stepdown_adapters.diff import compare
from stepdown_adapters.diff.flat import Flattener
from stepdown_adapters.diff.policy import Policy
from stepdown_adapters.diff.walk import Walk
from stepdown_adapters.operations import parse
from stepdown_adapters.paths import ROOT
from stepdown_adapters.paths import parse as parse_path
from stepdown_adapters.proof.inclusion import Excluded, included

NAMES_OF_MEMBERS = ["a", "b", "ab"]
SCALARS = [None, True, False, 0, 1, 2, 3, 1.5, -1, "", "a", "b", "ab", "abc"]
values = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES_OF_MEMBERS, "c"]), inner, max_size=3)
    ),
    max_leaves=5,
)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
small = st.integers(0, 3)
simple_keywords = st.one_of(
    st.tuples(st.just("type"), types | st.lists(types, min_size=1, max_size=2, unique=True)),
    st.tuples(st.just("enum"), st.lists(st.sampled_from(SCALARS), min_size=1, max_size=3, unique_by=repr)),
    st.tuples(st.just("const"), st.sampled_from(SCALARS)),
    st.tuples(
        st.sampled_from(
            [
                *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
                *("minItems", "maxItems", "minProperties", "maxProperties"),
            ]
        ),
        small,
    ),
    st.tuples(st.just("multipleOf"), st.sampled_from([1, 2, 3, 0.5])),
    st.tuples(st.just("pattern"), st.sampled_from(["a", "^a", "^a$", "^[ab]+$"])),
    st.tuples(st.just("required"), st.lists(st.sampled_from(NAMES_OF_MEMBERS), unique=True, max_size=2)),
    st.tuples(st.just("uniqueItems"), st.booleans()),
    st.tuples(
        st.just("dependentRequired"), st.dictionaries(st.just("a"), st.lists(st.just("b"), max_size=1), max_size=1)
    ),
)


def schemas_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = st.lists(inner, min_size=1, max_size=2)
    combined = st.one_of(
        st.tuples(st.sampled_from(["anyOf", "oneOf", "allOf", "prefixItems"]), branches),
        st.tuples(
            st.sampled_from(
                ["not", "items", "contains", "if", "then", "else", "additionalProperties", "propertyNames"]
            ),
            inner | st.booleans(),
        ),
        st.tuples(st.just("unevaluatedProperties"), st.just(False)),
        st.tuples(
            st.just("properties"), st.dictionaries(st.sampled_from(NAMES_OF_MEMBERS), inner | st.booleans(), max_size=2)
        ),
        st.tuples(st.just("patternProperties"), st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=1)),
        st.tuples(st.just("dependentSchemas"), st.dictionaries(st.just("a"), inner, max_size=1)),
        st.just(("$ref", "#/$defs/shared")),
    )
    return st.lists(simple_keywords | combined, max_size=4).map(dict)


schemas = st.recursive(st.lists(simple_keywords, max_size=2).map(dict), schemas_of, max_leaves=5)


@st.composite
def changed(draw: st.DrawFn, schema: Any) -> Any:
    """The schema with a few keywords taken away, added or replaced, here or below."""
    if not isinstance(schema, dict):
        return draw(st.sampled_from([schema, schema, {}, True, False]))
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        choice = draw(st.integers(0, 9))
        if choice == 0 and keyword != "$ref":
            continue
        if isinstance(value, dict) and keyword in ("properties", "patternProperties", "dependentSchemas"):
            result[keyword] = {name: draw(changed(inner)) for name, inner in value.items() if draw(st.integers(0, 7))}
        elif isinstance(value, dict):
            result[keyword] = draw(changed(value)) if keyword != "dependentRequired" else value
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            result[keyword] = [draw(changed(inner)) for inner in value]
        elif isinstance(value, int) and not isinstance(value, bool) and keyword not in ("const", "multipleOf"):
            result[keyword] = max(0, value + draw(st.sampled_from([0, 0, 1, -1])))
        else:
            result[keyword] = value
    if not draw(st.integers(0, 3)):
        keyword, value = draw(simple_keywords)
        result[keyword] = value
    return result


def rooted(schema: Any, shared: Any) -> Any:
    """The schema with a definition that may refer to itself only below a member."""
    if "$ref" in schema:
        schema = {name: value for name, value in schema.items() if name != "$ref"} | {
            "allOf": [{"$ref": "#/$defs/shared"}]
        }
    return {**schema, "$defs": {"shared": shared}}


definitions = st.one_of(
    st.lists(simple_keywords, max_size=2).map(dict),
    st.just({"type": "object", "properties": {"a": {"$ref": "#/$defs/shared"}}, "additionalProperties": False}),
    st.just({"type": ["array", "integer"], "items": {"$ref": "#/$defs/shared"}, "maxItems": 2}),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    schema, shared = draw(schemas), draw(definitions)
    newer = draw(changed(schema)) if draw(st.integers(0, 9)) else draw(schemas)
    other = draw(changed(shared)) if draw(st.booleans()) else shared
    return rooted(schema, shared), rooted(newer, other)


def validator(schema: Any) -> Any:
    try:
        return jsonschema_rs.validator_for(schema)
    except (jsonschema_rs.ValidationError, ValueError):
        assume(False)
        return None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(pairs(), st.lists(values, max_size=12), st.sampled_from(["response", "request"]))
def test_where_the_walk_alone_finds_nothing_that_breaks_no_document_breaks(
    pair: tuple[Any, Any], documents: list[Any], direction: Any
) -> None:
    older, newer = pair
    sent, accepted = (newer, older) if direction == "response" else (older, newer)
    may, must = validator(sent), validator(accepted)
    walk = Walk(older, newer, Policy(direction), None)
    walk.compare(older, newer, ROOT)
    holds = walk.holds([one for one in walk.found if walk.about_values(one)])
    event("compatible" if holds else "breaking")
    if holds:
        for document in [*SCALARS, [], {}, *documents]:
            assert not may.is_valid(document) or must.is_valid(document), document
        verdict = included(sent, accepted)
        assert not isinstance(verdict, Excluded), verdict


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(pairs(), st.lists(values, max_size=12), st.sampled_from(["response", "request"]))
def test_a_diff_never_contradicts_a_proof_or_a_document(
    pair: tuple[Any, Any], documents: list[Any], direction: Any
) -> None:
    older, newer = pair
    sent, accepted = (newer, older) if direction == "response" else (older, newer)
    may, must = validator(sent), validator(accepted)
    one, other = Contract(older, "json-schema", "older"), Contract(newer, "json-schema", "newer")
    diff = compare(one, other, direction=direction)
    if diff.compatible:
        assert diff.inclusion != "excluded"
        for document in [*SCALARS, [], {}, *documents]:
            assert not may.is_valid(document) or must.is_valid(document), document
    elif not any(change.guess for change in diff.changes):
        assert diff.inclusion != "included"
    for change in diff.changes:
        parse_path(change.path)
    assert len(parse([dict(repair) for repair in diff.repairs])) == len(diff.repairs)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(schemas, definitions, st.lists(values, max_size=12))
def test_the_flat_form_of_a_schema_says_the_same(schema: Any, shared: Any, documents: list[Any]) -> None:
    whole = rooted(schema, shared)
    plain = validator(whole)
    flat = validator({**Flattener(whole).flat(whole), "$defs": whole["$defs"]} if whole is not True else whole)
    for document in [*SCALARS, [], {}, *documents]:
        assert plain.is_valid(document) == flat.is_valid(document), document
