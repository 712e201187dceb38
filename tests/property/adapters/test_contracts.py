"""What is said of contracts is sound: projections make valid documents, and impossible paths are never there."""

import contextlib
from typing import Any

import jsonschema_rs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from stepdown_adapters.contract.schema_paths import impossible
from stepdown_adapters.diff.project import Projection, project
from stepdown_adapters.diff.prune import pruning
from stepdown_adapters.errors import Refusal
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse
from stepdown_adapters.paths import parse as parse_path
from stepdown_adapters.places import select

NAMES = ["a", "b", "c", "0"]
scalars = st.sampled_from([None, True, 0, 1, "x", "y"])
scalar_schemas = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"const": "x"},
        {"enum": ["x", 1]},
        {"type": ["null", "string"]},
        True,
        {},
    ]
)


@st.composite
def object_schemas(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=3))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if draw(st.booleans()):
        schema["required"] = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    rest = draw(st.sampled_from([None, False, False, True, {"type": "string"}]))
    if rest is not None:
        schema["additionalProperties"] = rest
    extra = draw(st.sampled_from([{}] * 6 + [{"minProperties": 2}, {"not": {"required": ["a"]}}, {"title": "t"}]))
    return {**schema, **extra}


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        object_schemas(inner),
        object_schemas(inner),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner}, optional={"uniqueItems": st.just(True), "maxItems": st.just(2)}
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        st.just({"$ref": "#/$defs/shared"}),
    )


schemas = st.recursive(scalar_schemas, combined, max_leaves=6)
roots = st.builds(lambda schema, shared: {**schema, "$defs": {"shared": shared}}, object_schemas(schemas), schemas)


@st.composite
def valid_for(draw: st.DrawFn, schema: Any, root: Any, depth: int = 0) -> Any:
    """Probably a document of `schema`; the test keeps only those that are."""
    if isinstance(schema, bool) or depth > 5:
        return draw(scalars)
    if "$ref" in schema:
        return draw(valid_for(root["$defs"]["shared"], root, depth + 1))
    for keyword in ("anyOf", "allOf"):
        if keyword in schema:
            return draw(valid_for(draw(st.sampled_from(schema[keyword])), root, depth + 1))
    if schema.get("type") == "object":
        names = [name for name in schema["properties"] if name in schema.get("required", ()) or draw(st.booleans())]
        document = {name: draw(valid_for(schema["properties"][name], root, depth + 1)) for name in names}
        if schema.get("additionalProperties", True) is not False and draw(st.booleans()):
            document.setdefault(draw(st.sampled_from([*NAMES, "stray"])), draw(st.sampled_from(["x", "y"])))
        return document
    if schema.get("type") == "array":
        return draw(st.lists(valid_for(schema["items"], root, depth + 1), max_size=3))
    return draw(st.sampled_from([schema["const"], *schema.get("enum", [])]) if "const" in schema else scalars)


@st.composite
def extended(draw: st.DrawFn, schema: Any) -> Any:
    """A newer schema: properties are added here and there, and sometimes something else is changed."""
    if not isinstance(schema, dict):
        return schema
    newer = dict(schema)
    if "properties" in schema:
        newer["properties"] = {name: draw(extended(inner)) for name, inner in schema["properties"].items()}
        if draw(st.booleans()):
            newer["properties"].setdefault(draw(st.sampled_from(NAMES)), draw(scalar_schemas))
        if draw(st.integers(0, 5)) == 0:
            newer["additionalProperties"] = draw(st.sampled_from([True, False]))
        if draw(st.integers(0, 5)) == 0:
            newer.pop("required", None)
    if "items" in schema:
        newer["items"] = draw(extended(schema["items"]))
    if "$defs" in schema:
        newer["$defs"] = {name: draw(extended(inner)) for name, inner in schema["$defs"].items()}
    return newer


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_projected_document_is_valid_for_the_older_contract(data: st.DataObject) -> None:
    older = data.draw(roots, label="older")
    newer = data.draw(extended(older), label="newer")
    result = project(newer, older)
    event(type(result).__name__)
    assume(isinstance(result, Projection))
    assert isinstance(result, Projection)
    document = data.draw(valid_for(newer, newer), label="document")
    assume(jsonschema_rs.is_valid(newer, document))
    event("removes" if result.operations else "nothing to do")
    assert jsonschema_rs.is_valid(older, run(parse(result.operations), document))


segments = st.sampled_from([*NAMES, "*", "[a=x]", "[b=1]", "[c=true]", "-"])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_path_that_a_contract_rules_out_is_in_none_of_its_documents(data: st.DataObject) -> None:
    schema = data.draw(roots, label="schema")
    path = parse_path("".join("/" + part for part in data.draw(st.lists(segments, min_size=1, max_size=3))))
    document = data.draw(valid_for(schema, schema), label="document")
    assume(jsonschema_rs.is_valid(schema, document))
    found = impossible(schema, path)
    event("impossible" if found else "possible")
    if found:
        with contextlib.suppress(Refusal):
            assert select([document], 0, path, fails=True) == []  # `*` over nothing


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_pruning_leaves_a_valid_document_valid(data: st.DataObject) -> None:
    schema = data.draw(roots.filter(lambda root: "minProperties" not in str(root) and "uniqueItems" not in str(root)))
    document = data.draw(valid_for(schema, schema), label="document")
    assume(jsonschema_rs.is_valid(schema, document))
    assert jsonschema_rs.is_valid(schema, run(parse(pruning(schema)), document))
