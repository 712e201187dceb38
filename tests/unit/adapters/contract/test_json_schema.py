import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stepdown_adapters.contract.json_schema import load_schema
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
    assert schema["properties"]["x"] == {"$ref": "#/$defs/parts~1b.json/$defs/x"}
    assert schema["$defs"]["parts/b.json"]["items"] == {"$ref": "#/$defs/parts~1b.json/$defs/x"}
    assert schema["$defs"]["parts/b.json"]["$defs"]["z"] == {"$ref": "#/$defs/c.yaml/properties/a~1b"}
    assert "$id" not in schema["$defs"]["parts/b.json"]
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


def test_draft_7_is_accepted(tmp_path: Path) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"x": {"$id": "#ex", "type": "string"}},
        "items": [{"$ref": "#ex"}, {"$ref": "#/definitions/x"}],
        "dependencies": {"a": ["b"], "c": {"required": ["d"]}},
    }
    loaded = load_schema(write(tmp_path, a_json=schema))
    assert isinstance(loaded, dict)
    assert loaded["items"] == [{"$ref": "#/definitions/x"}, {"$ref": "#/definitions/x"}]


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
    assert "outside of the schema's folder" in refused(write(tmp_path / "in", a_json={"$ref": "../secret.json"}))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, secret_json={"type": "string"})
    (tmp_path / "in" / "link.json").symlink_to(tmp_path / "secret.json")
    assert "outside of the schema's folder" in refused(write(tmp_path / "in", a_json={"$ref": "link.json"}))


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
        ({"pattern": "("}, 'cannot be used for validation: "(" is not a "regex"'),
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


def test_two_drafts_in_one_contract_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, a_json={"$ref": "b.json"}, b_json={"$schema": "http://json-schema.org/draft-07/schema#"})
    assert "b.json is draft-07, but a.json is 2020-12" in refused(path)


def test_a_definition_with_the_name_of_a_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, a_json={"$ref": "b.json", "$defs": {"b.json": {}}}, b_json={})
    assert "has the name of the file b.json" in refused(path)


def test_schemas_are_bounded_in_depth_and_number(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(120):
        deep = {"items": deep}
    assert "nested deeper than 100 schemas" in refused(write(tmp_path, a_json=deep))
    wide = {"anyOf": [{}] * 50_001}
    assert "more than 50000 schemas" in refused(write(tmp_path, a_json=wide))
    files = {f"f{i}_json": {"$ref": f"f{i + 1}.json"} for i in range(70)}
    assert "more than 64 files" in refused(write(tmp_path, **files))
