import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.contract.dialects import DRAFT_2020_URI
from stepdown_adapters.contract.json_schema import contract_of, load_schema
from stepdown_adapters.errors import ContractError


def write(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_json", ".json").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    first = next(iter(files))
    return folder / first.replace("_json", ".json").replace("_yaml", ".yaml")


def refused(path: Path) -> str:
    with pytest.raises(ContractError) as error:
        load_schema(path)
    return str(error.value)


def test_a_plain_schema_is_loaded_as_it_is(tmp_path: Path) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "const": {"$ref": "no ref"}}
    assert load_schema(write(tmp_path, a_json=schema)) == schema


def test_true_is_a_schema(tmp_path: Path) -> None:
    assert load_schema(write(tmp_path, a_json=True)) is True


def test_yaml_is_read_as_yaml_1_2(tmp_path: Path) -> None:
    text = "enum: [no, on, 010, 1.5, 1e3, ~, true, 2024-01-01]\nproperties: {1: {type: string}}\n"
    assert load_schema(write(tmp_path, a_yaml=text)) == {
        "$schema": DRAFT_2020_URI,
        "enum": ["no", "on", 10, 1.5, 1000.0, None, True, "2024-01-01"],
        "properties": {"1": {"type": "string"}},
    }


def test_references_across_files_become_one_schema(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        a_json={"properties": {"x": {"$ref": "parts/b.json#/$defs/x"}, "y": {"$ref": "parts/b.json"}}},
        parts__b_json={
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.com/b.json",
            "type": "array",
            "items": {"$ref": "#/$defs/x"},
            "$defs": {"x": {"$anchor": "ex", "type": "integer"}, "z": {"$ref": "../c.yaml#/properties/a~1b"}},
        },
        c_yaml="properties:\n  a/b: {type: string}\n",
    )
    schema = load_schema(path)
    assert isinstance(schema, dict)
    assert schema["properties"] == {"x": {"$ref": "#/$defs/x"}, "y": {"$ref": "#/$defs/parts~1b.json"}}
    assert schema["$defs"] == {
        "parts/b.json": {"type": "array", "items": {"$ref": "#/$defs/x"}},
        "x": {"type": "integer"},
    }
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid({"x": 1, "y": [2]})
    assert not validator.is_valid({"y": ["2"]})


def test_anchors_and_identifiers_are_resolved(tmp_path: Path) -> None:
    schema = {
        "$id": "https://example.com/root",
        "properties": {
            "a": {"$ref": "#here"},
            "b": {"$ref": "https://example.com/root#/$defs/t"},
            "c": {"$ref": "inner"},
        },
        "$defs": {"t": {"$anchor": "here", "type": "string"}, "i": {"$id": "inner", "type": "integer"}},
    }
    loaded = load_schema(write(tmp_path, a_json=schema))
    assert isinstance(loaded, dict)
    assert [loaded["properties"][name]["$ref"] for name in "abc"] == ["#/$defs/t", "#/$defs/t", "#/$defs/i"]


def test_cycles_through_files_are_fine(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        a_json={"properties": {"b": {"$ref": "b.json"}, "self": {"$ref": "#"}, "named": {"$ref": "a.json#"}}},
        b_json={"properties": {"a": {"$ref": "a.json"}}, "type": "object"},
    )
    schema = load_schema(path)
    assert isinstance(schema, dict)
    assert schema["properties"]["named"] == {"$ref": "#"}
    validator = jsonschema_rs.validator_for(schema)
    assert not validator.is_valid({"self": {"b": {"a": {"b": 1}}}})


def test_definitions_of_the_root_keep_their_names_and_others_get_one_each(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        a_json={
            "$defs": {"x": {"type": "integer"}, "unused": {}, "a b": {}},
            "anyOf": [{"$ref": "b.json#/$defs/x"}, {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/a%20b"}],
            "not": {"$defs": {"x": {"type": "null"}}, "$ref": "#/not/$defs/x"},
        },
        b_json={"$defs": {"x": {"type": "string"}}},
    )
    schema = load_schema(path)
    assert isinstance(schema, dict)
    assert schema["anyOf"] == [{"$ref": "#/$defs/x-2"}, {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/a_b"}]
    assert schema["not"] == {"$ref": "#/$defs/x-3"}
    assert list(schema["$defs"]) == ["x", "unused", "a_b", "x-2", "x-3"]
    assert [schema["$defs"][name] for name in ("x", "x-2", "x-3")] == [
        {"type": "integer"},
        {"type": "string"},
        {"type": "null"},
    ]


def test_draft_7_becomes_2020_12(tmp_path: Path) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"x": {"$id": "#ex", "type": "string"}},
        "items": [{"$ref": "#ex"}, {"$ref": "#/definitions/x", "maxLength": 0}],
        "additionalItems": {"items": True, "additionalItems": False},
        "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
        "not": {"minContains": 2, "dependentRequired": {"a": ["b"]}, "const": 1},
    }
    contract = contract_of(write(tmp_path, a_json=schema))
    assert contract.schema == {
        "$schema": DRAFT_2020_URI,
        "$defs": {"x": {"type": "string"}},
        "prefixItems": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/x"}],
        "items": {"items": True},
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"c": {"required": ["d"]}},
        "not": {"const": 1},
    }
    assert [warning.partition(";")[0] for warning in contract.warnings] == [
        "a.json#/not: draft 7 ignores 'dependentRequired'",
        "a.json#/not: draft 7 ignores 'minContains'",
    ]


def test_what_2020_12_still_knows_of_draft_7_is_written_anew(tmp_path: Path) -> None:
    schema = {
        "dependencies": {"a": ["b"], "c": False},
        "dependentRequired": {"e": ["f"]},
        "additionalItems": False,
        "definitions": {"x": True},
    }
    contract = contract_of(write(tmp_path, a_json=schema))
    assert contract.schema == {
        "$schema": DRAFT_2020_URI,
        "dependentRequired": {"e": ["f"]},
        "allOf": [{"dependentRequired": {"a": ["b"]}}],
        "dependentSchemas": {"c": False},
        "$defs": {"x": True},
    }
    assert contract.warnings == ("a.json#: 2020-12 ignores 'additionalItems'; write 'items'",)


def test_a_schema_with_an_id_inside_another_is_where_its_references_start(tmp_path: Path) -> None:
    inner = {"$id": "inner", "$ref": "#/$defs/t", "$defs": {"t": {"type": "integer"}}}
    loaded = load_schema(write(tmp_path, a_json={"properties": {"a": inner}, "$defs": {"t": {"type": "string"}}}))
    assert not jsonschema_rs.is_valid(loaded, {"a": "text"})
    assert jsonschema_rs.is_valid(loaded, {"a": 1})


@pytest.mark.parametrize(
    "target", ["https://example.com/x.json", "//example.com/x.json", "urn:x:y", "file:///etc/passwd"]
)
def test_a_remote_reference_is_refused_with_its_place(tmp_path: Path, target: str) -> None:
    message = refused(write(tmp_path, a_json={"properties": {"p/q": {"$ref": target}}}))
    assert message.startswith("a.json#/properties/p~1q/$ref: ")
    assert "is remote" in message


def test_a_file_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, secret_json={"type": "string"})
    assert "outside of the contract's folder" in refused(write(tmp_path / "in", a_json={"$ref": "../secret.json"}))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, secret_json={"type": "string"})
    (tmp_path / "in" / "link.json").symlink_to(tmp_path / "secret.json")
    assert "outside of the contract's folder" in refused(write(tmp_path / "in", a_json={"$ref": "link.json"}))


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"$ref": "#/$defs/nope"}, "a.json#/$ref: #/$defs/nope leads nowhere"),
        ({"$ref": "#nope"}, "has no anchor 'nope'"),
        ({"$ref": "nope.json"}, "there is no file nope.json"),
        ({"$ref": "#/enum", "enum": [1]}, "leads to no schema"),
        ({"$ref": 5}, "a.json#/$ref"),
        ({"type": "objekt"}, "a.json#/type: is no valid schema"),
        ({"properties": {"a": {"minimum": "0"}}}, "a.json#/properties/a/minimum: is no valid schema"),
        ({"properties": 5}, "a.json#/properties: is no valid schema"),
        ({"properties": {"a": {"pattern": "("}}}, "a.json#/properties/a/pattern: cannot be used for validation"),
        ({"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"pattern": "("}}}, "a.json#/$defs/a/pattern: cannot be used"),
        ({"$ref": "http://["}, "a.json#/$ref: 'http://[' is no reference"),
        ({"$ref": "%00.json"}, "is no file name"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "neither JSON Schema 2020-12 nor draft 7"),
        ({"$schema": 5}, "neither JSON Schema 2020-12 nor draft 7"),
        ({"$dynamicRef": "#x"}, "$dynamicRef is not supported"),
        ([1], "a schema is an object, true or false"),
        ("{", "is not JSON"),
        ('{"a": 1, "a": 2}', "the member 'a' is there twice"),
        ('{"const": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ('"' + "x" * 2_000_000 + '"', "over the limit"),
    ],
)
def test_a_broken_schema_is_refused(tmp_path: Path, schema: Any, sentence: str) -> None:
    assert sentence in refused(write(tmp_path, a_json=schema))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "a.yaml:1:5: is not YAML"),
        ("type: object\ntype: array\n", "a.yaml:2:1: is not YAML: duplicate key 'type'"),
        ("? [a]\n: 1\n", "a key is a plain scalar"),
        ("a: !!python/object:os.system {}\n", "is not YAML"),
        ("a: \x07", "special characters"),
    ],
)
def test_broken_yaml_is_refused_with_line_and_column(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(write(tmp_path, a_yaml=text))


def test_what_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"title": "\xff"}')
    assert "is not UTF-8 at byte 11" in refused(tmp_path / "a.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "a.json")


def test_each_file_is_read_in_its_own_dialect(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        a_json={"properties": {"a": {"$ref": "b.json"}}},
        b_json={"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}, {"$ref": "c.json"}]},
        c_json={"items": [True]},
    )
    schema = load_schema(path)
    assert isinstance(schema, dict)
    assert schema["$defs"]["b.json"] == {"prefixItems": [{"type": "null"}, {"$ref": "#/$defs/c.json"}]}
    assert schema["$defs"]["c.json"] == {"prefixItems": [True]}


def test_a_definition_with_the_name_of_a_file_stays_another(tmp_path: Path) -> None:
    path = write(tmp_path, a_json={"$ref": "b.json", "$defs": {"b.json": {"type": "null"}}}, b_json={"type": "string"})
    schema = load_schema(path)
    assert isinstance(schema, dict)
    assert schema["$ref"] == "#/$defs/b.json-2"
    assert schema["$defs"] == {"b.json": {"type": "null"}, "b.json-2": {"type": "string"}}


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    schema = {
        "properties": {"a": {"$ref": "nope.json"}, "b": {"$ref": "http://e.com/x"}, "c": {"$ref": "d.json"}},
        "x-semantic": {"kind": "probabilty"},
    }
    path = write(tmp_path, a_json=schema, d_json={"type": "strin", "items": [True]})
    with pytest.raises(ContractError) as error:
        load_schema(path)
    assert str(error.value).splitlines() == [
        "a.json#/properties/a/$ref: there is no file nope.json",
        "a.json#/properties/b/$ref: http://e.com/x is remote; refer to a file in the contract's folder, or below",
        "a.json#/x-semantic/kind: there is no kind 'probabilty'; did you mean 'probability'?",
        "d.json#/items: is no valid schema: a list of 'items' is draft 7's; write 'prefixItems'",
        "d.json#/type: is no valid schema: 'strin' is no type; did you mean 'string'?",
    ]
    assert [len(error.value.further), error.value.place] == [4, "a.json#/properties/a/$ref"]


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ({"$ref": "#"}, "a.json#"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "a.json#/properties/a"),
        (
            {
                "items": {"$ref": "#/$defs/a"},
                "$defs": {"a": {"anyOf": [{"not": {"$ref": "#/$defs/b"}}]}, "b": {"if": {"$ref": "#/$defs/a"}}},
            },
            "a.json#/$defs/a/anyOf/0/not -> a.json#/$defs/b/if",
        ),
    ],
)
def test_references_that_go_in_a_circle_are_refused(tmp_path: Path, schema: Any, places: str) -> None:
    assert f"never reach a member or an item: {places}" in refused(write(tmp_path, a_json=schema))


def test_a_deep_chain_of_references_is_no_circle(tmp_path: Path) -> None:
    definitions: dict[str, Any] = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(1000)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**definitions, "d1000": {"items": {"$ref": "#"}}}}
    assert isinstance(load_schema(write(tmp_path, a_json=schema)), dict)


def test_yaml_that_unfolds_to_too_much_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "its aliases stand for more than" in refused(write(tmp_path, a_yaml="\n".join(lines)))


def test_mistakes_without_end_are_cut_short(tmp_path: Path) -> None:
    schema = {"properties": {f"p{number}": {"type": "objekt"} for number in range(500)}}
    with pytest.raises(ContractError) as error:
        load_schema(write(tmp_path, a_json=schema))
    assert len(str(error.value).splitlines()) == 50


def test_what_references_unfold_to_is_bounded(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(120):
        deep = {"items": deep}
    path = write(tmp_path, a_json={"$ref": "#/x-parts/deep", "x-parts": {"deep": deep}})
    assert "a.json#/x-parts/deep/items/" in refused(path)
    assert "is nested deeper than 100 schemas" in refused(path)
    many: dict[str, Any] = {"anyOf": [{}] * 30_000}
    places = {f"r{number}": {"$ref": f"#/x-parts/{number}"} for number in range(2)}
    path = write(tmp_path, a_json={"properties": places, "x-parts": [many, many]})
    assert "unfolds to more than 50000 schemas" in refused(path)


def test_schemas_are_bounded_in_depth_and_number(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(120):
        deep = {"items": deep}
    assert "nested deeper than 100 schemas" in refused(write(tmp_path, a_json=deep))
    wide: dict[str, Any] = {"anyOf": [{}] * 50_001}
    assert "more than 50000 schemas" in refused(write(tmp_path, a_json=wide))
    files = {f"f{i}_json": {"$ref": f"f{i + 1}.json"} for i in range(70)}
    assert "more than 64 files" in refused(write(tmp_path, **files))
