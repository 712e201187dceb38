from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.diff.project import Projection, Unprojectable, project
from stepdown_adapters.interpret import run
from stepdown_adapters.operations import parse

STRING = {"type": "string"}
NUMBER = {"type": "number"}


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def opened(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def operations(newer: Any, older: Any) -> tuple[Any, ...]:
    result = project(newer, older)
    assert isinstance(result, Projection), result
    return result.operations


def different(newer: Any, older: Any) -> Unprojectable:
    result = project(newer, older)
    assert isinstance(result, Unprojectable), result
    return result


def test_equal_contracts_need_nothing() -> None:
    assert operations(closed(a=STRING), closed(a=STRING)) == ()


def test_annotations_do_not_count() -> None:
    newer = {**closed(a={**STRING, "title": "A", "default": "x"}), "description": "new", "$defs": {"unused": NUMBER}}
    assert operations(newer, closed(a=STRING)) == ()


def test_a_property_added_under_a_closed_contract_is_removed() -> None:
    assert operations(closed(a=STRING, b=NUMBER), closed(a=STRING)) == ({"remove": "/b"},)


def test_a_property_added_under_an_open_contract_rides_along() -> None:
    assert operations(opened(a=STRING, b=NUMBER), opened(a=STRING)) == ()


def test_what_an_open_contract_lets_through_is_projected_away_for_a_closed_one() -> None:
    expected = ({"project": {"path": "", "keep": ["a"], "on_missing": "skip"}},)
    assert operations(opened(a=STRING, b=NUMBER), closed(a=STRING)) == expected
    assert operations(opened(a=STRING), closed(a=STRING)) == expected


def test_names_are_escaped() -> None:
    newer = closed(**{"a/b~": closed(x=STRING, **{"*": NUMBER})})
    assert operations(newer, closed(**{"a/b~": closed(x=STRING)})) == ({"remove": "/a~1b~0/~2"},)


def test_additions_are_found_at_any_depth() -> None:
    newer = closed(rows={"type": "array", "items": closed(a=closed(x=STRING, y=STRING))}, extra=STRING)
    older = closed(rows={"type": "array", "items": closed(a=closed(x=STRING))})
    assert operations(newer, older) == ({"remove": "/rows/*/a/y"}, {"remove": "/extra"})


def test_references_are_followed() -> None:
    newer = {"$ref": "#/$defs/row", "$defs": {"row": closed(a=STRING, b={"$ref": "#/$defs/n"}), "n": NUMBER}}
    older = {"$ref": "#/$defs/line", "$defs": {"line": closed(a={"$ref": "#/$defs/t"}), "t": STRING}}
    assert operations(newer, older) == ({"remove": "/b"},)


def test_equal_recursive_contracts_need_nothing() -> None:
    tree = {"$ref": "#/$defs/node", "$defs": {"node": closed(left={"$ref": "#/$defs/node"}, value=NUMBER)}}
    assert operations(tree, {**tree, "title": "t"}) == ()


def test_an_addition_at_every_depth_of_a_recursive_contract_is_not_projected() -> None:
    def tree(**more: Any) -> dict[str, Any]:
        return {"$ref": "#/$defs/node", "$defs": {"node": closed(left={"$ref": "#/$defs/node"}, **more)}}

    assert "recursive" in different(tree(x=NUMBER), tree()).reason


def test_anything_is_valid_where_the_older_contract_says_true() -> None:
    assert operations(closed(a=STRING), closed(a=True)) == ()
    assert operations(STRING, {}) == ()


def test_a_member_that_became_required_is_no_obstacle() -> None:
    assert operations(closed(("a",), a=STRING), closed(a=STRING)) == ()


@pytest.mark.parametrize(
    ("newer", "older", "path", "reason"),
    [
        (closed(a=NUMBER), closed(a=STRING), "/a", "'type' is 'number' instead of 'string'"),
        (closed(), closed(a=STRING), "/a", "no longer declared"),
        (closed(a=STRING), closed(("a",), a=STRING), "", "'a' is no longer required"),
        (closed(a={"enum": [1, 2]}), closed(a={"enum": [1]}), "/a", "'enum' is [1, 2] instead of [1]"),
        (closed(a={"const": True}), closed(a={"const": 1}), "/a", "'const' is True instead of 1"),
        (closed(a=NUMBER), closed(a={**NUMBER, "maximum": 1}), "/a", "'maximum' is gone"),
        (closed(a={**NUMBER, "maximum": 1}), closed(a=NUMBER), "/a", "'maximum' was added"),
        (closed(a={**NUMBER, "x-semantic": 1}), closed(a={**NUMBER, "x-semantic": 2}), "/a", "'x-semantic'"),
        ({"type": "array", "items": NUMBER}, {"type": "array", "items": STRING}, "/*", "'type'"),
        (True, closed(), "", "the schema"),
        (None, closed(), "", "without a schema"),
        (closed(), None, "", "without a schema"),
        ({"$schema": "a"}, {"$schema": "b"}, "", "different drafts"),
        (
            {"type": "object", "additionalProperties": STRING, "properties": {"b": STRING}},
            {"type": "object", "additionalProperties": STRING},
            "/b",
            "a schema for unknown members",
        ),
        (
            {"type": "object", "additionalProperties": NUMBER},
            {"type": "object", "additionalProperties": STRING},
            "",
            "'additionalProperties' differs",
        ),
        ({"anyOf": [STRING, NUMBER]}, {"anyOf": [STRING]}, "", "'anyOf' differs"),
        (
            {**closed(a=STRING, b=STRING), "minProperties": 2},
            {**closed(a=STRING), "minProperties": 2},
            "",
            "'minProperties'",
        ),
        (
            {"type": "array", "uniqueItems": True, "items": closed(a=STRING, b=STRING)},
            {"type": "array", "uniqueItems": True, "items": closed(a=STRING)},
            "",
            "'uniqueItems'",
        ),
        (
            {**opened(a=STRING), "patternProperties": {"^x": STRING}},
            {**closed(a=STRING), "patternProperties": {"^x": STRING}},
            "",
            "'additionalProperties' was opened",
        ),
        (
            {"type": "array", "prefixItems": [STRING], "items": closed(a=STRING)},
            {"type": "array", "prefixItems": [STRING], "items": closed()},
            "/*",
            "'prefixItems'",
        ),
        ({"items": [STRING, NUMBER]}, {"items": [STRING]}, "/*", "'items' differs"),
        (closed(b=STRING), {**closed(("b",)), "properties": {}}, "", "'b' is no longer required"),
        (closed(("b",), b=STRING), closed(("b",)), "", "requires a member that it does not allow"),
        (
            {"$ref": "#/$defs/x", "minProperties": 1, "$defs": {"x": closed(a=STRING, b=STRING)}},
            {"$ref": "#/$defs/x", "minProperties": 1, "$defs": {"x": closed(a=STRING)}},
            "",
            "'$ref' differs",
        ),
    ],
)
def test_whatever_else_differs_is_not_projected(newer: Any, older: Any, path: str, reason: str) -> None:
    result = different(newer, older)
    assert result.path == path
    assert reason in result.reason


def test_equal_keywords_that_look_at_the_whole_are_no_obstacle_while_nothing_is_removed() -> None:
    schema = {
        "type": "array",
        "uniqueItems": True,
        "items": {**opened(a=STRING), "not": {"required": ["z"]}, "dependentSchemas": {"a": {"$ref": "#/$defs/x"}}},
        "$defs": {"x": {"minProperties": 1, "properties": {"self": {"$ref": "#/$defs/x"}}}},
    }
    newer = {**schema, "items": {**schema["items"], "properties": {"a": STRING, "b": NUMBER}}}  # type: ignore[dict-item]
    assert operations(newer, schema) == ()


def test_a_difference_behind_equal_references_is_seen() -> None:
    def schema(inner: Any) -> Any:
        return {
            "allOf": [{"$ref": "#/$defs/x"}],
            "$defs": {"x": {"properties": {"y": {"$ref": "#/$defs/z"}}}, "z": inner},
        }

    assert "'allOf' differs" in different(schema(STRING), schema(NUMBER)).reason


def test_what_was_projected_is_valid_for_the_older_contract() -> None:
    newer = closed(("rows",), rows={"type": "array", "items": closed(a=STRING, b=opened(n=NUMBER))}, c=NUMBER)
    older = closed(("rows",), rows={"type": "array", "items": closed(a=STRING, b=closed(n=NUMBER))})
    document = {"rows": [{"a": "x", "b": {"n": 1, "stray": 2}}, {"a": "y"}, {}], "c": 3}
    assert jsonschema_rs.is_valid(newer, document)
    result = run(parse(operations(newer, older)), document)
    assert jsonschema_rs.is_valid(older, result)
    assert result == {"rows": [{"a": "x", "b": {"n": 1}}, {"a": "y"}, {}]}
