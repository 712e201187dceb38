"""No document contradicts a verdict on inclusion, and the verdicts agree with each other and with logic."""

from typing import Any

import jsonschema_rs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from stepdown_adapters.proof.inclusion import Excluded, Included, Undecided, included

NAMES = ["a", "b", "ab"]
VALUES: list[Any] = [None, True, False, 0, 1, 2, -1, 0.5, 1.5, "", "a", "b", "ab", [], [0], [1, 1], {}, {"a": 0}]

names, values = st.sampled_from(NAMES), st.sampled_from(VALUES)
sizes = st.integers(0, 3)
numbers = st.sampled_from([-1, 0, 0.5, 1, 2.5, 3])
patterns = st.sampled_from(["^a", "b$", "^[ab]+$", "^.$", "^(a|ab)*$"])
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])

leaves: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.builds(lambda one: {"type": one}, types),
    st.builds(lambda one: {"const": one}, values),
    st.builds(lambda one: {"enum": one}, st.lists(values, min_size=1, max_size=3)),
)


def keywords(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    some, named = st.lists(inner, min_size=1, max_size=3), st.dictionaries(names, inner, min_size=1, max_size=2)
    bounds = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), numbers)
    lengths = dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), sizes)
    ones = dict.fromkeys(("items", "contains", "additionalProperties", "not", "if", "then", "else"), inner)
    lists = dict.fromkeys(("prefixItems", "allOf", "anyOf", "oneOf"), some)
    return {
        **bounds,
        **lengths,
        **ones,
        **lists,
        "type": types,
        "multipleOf": st.sampled_from([1, 2, 3, 0.5, 0.1]),
        "pattern": patterns,
        "uniqueItems": st.just(True),
        "minContains": sizes,
        "maxContains": sizes,
        "required": st.lists(names, max_size=2, unique=True),
        "properties": named,
        "dependentSchemas": named,
        "dependentRequired": st.dictionaries(names, st.lists(names, max_size=1), max_size=1),
        "patternProperties": st.dictionaries(patterns, inner, min_size=1, max_size=1),
        "propertyNames": st.one_of(st.builds(lambda one: {"pattern": one}, patterns), st.just({"maxLength": 1})),
    }


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    table = keywords(inner)
    picked = st.lists(st.sampled_from(sorted(table)), min_size=1, max_size=4, unique=True)
    return picked.flatmap(lambda chosen: st.fixed_dictionaries({one: table[one] for one in chosen}))


schemas = st.recursive(leaves, deeper, max_leaves=8)
documents = st.recursive(
    values,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from([*NAMES, "x", "bcd"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def is_valid(schema: Any, document: Any) -> bool:
    return jsonschema_rs.validator_for(schema).is_valid(document)


def weakened(schema: Any, draw: Any) -> Any:
    """A schema that is likely to be comparable: with a keyword less, or one alternative more."""
    if isinstance(schema, dict) and len(schema) > 1 and draw(st.booleans()):
        dropped = draw(st.sampled_from(sorted(schema)))
        return {keyword: value for keyword, value in schema.items() if keyword != dropped}
    return {"anyOf": [schema, draw(schemas)]}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    one = draw(schemas)
    other = weakened(one, draw) if draw(st.booleans()) else draw(schemas)
    return (one, other) if draw(st.booleans()) else (other, one)


@settings(max_examples=200, deadline=None)
@given(pairs(), st.lists(documents, min_size=5, max_size=15))
def test_no_document_contradicts_the_verdict(pair: tuple[Any, Any], tried: list[Any]) -> None:
    inner, outer = pair
    answer = included(inner, outer)
    event(type(answer).__name__)
    if isinstance(answer, Excluded):
        assert is_valid(inner, answer.witness)
        assert not is_valid(outer, answer.witness)
    if isinstance(answer, Included):
        assert not any(is_valid(inner, document) and not is_valid(outer, document) for document in tried)


@settings(max_examples=60, deadline=None)
@given(schemas, schemas)
def test_logic_is_never_refuted(one: Any, other: Any) -> None:
    neither = {"not": {"anyOf": [one, other]}}
    for inner, outer in [
        (one, {"title": "the same", "allOf": [one]}),
        ({"not": {"not": one}}, one),
        ({"allOf": [one, other]}, one),
        (one, {"anyOf": [other, one]}),
        ({"oneOf": [one, other]}, {"anyOf": [one, other]}),
        (neither, {"allOf": [{"not": one}, {"not": other}]}),
        (one, {"if": other, "then": one, "else": one}),
        ({"allOf": [one, {"not": one}]}, False),
        ({"type": "array", "items": {"allOf": [one, other]}}, {"items": one}),
        ({"properties": {"a": one}}, {"properties": {"a": {"anyOf": [one, other]}}}),
    ]:
        answer = included(inner, outer)
        assert isinstance(answer, Included | Undecided), (inner, outer)


@settings(max_examples=60, deadline=None)
@given(schemas, schemas, st.data())
def test_inclusion_is_transitive(one: Any, other: Any, data: st.DataObject) -> None:
    middle = weakened(one, data.draw)
    outer = weakened(middle, data.draw)
    assume(isinstance(included(one, middle), Included) and isinstance(included(middle, outer), Included))
    assert not isinstance(included(one, outer), Excluded)
    if isinstance(included(other, one), Included):
        assert not isinstance(included(other, outer), Excluded)


array_atoms = st.one_of(
    st.builds(lambda one, n: {"contains": one, "minContains": n}, leaves, sizes),
    st.builds(lambda one, n: {"contains": one, "maxContains": n}, leaves, sizes),
    st.builds(lambda some, one: {"prefixItems": some, "items": one}, st.lists(leaves, min_size=1, max_size=2), leaves),
    st.builds(lambda one: {"items": one}, leaves),
    st.builds(lambda n: {"minItems": n}, sizes),
    st.builds(lambda n: {"maxItems": n}, sizes),
    st.just({"uniqueItems": True}),
)
object_atoms = st.one_of(
    st.builds(
        lambda named, pattern, one, rest: {
            "properties": named,
            "patternProperties": {pattern: one},
            "additionalProperties": rest,
        },
        st.dictionaries(names, leaves, max_size=2),
        patterns,
        leaves,
        leaves,
    ),
    st.builds(lambda one: {"propertyNames": {"pattern": one}}, patterns),
    st.builds(lambda n: {"propertyNames": {"maxLength": n}}, sizes),
    st.builds(lambda one: {"required": [one]}, names),
    st.builds(lambda n: {"minProperties": n}, sizes),
    st.builds(lambda n: {"maxProperties": n}, sizes),
)


@st.composite
def conjunctions(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """Conditions on one kind of value, some of them negated, with documents of that kind."""
    kind, atoms = draw(st.sampled_from([("array", array_atoms), ("object", object_atoms)]))
    parts = draw(st.lists(st.one_of(atoms, st.builds(lambda one: {"not": one}, atoms)), min_size=2, max_size=4))
    items = st.sampled_from([None, 0, 1, 2, True, "a"])
    found = {
        "array": st.lists(items, max_size=4),
        "object": st.dictionaries(st.sampled_from([*NAMES, "x", "bcd"]), items, max_size=3),
    }[kind]
    return {"type": kind, "allOf": parts}, draw(st.lists(found, min_size=10, max_size=30))


@settings(max_examples=200, deadline=None)
@given(conjunctions())
def test_what_is_said_to_be_empty_has_no_documents(case: tuple[Any, list[Any]]) -> None:
    schema, tried = case
    answer = included(schema, False)
    event(type(answer).__name__)
    validator = jsonschema_rs.validator_for(schema)
    if isinstance(answer, Excluded):
        assert validator.is_valid(answer.witness)
    if isinstance(answer, Included):
        assert not any(validator.is_valid(document) for document in tried)
